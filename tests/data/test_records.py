import json
import sys

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.data.example_proto import serialize_examples
from albert_tf.data.tasks import records
from albert_tf.data.tasks.features import Features
from tests import programs
from tests.conftest import GOLDENS


def small_features(rows=5, shape=(4,)):
    rng = np.random.default_rng(1)
    arrays = {"input_ids": rng.integers(0, 30000, [rows, *shape], np.int32)}
    arrays["label_ids"] = rng.random(rows).astype(np.float32)
    features = Features(arrays)
    features.report.add("texts cut to max_seq_length", "7")
    return features


@pytest.mark.parametrize("shape", [(4,), (2, 3), ()])
def test_reads_what_it_wrote(tmp_path, shape):
    features = small_features(shape=shape)
    path = tmp_path / "new" / "a.tfrecord"
    records.write_records(path, features, key={"task": "x"})
    read = records.read_features(path)
    for name, array in features.items():
        assert read[name].dtype == array.dtype and np.array_equal(read[name], array)
    metadata = records.read_metadata(path)
    assert metadata["rows"] == 5 and metadata["key"] == {"task": "x"}
    assert metadata["problems"] == {"texts cut to max_seq_length": 1}
    assert sorted(p.name for p in path.parent.iterdir()) == ["a.tfrecord", "a.tfrecord.json"]


def kinds(row):
    (record,) = serialize_examples({name: np.array([value]) for name, value in row.items()})
    example = tf.train.Example.FromString(record)
    fields = {name: (f.WhichOneof("kind"), f) for name, f in example.features.feature.items()}
    return {name: [kind, len(getattr(f, kind).value)] for name, (kind, f) in fields.items()}


@pytest.mark.parametrize("task", ["sst-2", "sts-b"])
def test_fields_are_the_originals(task):
    expected = json.loads((GOLDENS / "glue" / "examples.json").read_text())[task]["tfrecord"]
    row = {name: np.zeros(24, np.int32) for name in ("input_ids", "input_mask", "segment_ids")}
    row["label_ids"] = np.float32(1) if task == "sts-b" else np.int32(1)
    row["is_real_example"] = np.int32(1)
    assert kinds(row) == expected


def test_fields_of_several_choices_are_flat():
    expected = json.loads((GOLDENS / "race" / "examples.json").read_text())["tfrecord"]
    row = {name: np.zeros([4, 64], np.int32) for name in ("input_ids", "input_mask", "segment_ids")}
    row |= {"label_ids": np.int32(1), "is_real_example": np.int32(1)}
    assert kinds(row) == expected


def test_the_cache_makes_features_once(tmp_path):
    for name in ("vocabulary", "data"):
        (tmp_path / name).write_text(name)
    calls = []

    def path_for(**options):
        key = records.feature_key(
            "task", "train", 128, tmp_path / "vocabulary", [tmp_path / "data"], **options
        )
        make = lambda: calls.append(1) or small_features()  # noqa: E731
        return records.cached_records(tmp_path / "cache", "task.train", key, make)

    path = path_for(lower=True)
    assert path_for(lower=True) == path and len(calls) == 1
    assert path_for(lower=False) != path and len(calls) == 2
    (tmp_path / "data").write_text("changed")
    assert path_for(lower=True) != path and len(calls) == 3
    with open(path, "ab") as file:
        file.write(b"x")
    (tmp_path / "data").write_text("data")
    with pytest.raises(ValueError, match=r"must be whole .* Received: .*Remove it"):
        records.read_metadata(path)
    assert path_for(lower=True) == path and len(calls) == 4
    assert records.read_metadata(path)["rows"] == 5


def test_a_url_is_refused_before_features_are_made():
    with pytest.raises(ValueError, match="path of a local directory. Received: 'gs://bucket/c'"):
        records.cached_records("gs://bucket/c", "x", {}, lambda: 1 / 0)


class Failing(Features):
    def rows(self, start, limit):
        if limit > 1:
            raise KeyboardInterrupt
        return super().rows(start, limit)


def test_an_interrupted_write_leaves_nothing(tmp_path):
    path = tmp_path / "a.tfrecord"
    with pytest.raises(KeyboardInterrupt):
        records.write_records(path, Failing(small_features().arrays))
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
import numpy as np
from albert_tf.data.tasks import records
from albert_tf.data.tasks.features import Features

class Killing(Features):
    def rows(self, start, limit):
        if start >= 1024:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().rows(start, limit)

features = Killing({"x": np.zeros([5000, 8], np.int32)})
records.cached_records(sys.argv[1], "x", {}, lambda: features)
"""


def test_a_killed_run_leaves_no_half_cache(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    done = programs.run(command)
    assert done.returncode == -9, done.stderr.decode()
    assert all(path.name.endswith(".partial") for path in tmp_path.iterdir())
    path = records.cached_records(tmp_path, "x", {}, small_features)
    assert records.read_metadata(path)["rows"] == 5
