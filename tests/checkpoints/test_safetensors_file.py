import json
import pathlib
import struct

import ml_dtypes
import numpy as np
import pytest

from albert_tf.checkpoints.checkpoint import TensorSpec
from albert_tf.checkpoints.files.safetensors_file import open_safetensors, write_safetensors

HUGGING_FACE = pathlib.Path(__file__).parents[1] / "goldens" / "hugging_face"


@pytest.fixture
def write(tmp_path):
    """Function (header, data) that writes a file; the header may be a dict, text or bytes."""

    def write_file(header, data=b"", length=None):
        if isinstance(header, dict):
            header = json.dumps(header)
        if isinstance(header, str):
            header = header.encode()
        length = len(header) if length is None else length
        (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", length) + header + data)
        return tmp_path / "x.safetensors"

    return write_file


def entry(start, end, shape=None, dtype="U8"):
    shape = [end - start] if shape is None else shape
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def test_round_trip(tmp_path):
    arrays = {
        "half": np.arange(6, dtype=np.float16).reshape(2, 3),
        "brain": np.arange(4, dtype=np.float32).astype(ml_dtypes.bfloat16),
        "none": np.zeros([0, 3], np.float32),
        "scalar": np.float32(2.5),
        "ids": np.arange(3),
        "transposed": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    }
    tensors = {
        name: (TensorSpec(array.shape, array.dtype.name), lambda array=array: array)
        for name, array in arrays.items()
    }
    write_safetensors(tmp_path / "x.safetensors", tensors, {"format": "pt"})
    assert [path.name for path in tmp_path.iterdir()] == ["x.safetensors"]
    with pytest.raises(ValueError, match="path of a local file. Received: 's3://bucket/x'"):
        write_safetensors("s3://bucket/x", tensors, {"format": "pt"})
    stored = open_safetensors(tmp_path / "x.safetensors")
    assert list(stored) == list(arrays)
    for name, array in arrays.items():
        assert stored[name].spec == tensors[name][0]
        loaded = stored[name].load()
        assert loaded.dtype == array.dtype and loaded.shape == array.shape
        np.testing.assert_array_equal(loaded, array)
    safetensors = pytest.importorskip("safetensors.numpy")
    theirs = safetensors.load_file(tmp_path / "x.safetensors")
    np.testing.assert_array_equal(theirs["transposed"], arrays["transposed"])


def test_a_file_of_hugging_face():
    stored = open_safetensors(HUGGING_FACE / "bfloat16" / "model.safetensors")
    assert stored["albert.pooler.bias"].spec == TensorSpec((12,), "bfloat16")
    full = open_safetensors(HUGGING_FACE / "pretraining" / "model.safetensors")
    expected = full["albert.pooler.bias"].load().astype(ml_dtypes.bfloat16)
    np.testing.assert_array_equal(stored["albert.pooler.bias"].load(), expected)


def test_metadata_only(write):
    assert open_safetensors(write({"__metadata__": {"format": "pt"}})) == {}


@pytest.mark.parametrize(
    "header, data, message",
    [
        ({"a": entry(0, 4), "b": entry(2, 6)}, 6, "invalid offset for tensor `b`"),
        ({"a": entry(0, 4), "b": entry(0, 4)}, 4, "invalid offset for tensor"),
        ({"a": entry(0, 4), "b": entry(6, 8)}, 8, "invalid offset for tensor `b`"),
        ({"a": entry(2, 4)}, 4, "invalid offset for tensor `a`"),
        ({"a": entry(0, 4)}, 3, "file not fully covered"),
        ({"a": entry(0, 4)}, 5, "file not fully covered"),
        ({"a": entry(0, 2**62)}, 5, "overflow"),
        ({"a": entry(0, 4, [2])}, 4, "invalid shape, data type, or offset"),
        ({"a": entry(0, 4, [4], "F32")}, 4, "invalid shape, data type, or offset"),
        ({"a": entry(0, 4, [2**62, 2**62])}, 4, "overflow"),
        ({"a": entry(4, 0, [0])}, 4, "invalid offset for tensor `a`"),
        ({"a": entry(0, 4, [-4])}, 4, "integer `-4`"),
        ({"a": entry(0, 4, [4.0])}, 4, "floating point `4.0`"),
        ({"a": entry(0, 4, [True])}, 4, "boolean `true`"),
        ({"a": entry(0, 1, [1] * 40)}, 1, r"'a', of U8 \[1, 1, "),
        ({"a": entry(0, 4, "4")}, 4, "expected a sequence"),
        ({"a": {**entry(0, 4), "data_offsets": [0, 4, 8]}}, 4, "invalid length 3"),
        ({"a": {"dtype": "U8", "shape": [4]}}, 4, "missing field `data_offsets`"),
        ({"a": entry(0, 4, dtype="F7")}, 4, "unknown variant `F7`"),
        ({"a": entry(0, 4, [8], dtype="F4")}, 4, r"'a', of F4 \[8\]"),
        ({"a": entry(0, 4, dtype=["F32"])}, 4, "expected string or map"),
        ({"a": 3}, 4, "integer `3`"),
        ({"__metadata__": {"a": 1}}, 0, "integer `1`, expected a string"),
        ('{"a": 1, "a": 2}', 0, "integer `1`"),
        ("[]", 0, "invalid type: sequence"),
        (' {"a": 1}', 0, "integer `1`"),
        ("{", 0, "EOF while parsing"),
        (b"{\xff}", 0, "invalid utf-8"),
        ("[" * 100_000, 0, "invalid type: sequence"),
        ('{"a": ' + "9" * 5000 + "}", 0, "number out of range"),
    ],
)
def test_bad_headers(write, header, data, message):
    match = f"must be complete and consistent. Received: .*{message}"
    with pytest.raises(ValueError, match=match):
        open_safetensors(write(header, b"\0" * data))


def test_truncated_and_huge_headers(write, tmp_path):
    with pytest.raises(ValueError, match="a header of 100 bytes in a file of 10"):
        open_safetensors(write("{}", length=100))
    with pytest.raises(ValueError, match="a header of 18446744073709551615 bytes"):
        open_safetensors(write("{}", length=2**64 - 1))
    with pytest.raises(ValueError, match="a header of 17000000 bytes"):
        open_safetensors(write(b"{" + b" " * 17_000_000, length=17_000_000))
    (tmp_path / "short.safetensors").write_bytes(b"\x02\0\0")
    with pytest.raises(ValueError, match="a header of .* in a file of 3"):
        open_safetensors(tmp_path / "short.safetensors")


def test_truncated_while_open(write):
    path = write({"a": entry(0, 4)}, b"\0" * 4)
    stored = open_safetensors(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="must not change while it is open"):
        stored["a"].load()


def test_no_file_and_pointers_to_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="must exist. Received: '.*no.safetensors'"):
        open_safetensors(tmp_path / "no.safetensors")
    path = tmp_path / "model.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 47\n")
    with pytest.raises(ValueError, match="a pointer of Git LFS. Run `git lfs pull`"):
        open_safetensors(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="an empty file"):
        open_safetensors(path)


def test_writing_another_shape(tmp_path):
    tensors = {"a": (TensorSpec((2,), "float32"), lambda: np.zeros(3))}
    with pytest.raises(ValueError, match=r"must have the shape float32 \[2\]. Received: \(3,\)"):
        write_safetensors(tmp_path / "x.safetensors", tensors, {})
