import json

import numpy as np
import pytest

from albert_tf.data.tasks.classifier_features import classifier_features, pair_lengths
from albert_tf.data.tasks.examples import Example, ExampleSet
from albert_tf.text.reference import ReferenceTokenizer
from tests.conftest import GOLDENS

KEYS = ("input_ids", "input_mask", "segment_ids")


def recordings(model):
    with open(GOLDENS / "classifier_features.jsonl") as lines:
        rows = [json.loads(line) for line in lines]
    return [row for row in rows if row["model"] == model]


def check_recordings(model, tokenizer):
    rows = recordings(model)
    assert len(rows) == 177
    for row in rows:
        if not row["is_real_example"]:
            continue  # Rows that fill a batch: see test_rows.
        regression = isinstance(row["label"], float)
        labels = None if regression else ("0", "1", "2")
        example = Example("", row["text_a"], row["text_b"], row["label"])
        features = classifier_features(
            ExampleSet([example], [], labels), tokenizer, row["max_seq_length"]
        )
        for key in KEYS:
            assert features[key].tolist() == [row[key]], row["i"]
            assert features[key].dtype == np.int32
        assert features["label_ids"] == pytest.approx([row["label_id"]], rel=1e-7)
        assert features["label_ids"].dtype == (np.float32 if regression else np.int32)


def test_recordings_of_the_original(sp_model):
    check_recordings("tiny", ReferenceTokenizer(sp_model))


def test_recordings_of_the_original_with_the_official_vocabulary(shared):
    model = shared / "data" / "albert_spm" / "30k-clean.model"
    check_recordings("official30k", ReferenceTokenizer(model))


def test_pair_lengths_pops_one_by_one():
    for a in range(12):
        for b in range(12):
            for limit in range(1, 15):
                x, y = a, b
                while x + y > limit:
                    x, y = (x - 1, y) if x > y else (x, y - 1)
                assert pair_lengths(a, b, limit) == (x, y)


def test_what_is_cut_is_counted(sp_model):
    texts = [Example("short", "a b", label="0"), Example("long", "a b c d e f g h", label="1")]
    features = classifier_features(
        ExampleSet(texts, [], ["0", "1"]), ReferenceTokenizer(sp_model), 6
    )
    assert features.report.counts == {"texts cut to max_seq_length": 1}
    assert features.report.locations("texts cut to max_seq_length") == ["long"]
    assert features["label_ids"].tolist() == [0, 1] and features.has_labels


def test_refuses_a_length_without_room(sp_model):
    examples = ExampleSet([Example("1", "a")], [])
    with pytest.raises(ValueError, match=r"max_seq_length must be at least 5 here. Received: 4"):
        classifier_features(examples, ReferenceTokenizer(sp_model), 4)


def test_several_labels(sp_model):
    texts = [Example("1", "a", label=("x", "z")), Example("2", "b", label=())]
    features = classifier_features(
        ExampleSet(texts, [], ["x", "y", "z"]), ReferenceTokenizer(sp_model), 6
    )
    assert features["label_ids"].tolist() == [[1, 0, 1], [0, 0, 0]] and features.has_labels
