"""Files from outside, invented by hypothesis: each is read as it is, or refused in one line."""

import io
import json
import pickle
import pickletools
import struct
import tarfile
import zipfile

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from albert_tf.checkpoints.files import archives
from albert_tf.checkpoints.files.archives import unpack
from albert_tf.checkpoints.files.bundle import open_bundle
from albert_tf.checkpoints.files.plain_pickle import read_plain_pickle
from albert_tf.checkpoints.files.safetensors_file import open_safetensors
from albert_tf.checkpoints.files.torch_file import open_torch_file
from albert_tf.checkpoints.names.flavors import rules
from albert_tf.config import AlbertConfig
from tests.checkpoints.bundle_files import entry, write_index
from tests.conftest import GOLDENS

TINY = json.loads((GOLDENS / "hugging_face" / "model" / "config.json").read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


def refused(error):
    """Whether a refusal is one line that fits on a screen."""
    return len(str(error)) < 1500 and "\n" not in str(error)


# === Archives ===

PARTS = ["..", "", ".", "a", "b", "C:", "\\", "..\\", "~", "é", "a" * 300, " ", "-"]
NAMES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=6).map("/".join)
KINDS = st.sampled_from([tarfile.REGTYPE] * 4 + [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])


@pytest.mark.filterwarnings("ignore:Duplicate name")
@hypothesis.given(st.lists(st.tuples(NAMES, KINDS), max_size=5), st.booleans(), st.booleans())
def test_archives_write_inside_only(folder, members, as_zip, absolute):
    outside, inside = folder / "outside", folder / "outside" / "deep" / "inside"
    inside.mkdir(parents=True, exist_ok=True)
    path = folder / ("x.zip" if as_zip else "x.tar")
    members = [(f"/{inside.parent}/{name}" if absolute else name, kind) for name, kind in members]
    if as_zip:
        with zipfile.ZipFile(path, "w") as archive:
            for name, kind in members:
                info = zipfile.ZipInfo(name)
                info.external_attr = (0o120777 if kind == tarfile.SYMTYPE else 0o100644) << 16
                archive.writestr(info, "x")
    else:
        with tarfile.open(path, "w") as archive:
            for name, kind in members:
                info = tarfile.TarInfo(name)
                info.type, info.linkname, info.size = kind, "..", int(kind == tarfile.REGTYPE)
                archive.addfile(info, io.BytesIO(b"x"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archives.tempfile, "tempdir", str(inside))
        try:
            unpack(path)
        except ValueError as error:
            assert refused(error)
    written = [file for file in outside.rglob("*") if file != inside and file != inside.parent]
    assert all(file.is_relative_to(inside) for file in written)
    assert not any(file.is_symlink() for file in written)
    forget()


def forget():
    """Removes what was unpacked: at the end of the program would be late."""
    for directory in archives._DIRECTORIES.values():
        directory.cleanup()
    archives._DIRECTORIES.clear()


def small_archive(kind):
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("m/a", b"first" * 50)
            archive.writestr("m/b", b"second" * 50)
    else:
        with tarfile.open(fileobj=file, mode=f"w:{kind}") as archive:
            for name, content in (("m/a", b"first" * 50), ("m/b", b"second" * 50)):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def flips(content, count):
    return st.lists(st.integers(0, 8 * len(content) - 1), min_size=1, max_size=count, unique=True)


def flipped(content, bits):
    content = bytearray(content)
    for bit in bits:
        content[bit // 8] ^= 1 << bit % 8
    return bytes(content)


@pytest.mark.parametrize("kind", ["zip", "gz", "xz"])
def test_archives_with_flipped_bits(folder, kind):
    good, path = small_archive(kind), folder / ("x.zip" if kind == "zip" else f"x.tar.{kind}")

    @hypothesis.settings(max_examples=100)
    @hypothesis.given(flips(good, 3))
    def check(bits):
        path.write_bytes(flipped(good, bits))
        try:
            contents = [file.read_bytes() for file in unpack(path).rglob("*") if file.is_file()]
            assert sorted(contents) == [b"first" * 50, b"second" * 50]
        except ValueError as error:
            assert refused(error)
        finally:
            forget()

    check()


# === Pickles ===

OPCODES = (
    "NONE NEWTRUE EMPTY_DICT EMPTY_LIST EMPTY_TUPLE MARK TUPLE TUPLE1 TUPLE2 TUPLE3 APPEND APPENDS "
    "SETITEM SETITEMS REDUCE BUILD STACK_GLOBAL BINPERSID MEMOIZE STOP POP DUP NEWOBJ"
).split()
CODES = {opcode.name: opcode.code.encode("latin-1") for opcode in pickletools.opcodes}
STEPS = st.one_of(
    st.sampled_from([CODES[name] for name in OPCODES]),
    st.integers(0, 5).map(lambda i: CODES["BINPUT"] + bytes([i])),
    st.integers(0, 5).map(lambda i: CODES["BINGET"] + bytes([i])),
    st.integers(0, 255).map(lambda i: CODES["BININT1"] + bytes([i])),
    st.integers(-(2**60), 2**60).map(lambda i: pickle.dumps(i, 2)[2:-1]),
    st.sampled_from(["storage", "0", "cpu", "w"]).map(
        lambda text: CODES["BINUNICODE"] + struct.pack("<I", len(text)) + text.encode()
    ),
    st.sampled_from(
        ["torch\nFloatStorage", "torch._utils\n_rebuild_tensor_v2", "collections\nOrderedDict"]
    ).map(lambda name: CODES["GLOBAL"] + name.encode() + b"\n"),
)


@hypothesis.settings(max_examples=300)
@hypothesis.given(st.lists(STEPS, max_size=30))
def test_pickles_of_any_instructions(folder, steps):
    program = b"\x80\x02" + b"".join(steps) + b"."
    try:
        read_plain_pickle(io.BytesIO(program), [], {"collections OrderedDict": dict})
    except ValueError as error:
        assert refused(error)
    path = folder / "pytorch_model.bin"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", program)
        archive.writestr("archive/data/0", bytes(16))
    try:
        for tensor in open_torch_file(path).values():
            assert tensor.load().shape == tensor.spec.shape
    except ValueError as error:
        assert refused(error)


BIN = (GOLDENS / "hugging_face" / "bin" / "pytorch_model.bin").read_bytes()


@hypothesis.given(flips(BIN, 2))
def test_torch_files_with_flipped_bits(folder, bits):
    path = folder / "flipped.bin"
    path.write_bytes(flipped(BIN, bits))
    try:
        tensors = {name: tensor.load() for name, tensor in open_torch_file(path).items()}
    except ValueError as error:
        assert refused(error)
    else:
        good = open_torch_file(GOLDENS / "hugging_face" / "bin" / "pytorch_model.bin")
        assert tensors.keys() == good.keys()
        for name, values in tensors.items():
            np.testing.assert_array_equal(values, good[name].load())


# === Headers and indices ===

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([10**9, -1, 10**400, 2**31, 1e39, "gelu", "F32"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@hypothesis.given(
    st.dictionaries(
        st.sampled_from(["a", "b", "__metadata__"]),
        JSON | st.fixed_dictionaries({"dtype": JSON, "shape": JSON, "data_offsets": JSON}),
    ),
    st.binary(max_size=16),
)
def test_safetensors_of_any_header(folder, header, body):
    encoded = json.dumps(header).encode()
    path = folder / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + body)
    try:
        for tensor in open_safetensors(path).values():
            assert tensor.load().shape == tensor.spec.shape
    except ValueError as error:
        assert refused(error)


SIZES = st.integers(-2, 4) | st.sampled_from([2**31, 2**40, 2**62, -(2**63)])
ENTRIES = st.builds(
    entry,
    st.lists(SIZES, max_size=4),
    dtype=st.integers(-1, 30) | st.sampled_from([101, 2**30]),
    size=st.integers(-1, 70) | st.none().map(lambda _: 0),
    offset=st.integers(-1, 9),
    shard_id=st.integers(-1, 2),
)


@hypothesis.given(st.dictionaries(st.sampled_from("abcd"), ENTRIES, max_size=3))
def test_indices_of_any_entries(folder, entries):
    (folder / "x.data-00000-of-00001").write_bytes(bytes(64))
    write_index(folder / "x.index", sorted(entries.items()))
    try:
        tensors, get = open_bundle(folder / "x")
    except ValueError as error:
        assert refused(error)
        return
    for name, spec in tensors.items():
        try:
            assert get(name).shape == spec.shape
        except ValueError as error:
            assert "Every variable of a checkpoint must be readable" in str(error)


INDEX = (GOLDENS / "tiny" / "model.ckpt-best.index").read_bytes()
DATA = (GOLDENS / "tiny" / "model.ckpt-best.data-00000-of-00001").read_bytes()


@hypothesis.given(flips(INDEX, 2), flips(DATA, 2), st.booleans())
def test_tf1_checkpoints_with_flipped_bits(folder, index_bits, data_bits, in_index):
    (folder / "y.index").write_bytes(flipped(INDEX, index_bits) if in_index else INDEX)
    data = DATA if in_index else flipped(DATA, data_bits)
    (folder / "y.data-00000-of-00001").write_bytes(data)
    good_tensors, good = open_bundle(GOLDENS / "tiny" / "model.ckpt-best")
    try:
        tensors, get = open_bundle(folder / "y")
        assert tensors == good_tensors
        for name in tensors:
            np.testing.assert_array_equal(get(name), good(name))
    except ValueError as error:
        assert refused(error)


# === Configurations ===

KEYS = [*AlbertConfig(vocab_size=1).to_dict(), "model_type", "architectures", "layer_norm_eps"]
KEYS += ["position_embedding_type", "pruned_heads", "adapters", "auto_map", "layers_to_keep"]


@hypothesis.settings(max_examples=150)
@hypothesis.given(st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=30), JSON, max_size=3))
def test_configurations_of_any_values(changes):
    for values in ({"vocab_size": 10, **changes}, {**TINY, **changes}):
        try:
            config = AlbertConfig.from_dict(values)
        except ValueError as error:
            assert refused(error)
        else:
            assert AlbertConfig.from_dict(config.to_dict()) == config
            assert len(rules(config, "tf1")) <= 16 * 1024 + 20


@hypothesis.given(st.text(max_size=200) | st.binary(max_size=200))
def test_configuration_files_of_any_content(folder, content):
    path = folder / "config.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        AlbertConfig.from_json_file(path)
    except ValueError as error:
        assert str(path) in str(error) or isinstance(json.loads(path.read_bytes()), dict)
