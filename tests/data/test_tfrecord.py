import io
import random

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.data.example_proto import parse_example, serialize_examples
from albert_tf.data.tfrecord import crc32c, frame_records, read_records


@pytest.fixture(scope="module")
def records():
    generator = random.Random(1)
    return [generator.randbytes(size) for size in (0, 1, 3, 4, 5, 8, 100, 3000, 3001, 70000, 4)]


def test_known_checksum():
    # RFC 3720, section B.4: 32 bytes of zeros, of ones, and 0 to 31.
    known = crc32c([bytes(32), b"\xff" * 32, bytes(range(32))])
    assert known.tolist() == [0x8A9136AA, 0x62A8AB43, 0x46DD794E]


def test_tensorflow_reads_what_is_written(records, tmp_path):
    path = tmp_path / "some.tfrecord"
    path.write_bytes(frame_records(records) + frame_records([]) + frame_records(records[:2]))
    read = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
    assert read == records + records[:2]


def test_reads_what_tensorflow_writes(records, tmp_path):
    path = str(tmp_path / "some.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
        for record in records:
            writer.write(record)
    with open(path, "rb") as file:
        assert list(read_records(file, path)) == records


def test_ranges_have_each_record_once(records):
    content = frame_records(records)
    borders = [0, 1, 16, 40, 3000, 60000, len(content)]
    parts = [
        list(read_records(io.BytesIO(content), "file", start, end))
        for start, end in zip(borders, borders[1:])
    ]
    assert sum(parts, []) == records


@pytest.mark.parametrize("damage", ["cut", "length", "data", "none"])
def test_damage_is_found(records, damage):
    content = bytearray(frame_records(records))
    if damage == "cut":
        content = content[:-1]
    elif damage == "none":
        content = b"This is no TFRecord file at all."
    else:
        content[{"length": 0, "data": 40}[damage]] ^= 1
    with pytest.raises(ValueError, match="Received: here.tfrecord, damaged or cut off at byte"):
        list(read_records(io.BytesIO(content), "here.tfrecord"))


def test_examples_are_tensorflow_s():
    features = {"a": [1, -2, 40000, 2**62], "b": [1.5], "c": [b"x", b"yz"], "d": []}
    example = tf.train.Example()
    example.features.feature["a"].int64_list.value.extend(features["a"])
    example.features.feature["b"].float_list.value.extend(features["b"])
    example.features.feature["c"].bytes_list.value.extend(features["c"])
    example.features.feature["d"].SetInParent()
    assert parse_example(example.SerializeToString()) == features
    del features["d"], example.features.feature["d"]
    table = {"a": np.array([features["a"], [0] * 4]), "b": np.float16([1.5, 0.0])}
    first, second = serialize_examples({**table, "c": [features["c"], []]})
    assert tf.train.Example.FromString(first) == example
    assert parse_example(second) == {"a": [0] * 4, "b": [0.0], "c": []}
    (empty,) = serialize_examples({"a": np.zeros([1, 0], np.int32), "b": np.zeros([1, 2, 3])})
    assert parse_example(empty) == {"a": [], "b": [0.0] * 6}
    with pytest.raises(ValueError, match="must be a serialized tf.train.Example"):
        parse_example(b"\xff\xff")
