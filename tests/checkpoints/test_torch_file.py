import collections
import io
import os
import pathlib
import pickle
import struct
import zipfile

import numpy as np
import pytest

from albert_tf.checkpoints.checkpoint import TensorSpec
from albert_tf.checkpoints.files.safetensors_file import open_safetensors
from albert_tf.checkpoints.files.torch_file import open_torch_file

HUGGING_FACE = pathlib.Path(__file__).parents[1] / "goldens" / "hugging_face"


# === What torch.save writes, without torch: pickled by name ===


class Global:
    """Pickled as a mere name."""

    def __init__(self, name):
        self.name = name


class Call:
    """Pickled as a call of a name."""

    def __init__(self, name, *arguments):
        self.name, self.arguments = name, arguments


class Storage:
    def __init__(self, kind="FloatStorage", key="0", length=4):
        self.persistent = "storage", Global(f"torch {kind}"), key, "cpu", length


class Pickler(pickle._Pickler):
    """Python's own in Python, so that names need not exist."""

    def persistent_id(self, value):
        return value.persistent if isinstance(value, Storage) else None

    def save(self, value, *arguments, **keywords):
        if isinstance(value, Global):
            module, name = value.name.split(" ")
            self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        elif isinstance(value, Call):
            self.save(Global(value.name))
            self.save(value.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(value, *arguments, **keywords)


def dumps(value):
    file = io.BytesIO()
    Pickler(file, 2).dump(value)
    return file.getvalue()


def tensor(storage=None, offset=0, shape=(4,), strides=(1,)):
    hooks = Call("collections OrderedDict")
    return Call(
        "torch._utils _rebuild_tensor_v2",
        storage or Storage(),
        offset,
        shape,
        strides,
        False,
        hooks,
    )


NUMBERS = np.arange(4, dtype=np.float32)


@pytest.fixture
def write(tmp_path):
    """Function (state dict) that writes a file as torch.save does."""

    def write_file(state, data=None, members=None, compression=zipfile.ZIP_STORED):
        path = tmp_path / "pytorch_model.bin"
        with zipfile.ZipFile(path, "w", compression) as archive:
            archive.writestr("archive/data.pkl", state if type(state) is bytes else dumps(state))
            data = {"0": NUMBERS.tobytes()} if data is None else data
            for key, content in data.items():
                archive.writestr(f"archive/data/{key}", content)
            for name, content in (members or {}).items():
                archive.writestr(name, content)
        return path

    return write_file


# === Files of PyTorch itself ===


@pytest.mark.parametrize("name", ["bin", "bin_legacy"])
def test_equal_to_safetensors(name):
    stored = open_torch_file(HUGGING_FACE / name / "pytorch_model.bin")
    expected = open_safetensors(HUGGING_FACE / "pretraining" / "model.safetensors")
    assert set(stored) - set(expected) == {
        "albert.embeddings.position_ids",
        "predictions.decoder.weight",
        "predictions.decoder.bias",
    }
    for key in expected:
        assert stored[key].spec == expected[key].spec
        np.testing.assert_array_equal(stored[key].load(), expected[key].load())
    assert stored["albert.embeddings.position_ids"].spec == TensorSpec((1, 40), "int64")
    np.testing.assert_array_equal(
        stored["predictions.decoder.weight"].load(),
        expected["albert.embeddings.word_embeddings.weight"].load(),
    )


# === What a state dict may contain ===


def test_views_parameters_and_empty_tensors(write):
    state = {
        "transposed": tensor(shape=(2, 2), strides=(1, 2)),
        "last": tensor(offset=3, shape=(1,)),
        "none": tensor(offset=4, shape=(0, 7), strides=(7, 1)),
        "scalar": tensor(offset=1, shape=(), strides=()),
        "parameter": Call(
            "torch._utils _rebuild_parameter", tensor(), True, Call("collections OrderedDict")
        ),
    }
    loaded = {name: stored.load() for name, stored in open_torch_file(write(state)).items()}
    np.testing.assert_array_equal(loaded["transposed"], [[0, 2], [1, 3]])
    np.testing.assert_array_equal(loaded["last"], [3])
    assert loaded["none"].shape == (0, 7)
    assert loaded["scalar"] == 1
    np.testing.assert_array_equal(loaded["parameter"], NUMBERS)


@pytest.mark.parametrize(
    "state, message",
    [
        ([tensor()], "a list that is no dict of tensors by name"),
        ({1: tensor()}, "a dict that is no dict of tensors by name"),
        ({"a": 1}, "'a', a int and no tensor"),
        ({"a": {"b": tensor()}}, "'a', a dict and no tensor"),
        ({"a": tensor(Storage(key="1"))}, "'a', whose data '1' is not there"),
        ({"a": tensor(Storage(key="../../0"))}, "whose data '../../0' is not there"),
        ({"a": tensor(Storage(length=5))}, "'a': 16 bytes of data, 20 stated"),
        ({"a": tensor(Storage("DoubleStorage"))}, "'a': 16 bytes of data, 32 stated"),
        ({"a": tensor(Storage("QUInt8Storage"))}, "it names 'torch QUInt8Storage'"),
        ({"a": tensor(shape=(5,))}, r"a tensor of shape \(5,\) in data of length 4"),
        ({"a": tensor(offset=1)}, r"a tensor of shape \(4,\) in data of length 4"),
        ({"a": tensor(strides=(2,))}, r"a tensor of shape \(4,\) in data of length 4"),
        ({"a": tensor(offset=-1)}, "a tensor of shape"),
        ({"a": tensor(strides=(-1,))}, "a tensor of shape"),
        ({"a": tensor(shape=(10**9,), strides=(0,))}, "a tensor of shape"),
        ({"a": tensor(shape=(2, 2))}, "it cannot be read"),
        ({"a": tensor(shape=("4",))}, "a tensor of shape"),
        ({"a": tensor("no storage")}, "a tensor without data"),
    ],
)
def test_other_content(write, state, message):
    with pytest.raises(ValueError, match=message):
        open_torch_file(write(state))


def test_code_is_not_executed(write, tmp_path):
    class Malicious:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'executed'}",)

    for state in ({"a": Malicious()}, collections.OrderedDict(a=Malicious())):
        with pytest.raises(ValueError, match=r"without executing .* it names '\w+ system'"):
            open_torch_file(write(pickle.dumps(state)))
    # Each by its own trick: eval, a method of an object, a whole model as torch.save(model).
    for state in (
        {"a": Call("builtins eval", "1")},
        {"a": Call("torch.hub load", "x")},
        {"a": Call("transformers.models.albert.modeling_albert AlbertModel")},
        {"a": Call("collections namedtuple", "a", "b")},
    ):
        with pytest.raises(ValueError, match="it names"):
            open_torch_file(write(state))
    assert not (tmp_path / "executed").exists()


# === Archives ===


def test_a_zip_bomb(write):
    state = {"a": tensor(Storage(length=10**8), shape=(10**8,))}
    path = write(state, {"0": b"\0" * 4 * 10**8}, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 10**6
    with pytest.raises(ValueError, match="the compressed member 'archive/data.pkl'; PyTorch"):
        open_torch_file(path)


def test_bad_archives(write, tmp_path):
    with pytest.raises(ValueError, match="numbers that are not little-endian"):
        open_torch_file(write({"a": tensor()}, members={"archive/byteorder": "big"}))
    with pytest.raises(ValueError, match=r"2 members \*/data.pkl instead of one"):
        open_torch_file(write({"a": tensor()}, members={"b/data.pkl": ""}))
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="two members of one name"):
        open_torch_file(write({"a": tensor()}, members={"archive/data/0": "other"}))
    path = write({"a": tensor()})
    content = path.read_bytes()
    for end in (5, 60, len(content) - 30):
        path.write_bytes(content[:end])
        with pytest.raises(ValueError, match="an archive that cannot be opened"):
            open_torch_file(path)
    # The directory at the end points into the middle of something.
    header = content.rindex(b"PK\x01\x02")
    broken = content[: header + 42] + struct.pack("<I", 1) + content[header + 46 :]
    path.write_bytes(broken)
    with pytest.raises(ValueError, match="no member where 'archive/data/0' should be"):
        open_torch_file(path)


def test_members_elsewhere_are_not_touched(write, tmp_path):
    path = write({"a": tensor()}, members={"../outside": "x", "/tmp/outside": "x"})
    np.testing.assert_array_equal(open_torch_file(path)["a"].load(), NUMBERS)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["pytorch_model.bin"]


# === The format before PyTorch 1.6 ===


def test_bad_legacy_files(tmp_path):
    path = tmp_path / "pytorch_model.bin"
    content = (HUGGING_FACE / "bin_legacy" / "pytorch_model.bin").read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(ValueError, match=f"bytes of data at .* of {len(content) - 1}"):
        open_torch_file(path)
    path.write_bytes(content[:10_000])
    with pytest.raises(ValueError, match="it cannot be read"):
        open_torch_file(path)
    path.write_bytes(b"".join(pickle.dumps(value, 2) for value in (1, 1001, {}, {}, [])))
    with pytest.raises(ValueError, match="something else than torch.save writes"):
        open_torch_file(path)
    path.write_bytes(b"no pickle at all")
    with pytest.raises(ValueError, match="A PyTorch file must be a state dict"):
        open_torch_file(path)


# === Files that are made to harm ===

STORAGE = (
    b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
)
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n("
DOUBLED = b")q\x00" + b"".join(
    b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86q" + bytes([i + 1]) for i in range(40)
)
MILLION_SIZES = b"(\x8a\x08" + struct.pack("<q", 2**62) + b"q\x07" + b"h\x07" * 200_000 + b"t"
DEEP = b")" + b"\x85" * 200_000
HOSTILE = {
    "a shape that doubles in its repr": b"\x80\x02]("
    + DOUBLED
    + b"e"
    + REBUILD
    + STORAGE
    + b"K\x00h\x28h\x28tR.",
    "hundreds of thousands of dimensions": b"\x80\x02"
    + REBUILD
    + STORAGE
    + b"K\x00"
    + MILLION_SIZES
    + b"q\x08h\x08tR.",
    "a nested key of a call": b"\x80\x02ccollections\nOrderedDict\n]](" + DEEP + b"K\x01ea\x85R.",
    "a nested key of a dict": b"\x80\x02}" + DEEP + b"K\x01s.",
    "a nested name of data": b"\x80\x02(X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
    + DEEP
    + b"X\x03\x00\x00\x00cpuK\x04tQ.",
    "a million steps": b"\x80\x02" + b"]" * 1_000_000 + b".",
    "one long list, again and again": b"\x80\x02]("
    + b"N" * 100_000
    + b"eq\x00"
    + b"ccollections\nOrderedDict\nh\x00\x85R" * 1000
    + b".",
    "a long name": b"\x80\x02c" + b"x" * 3_000_000 + b"\ny\n.",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("kind", ["pickle", "zip", "legacy keys"])
def test_hostile_pickles(tmp_path, content, kind):
    path = tmp_path / "pytorch_model.bin"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", content)
    elif kind == "legacy keys":
        start = [dumps(v) for v in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, {})]
        path.write_bytes(b"".join(start) + content)
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="A PyTorch file must be") as error:
        open_torch_file(path)
    assert len(str(error.value)) < 1000


def test_legacy_keys_that_are_nested(tmp_path):
    start = [dumps(v) for v in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, {})]
    (tmp_path / "x.bin").write_bytes(b"".join(start) + b"\x80\x02](" + DEEP + b"e.")
    with pytest.raises(ValueError, match="data that belongs to no tensor"):
        open_torch_file(tmp_path / "x.bin")


def test_flipped_bits_of_the_numbers(tmp_path):
    good = (HUGGING_FACE / "bin" / "pytorch_model.bin").read_bytes()
    values = {
        n: t.load().copy()
        for n, t in open_torch_file(HUGGING_FACE / "bin" / "pytorch_model.bin").items()
    }
    refused, path = 0, tmp_path / "pytorch_model.bin"
    for place in range(5000, len(good), 997):
        bad = bytearray(good)
        bad[place] ^= 4
        path.write_bytes(bad)
        try:
            for name, tensor in open_torch_file(path).items():
                np.testing.assert_array_equal(tensor.load(), values[name])
        except ValueError:
            refused += 1
    assert refused > 20
