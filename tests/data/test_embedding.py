import json

import pytest

from albert_tf.data.tasks.embedding import CUT, embedding_features, read_embedding
from albert_tf.text.reference import ReferenceTokenizer
from tests import random_tiny


def write(tmp_path, rows, name="train.jsonl"):
    path = tmp_path / name
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_the_columns_decide_what_is_read(tmp_path):
    texts = read_embedding(write(tmp_path, [{"text": "a", "label": "unused"}]))
    assert texts[0].texts == ("a",) and texts[0].label is None
    rows = [{"anchor": "a", "positive": "b", "negative": ["c", "d"]}]
    assert read_embedding(write(tmp_path, rows))[0].texts == ("a", "b", "c", "d")
    rows = [{"text": "a", "text_pair": "b", "negative": "c"}]
    assert read_embedding(write(tmp_path, rows))[0].negatives == ("c",)
    (scored := tmp_path / "dev.tsv").write_text('sentence1\tsentence2\tscore\n"a\tb\t3.5\n')
    example = read_embedding(scored)[0]
    assert (example.guid, example.texts, example.label) == ("2", ('"a', "b"), 3.5)
    rows = [{"q": "a", "d": "b", "s": 1, "id": "x"}]
    example = read_embedding(write(tmp_path, rows), "q", "d", "s", "id")[0]
    assert (example.guid, example.texts, example.label) == ("x", ("a", "b"), 1.0)
    (lines := tmp_path / "train.txt").write_text("a text\n \nanother, longer\n")
    assert [e.text_a for e in read_embedding(lines)] == ["a text", "another, longer"]
    assert str(read_embedding(lines).report)


@pytest.mark.parametrize(
    "rows, columns, message",
    [
        ([{"sentence": "a"}], {}, "a column of texts, text, sentence1, anchor. Received: .*:1"),
        ([{"text": "a"}], {"label": "l"}, "must have a column 'l'"),
        ([{"text": "a", "l": 1}], {"label": "l"}, "A score is of two texts.*--pair_column"),
        ([{"text": "a", "text_pair": " "}], {}, "strings with content. Received: .*:1: ' '"),
        ([{"text": "a", "text_pair": "b", "score": "x"}], {}, "finite number. Received: .*:1: 'x'"),
        ([{"text": "a", "text_pair": "b", "score": None}], {}, "finite number"),
        ([{"text": "a", "text_pair": "b"}, {"text": "a"}], {}, "have 'text_pair', as the first"),
        (
            [{"text": "a", "text_pair": "b", "negative": ["c"] * n} for n in (1, 2)],
            {},
            "as many negatives, here 1. Received: .*:2: 2",
        ),
        (
            [{"text": "a", "text_pair": "b", "negative": "c", "score": 1}],
            {},
            "either a score or negatives. Received: .*'score' and 'negative'",
        ),
    ],
)
def test_errors(rows, columns, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_embedding(write(tmp_path, rows), **columns)


def test_lines_have_no_columns(tmp_path):
    (tmp_path / "train.txt").write_text("a\n")
    with pytest.raises(ValueError, match="no columns. Received: .*--text_column=body"):
        read_embedding(tmp_path / "train.txt", text="body")


def test_features(tmp_path):
    tokenizer = ReferenceTokenizer(random_tiny.SP_MODEL)
    rows = [
        {"text": "good", "text_pair": "bad", "score": 2},
        {"text": "it is", "text_pair": " Good ", "score": 1},
        {"text": "so good and short " * 9, "text_pair": "bad", "score": 0},
    ]
    features = embedding_features(read_embedding(write(tmp_path, rows)), tokenizer, 12)
    assert features["input_ids"].shape == (3, 2, 12) and features.has_labels
    assert features["text_ids"].tolist() == [[1, 2], [3, 1], [4, 2]]
    assert features["label_ids"].tolist() == [2.0, 1.0, 0.0]
    special = tokenizer.special_ids
    expected = [special["start_of_sequence_id"], *tokenizer.encode("good")]
    expected.append(special["end_of_segment_id"])
    assert features["input_ids"][0, 0, : len(expected)].tolist() == expected
    assert features["input_mask"][0, 0].sum() == len(expected)
    assert features["input_mask"][2, 0].sum() == 12 and features.report.counts[CUT] == 1
