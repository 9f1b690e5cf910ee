import numpy as np
import pytest
import tensorflow as tf

from albert_tf.data.example_proto import serialize_examples
from albert_tf.data.pretraining.options import PretrainingOptions
from albert_tf.data.pretraining.records import (
    feature_lengths,
    feature_spec,
    read_pretraining_records,
)
from albert_tf.data.tfrecord import frame_records
from tests.conftest import GOLDENS
from tests.data.test_original_replay import STATISTICS, options_of

RUNS = ["default", "s64", "s64_permutation", "s128"]


def random_features(options, batch=20, largest=30000):
    generator = np.random.default_rng(1)
    features = {}
    for name, length in feature_lengths(options).items():
        if name.endswith("_weights"):
            features[name] = generator.random((batch, length), np.float32)
        else:
            high = largest if name.endswith("_ids") and name != "segment_ids" else 2
            features[name] = generator.integers(0, high, (batch, length), np.int32)
    return features


@pytest.mark.parametrize("run", RUNS)
def test_the_schema_is_the_original_s(run):
    recorded = STATISTICS[run]["schema"]
    options = options_of(run)
    assert feature_lengths(options) == {name: length for name, (_, length) in recorded.items()}
    (example,) = serialize_examples(random_features(options, batch=1))
    features = tf.train.Example.FromString(example).features.feature
    written = {name: feature.WhichOneof("kind") for name, feature in features.items()}
    assert written == {name: kind for name, (kind, _) in recorded.items()}


@pytest.mark.parametrize("largest", [2, 100, 128, 129, 20000, 2_000_000])
@pytest.mark.parametrize("recipe", ["paper", "original"])
def test_tensorflow_reads_what_is_written(recipe, largest):
    options = PretrainingOptions(recipe=recipe, max_seq_length=128)
    features = random_features(options, largest=largest)
    parsed = tf.io.parse_example(serialize_examples(features), feature_spec(options))
    for name, values in features.items():
        np.testing.assert_array_equal(parsed[name], values)
    weights = {"paper": features.get("next_sentence_weights"), "original": np.ones((20, 1))}[recipe]
    np.testing.assert_array_equal(parsed["next_sentence_weights"], weights)


@pytest.mark.parametrize("run", RUNS)
def test_google_s_records_are_read(run):
    path = GOLDENS / "pretrain_data" / f"sample_{run}.tfrecord"
    spec = feature_spec(options_of(run))
    by_tensorflow = [
        tf.io.parse_single_example(record, spec) for record in tf.data.TFRecordDataset(str(path))
    ]
    records = list(read_pretraining_records(path))
    assert len(records) == len(by_tensorflow)
    for record, expected in zip(records, by_tensorflow):
        assert expected.pop("next_sentence_weights").numpy() == [1.0]
        assert record.keys() == expected.keys()
        for name, values in expected.items():
            np.testing.assert_array_equal(record[name], values)
            assert record[name].dtype == values.dtype.as_numpy_dtype


def test_unmasked_records_have_no_masks():
    lengths = feature_lengths(PretrainingOptions(static_masks=False))
    assert list(lengths) == [
        "input_ids", "input_mask", "segment_ids", "token_boundary",
        "next_sentence_labels", "next_sentence_weights",
    ]  # fmt: skip


def test_round_trip(tmp_path):
    features = random_features(PretrainingOptions(max_seq_length=32))
    path = tmp_path / "some.tfrecord"
    path.write_bytes(frame_records(serialize_examples(features)))
    for index, record in enumerate(read_pretraining_records(path)):
        for name, values in record.items():
            np.testing.assert_array_equal(values, features[name][index])
    assert index == 19
