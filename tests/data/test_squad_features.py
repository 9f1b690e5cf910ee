import json
import time

import numpy as np
import pytest

from albert_tf.data.tasks import squad, squad_features
from albert_tf.data.tasks.squad_windows import best_windows
from albert_tf.text.reference import ReferenceTokenizer
from tests.data.squad_recordings import LENGTHS, RecordedTokenizer, recorded_features, squad_file


def check(features, expected):
    arrays = features.rows(0, features.num_rows)
    for name in arrays.keys() & expected.keys():
        assert arrays[name].dtype == np.int32
        assert np.array_equal(arrays[name], expected[name]), name
    assert [w.index for w in features.windows] == list(expected["doc_span_index"])
    if "example_index" in expected:
        assert [w.example for w in features.windows] == list(expected["example_index"])
    for name, ends in (("tok_start_to_orig_index", "starts"), ("tok_end_to_orig_index", "ends")):
        got = [
            getattr(features.contexts[w.example].offsets, ends)[w.start : w.start + w.length]
            for w in features.windows
        ]
        assert np.array_equal(np.concatenate(got), expected[name])
    assert np.array_equal(
        np.concatenate(list(max_context(features))), expected["token_is_max_context"]
    )


def max_context(features):
    spans = {}
    for w in features.windows:
        spans.setdefault(w.example, []).append((w.start, w.length))
    for w in features.windows:
        yield best_windows(spans[w.example])[w.start : w.start + w.length] == w.index


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", ["train-v2.0", "dev-v2.0"])
def test_recordings_of_the_original(name, length):
    features = squad_features.squad_features(
        squad.read(squad_file(name)),
        RecordedTokenizer(),
        *LENGTHS[length],
        is_training=name.startswith("train"),
    )
    check(features, recorded_features(name, length))
    assert features.report.locations(squad_features.NOT_ALIGNED) == ["w1"]
    assert len(features.report.locations(squad_features.CUT_QUESTIONS)) == (length == 64)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", ["train-v1.1", "dev-v1.1", "train-v2.0", "dev-v2.0"])
def test_all_recordings_with_the_official_vocabulary(shared, name, length):
    tokenizer = ReferenceTokenizer(shared / "data" / "albert_spm" / "30k-clean.model")
    folder = shared / "golden" / "squad"
    examples = squad.read(folder / f"{name}.json")
    is_training = name.startswith("train")
    features = squad_features.squad_features(
        examples, tokenizer, *LENGTHS[length], is_training=is_training
    )
    lines = (folder / f"features_{name}_s{length}.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    fields = {"unique_ids": "unique_id", "doc_span_index": "doc_span_index"}
    fields |= {k: k for k in ("input_ids", "input_mask", "segment_ids", "p_mask")}
    if is_training:
        fields |= {"start_positions": "start_position", "end_positions": "end_position"}
        fields["is_impossible"] = "is_impossible"
    else:
        fields["example_index"] = "example_index"
    expected = {name: np.array([row[field] for row in rows]) for name, field in fields.items()}
    for name in ("tok_start_to_orig_index", "tok_end_to_orig_index"):
        expected[name] = np.concatenate([row[name] for row in rows])
    expected["token_is_max_context"] = [x for r in rows for _, x in r["token_is_max_context"]]
    check(features, expected)
    for row, ids in zip(rows, features["input_ids"]):
        assert tokenizer.ids_to_pieces(ids) == row["tokens"]


def features_of(sp_model, context, **question):
    example = squad.SquadExample("q", "who ?", context, **question)
    return squad_features.squad_features(
        squad.SquadSet([example], ["file"]),
        ReferenceTokenizer(sp_model),
        24,
        8,
        8,
        is_training=True,
    )


def test_answers_are_found_again(sp_model):
    context = "Then   Zoë left for the coast."
    features = features_of(sp_model, context, answers=(("Zoë left", 7),))
    first, last = features["start_positions"][0], features["end_positions"][0]
    tokenizer = ReferenceTokenizer(sp_model)
    pieces = tokenizer.ids_to_pieces(features["input_ids"][0, first : last + 1])
    assert "".join(pieces) == "zoe▁left"  # "▁" is a piece of its own here
    assert features["is_impossible"].tolist() == [0] and not features.report


def test_bad_answers_are_counted(sp_model):
    context = "Ann left for the coast and the hills."
    features = features_of(sp_model, context, answers=(("left", 0),))
    assert features.report.locations(squad_features.MISPLACED) == ["q"]
    long = features_of(sp_model, "a long way " * 9, answers=(("a long way " * 9, 0),))
    assert long.report.locations(squad_features.SPLIT) == ["q"]
    assert long.num_without_answer == long.num_rows and all(long["is_impossible"])
    for answer in ("hills. And more", ""):
        with pytest.raises(ValueError, match=rf"all left out. 1 {squad_features.OUTSIDE}: q"):
            features_of(sp_model, context, answers=((answer, 31),))
    with pytest.raises(ValueError, match=rf"all left out. 1 {squad_features.UNSEEN}: q"):
        features_of(sp_model, "cafe\u0301 " + context, answers=(("\u0301", 4),))


def test_training_needs_one_answer(sp_model):
    with pytest.raises(ValueError, match=r"exactly 1 answer.* Received: question 'q' with 2"):
        features_of(sp_model, "Ann left", answers=(("Ann", 0), ("left", 4)))
    impossible = features_of(sp_model, "Ann left", is_impossible=True)
    assert impossible["is_impossible"].tolist() == [1]
    assert impossible["start_positions"].tolist() == impossible["end_positions"].tolist() == [0]


def test_refuses_lengths_without_room(sp_model):
    examples = squad.SquadSet([squad.SquadExample("q", "a", "b")], [])
    for lengths in ((67, 128, 64), (384, 0, 64)):
        with pytest.raises(
            ValueError, match=rf"leave room .* Received: max_seq_length={lengths[0]}"
        ):
            squad_features.squad_features(examples, ReferenceTokenizer(sp_model), *lengths)


def test_all_of_dev_takes_seconds(shared):
    tokenizer = ReferenceTokenizer(shared / "data" / "albert_spm" / "30k-clean.model")
    examples = squad.read(shared / "data" / "squad" / "dev-v1.1.json")
    begin = time.process_time()
    features = squad_features.squad_features(examples, tokenizer)
    assert time.process_time() - begin < 30  # About 2.5 s.
    assert features.num_rows == 10866
    assert not features.report
