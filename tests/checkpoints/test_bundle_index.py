import shutil

import pytest
import tensorflow as tf

from albert_tf.checkpoints.files.bundle import open_bundle
from albert_tf.checkpoints.files.bundle_index import DamagedIndex, masked_crc32c, read_index
from tests.checkpoints.bundle_files import entry, write_index
from tests.conftest import GOLDENS

INDEX = GOLDENS / "tiny" / "model.ckpt-best.index"


def test_checksum():
    # RFC 3720, appendix B.4: CRC-32C of 32 zeros, then masked.
    crc = 0x8A9136AA
    assert masked_crc32c(bytes(32)) == ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


@pytest.mark.parametrize("folder", ["tiny", "tiny_groups", "train_ckpt_with_slots"])
def test_lists_what_tensorflow_lists(folder):
    (path,) = (GOLDENS / folder).glob("*.index")
    reader = tf.train.load_checkpoint(str(path.with_suffix("")))
    entries, num_shards = read_index(path)
    shapes = {name: tuple(shape) for name, shape in reader.get_variable_to_shape_map().items()}
    dtypes = {name: dtype.name for name, dtype in reader.get_variable_to_dtype_map().items()}
    assert {name: e.shape for name, e in entries.items()} == shapes
    assert {name: e.dtype for name, e in entries.items()} == dtypes
    assert num_shards == 1


def test_tensors_in_slices(tmp_path):
    prefix = str(tmp_path / "ckpt")
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=["x", "x"],
        shape_and_slices=["4 2 0,2:-", "4 2 2,2:-"],
        tensors=[tf.ones([2, 2]), tf.zeros([2, 2])],
    )
    tensors, get = open_bundle(tmp_path / "ckpt")
    assert {name: str(spec) for name, spec in tensors.items()} == {"x": "float32 [4, 2]"}
    assert get("x").sum() == 4


def test_no_flipped_bit_goes_unnoticed(tmp_path):
    good = INDEX.read_bytes()
    entries, path = read_index(INDEX), tmp_path / "x.index"
    for place in range(len(good) - 48):  # The footer has unused bytes.
        if place % 7 == 0:
            bad = bytearray(good)
            bad[place] ^= 1 << place % 8
            path.write_bytes(bad)
            with pytest.raises(DamagedIndex):
                read_index(path)
    for place in range(len(good) - 48, len(good)):
        bad = bytearray(good)
        bad[place] ^= 1
        path.write_bytes(bad)
        try:
            assert read_index(path) == entries
        except DamagedIndex:
            pass


# TensorFlow ends the process over some of these.
@pytest.mark.parametrize(
    "proto, message",
    [
        (entry([-5, -4]), r"'x' has the shape \(-5, -4\)"),
        (entry([2**40, 2**40, 0], size=0), "'x' has the shape"),
        (entry([2**40], size=8), "needs .* bytes, not 8"),
        (entry([2**62] * 300, size=8), "'x' has the shape"),
        (entry([2, 3], size=20), "needs 24 bytes, not 20"),
        (entry([10**9], dtype=7, size=8), "needs 1000000000 bytes, not 8"),
        (entry([1], dtype=99), "of no known dtype"),
        (entry([1], dtype=0), "of no known dtype"),
        (entry([1], dtype=101), "of no known dtype"),
        (entry([1], shard_id=3), "'x' is nowhere"),
        (entry([1], offset=-4), "'x' is nowhere"),
    ],
)
def test_entries_that_cannot_be(tmp_path, proto, message):
    shutil.copy(INDEX.with_name("model.ckpt-best.data-00000-of-00001"), tmp_path)
    write_index(tmp_path / INDEX.name, [("x", proto)])
    with pytest.raises(ValueError, match=f"The index of a checkpoint must be readable.*{message}"):
        open_bundle(tmp_path / "model.ckpt-best")


def test_slices_that_cannot_be(tmp_path):
    outside, twice = entry([4], size=0), entry([4], size=0)
    outside.slices.add().extent.add(start=3, length=2)
    for _ in range(2):
        twice.slices.add().extent.add(start=0, length=4)
    for proto, message in ((outside, "parts outside of its shape"), (twice, "has a part twice")):
        write_index(tmp_path / "x.index", [("x", proto)])
        with pytest.raises(DamagedIndex, match=message):
            read_index(tmp_path / "x.index")


def test_data_that_lies_elsewhere(tmp_path):
    (tmp_path / "x.data-00000-of-00001").write_bytes(bytes(8))
    write_index(tmp_path / "x.index", [("x", entry([2], offset=4))])
    with pytest.raises(ValueError, match="The data of a checkpoint must be complete"):
        open_bundle(tmp_path / "x")
    write_index(tmp_path / "x.index", [("x", entry([2]))], num_shards=2)
    with pytest.raises(FileNotFoundError, match="without x.data-00000-of-00002, x.data-00001"):
        open_bundle(tmp_path / "x")


def test_tables_that_are_none(tmp_path):
    path = tmp_path / "x.index"
    for content in (b"", bytes(48), b"x" * 100):
        path.write_bytes(content)
        with pytest.raises(DamagedIndex):
            read_index(path)
    write_index(path, [("b", entry([1])), ("a", entry([1]))])
    with pytest.raises(DamagedIndex, match="names are not in order"):
        read_index(path)
    write_index(path, [], num_shards=2**30)
    with pytest.raises(DamagedIndex, match="does not begin as"):
        read_index(path)
