"""Files of `torch.save` with a state dict, read without PyTorch and without executing them.

Both formats that PyTorch has had: an uncompressed zip archive since 1.6, a row of pickles before.

Reference: torch/serialization.py, `_save` and `_legacy_save`.
"""

import collections
import dataclasses
import io
import math
import pathlib
import re
import struct
import zipfile

import numpy as np

from albert_tf.checkpoints.checkpoint import StoredTensor, TensorSpec
from albert_tf.checkpoints.files.mapped_file import check_is_content, map_array, numpy_dtype
from albert_tf.checkpoints.files.plain_pickle import Name, read_plain_pickle
from albert_tf.checkpoints.files.zip_file import ERRORS, BoundedFile, chunks, crc32_of
from albert_tf.messages import brief

# A state dict's pickle has the names and shapes only: a few kilobytes for an ALBERT.
_MOST_PICKLE_BYTES = 16_000_000
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_VERSION = 1001
_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
_STORAGE_NAMES = {
    f"{module} {name}": dtype
    for module in ("torch", "torch.cuda")
    for name, dtype in _STORAGES.items()
}


@dataclasses.dataclass(frozen=True)
class _Storage:
    """A run of numbers in the file that tensors are views of."""

    key: str
    dtype: str
    length: int

    @property
    def num_bytes(self):
        return self.length * numpy_dtype(self.dtype).itemsize


@dataclasses.dataclass(frozen=True)
class _Span:
    """Where a storage's numbers are in the file, and their checksum if the format has one."""

    offset: int
    num_bytes: int
    crc: int | None = None


@dataclasses.dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple
    strides: tuple


def open_torch_file(path):
    """Reads the names and shapes of a state dict; no tensor is read yet.

    Args:
      path: Path of a file such as pytorch_model.bin.

    Returns:
      {name: StoredTensor}, in the order of the file.

    Raises:
      FileNotFoundError: There is no such file.
      ValueError: It is damaged or truncated, holds anything but tensors by name, or would execute
        code if Python's `pickle` read it.

    Example:

    >>> import pathlib, pickle, tempfile
    >>> from albert_tf.checkpoints.files.torch_file import open_torch_file
    >>> path = pathlib.Path(tempfile.mkdtemp(), "pytorch_model.bin")
    >>> _ = path.write_bytes(pickle.dumps({"encoder": print}))
    >>> open_torch_file(path)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: A PyTorch file must be a state dict, ... it names 'builtins print'. ...
    """
    path = pathlib.Path(path)
    check_is_content(path)
    with path.open("rb") as file:
        is_zip = file.read(4) == b"PK\x03\x04"
    state, spans = (_open_zip if is_zip else _open_legacy)(path)
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise _damaged(path, f"a {type(state).__name__} that is no dict of tensors by name")
    tensors, checked = {}, set()
    for name, tensor in state.items():
        what, key = brief(name), getattr(getattr(tensor, "storage", None), "key", None)
        if not isinstance(tensor, _Tensor):
            raise _damaged(path, f"{what}, a {type(tensor).__name__} and no tensor")
        if key not in spans:
            raise _damaged(path, f"{what}, whose data {brief(key)} is not there")
        span = spans[key]
        if span.num_bytes != tensor.storage.num_bytes:
            raise _damaged(
                path, f"{what}: {span.num_bytes} bytes of data, {tensor.storage.num_bytes} stated"
            )
        tensors[name] = StoredTensor(
            TensorSpec(tensor.shape, tensor.storage.dtype),
            _loader(path, name, tensor, span, checked),
        )
    return tensors


def _loader(path, name, tensor, span, checked):
    def load():
        if span.crc is not None and span not in checked:
            if crc32_of(path, span.offset, span.num_bytes) != span.crc:
                raise _damaged(path, f"{brief(name)}, whose data have another checksum")
            checked.add(span)
        values = map_array(path, tensor.storage.dtype, (tensor.storage.length,), span.offset)
        strides = tuple(stride * values.itemsize for stride in tensor.strides)
        return np.lib.stride_tricks.as_strided(
            values[tensor.offset :], tensor.shape, strides, writeable=False
        )

    return load


# === What the pickles may contain ===


def _read_pickle(path, file):
    functions = {
        "collections OrderedDict": _ordered_dict,
        "torch._utils _rebuild_tensor_v2": _rebuild_tensor,
        "torch._utils _rebuild_parameter": lambda tensor, *_: tensor,
    }
    try:
        return read_plain_pickle(file, _STORAGE_NAMES, functions, _storage)
    except ValueError as error:
        raise ValueError(
            "A PyTorch file must be a state dict, tensors by name and nothing else: it is read "
            f"without executing what a pickle asks for. Received: {str(path)!r}: {error}. Save it "
            "again with torch.save(model.state_dict(), path), or as model.safetensors."
        ) from None


def _ordered_dict(items=()):
    """Python 3 makes an empty one and adds the items; Python 2 hands them over in a list."""
    # Python would crash over the hash of a tuple in a tuple in a tuple, a million times.
    if not all(isinstance(item, (list, tuple)) and isinstance(item[0], str) for item in items):
        raise ValueError("a dict with keys that are no text")
    return collections.OrderedDict(items)


def _storage(persistent_id):
    kind, name, key, _, length, *view = persistent_id
    if kind != "storage" or not isinstance(name, Name) or any(part is not None for part in view):
        raise ValueError("data that is no plain storage")
    if not isinstance(key, str) or not _are_sizes([length]):
        raise ValueError(f"data {brief(key)} of length {brief(length)}")
    return _Storage(key, _STORAGE_NAMES[name.name], length)


def _rebuild_tensor(storage, offset, shape, strides, *_):
    """What the file calls to make a tensor; refuses views that reach outside of their storage."""
    if not isinstance(storage, _Storage):
        raise TypeError("a tensor without data")
    if not (_are_sizes(shape) and _are_sizes(strides) and _are_sizes([offset])):
        raise ValueError(f"a tensor of shape {brief(shape)}, strides {brief(strides)}")
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    size = math.prod(shape)
    # Strides of zero repeat numbers: a few bytes could claim to be any size.
    if size > storage.length or (size and last >= storage.length):
        raise ValueError(f"a tensor of shape {shape} in data of length {storage.length}")
    return _Tensor(storage, offset if size else 0, tuple(shape), tuple(strides))


def _are_sizes(values):
    # NumPy's arrays have no more dimensions; the product of a million numbers takes minutes.
    return (
        isinstance(values, (tuple, list))
        and len(values) <= 32
        and all(type(value) is int and 0 <= value < 2**63 for value in values)
    )


# === The two formats ===


def _open_zip(path):
    """Returns (state dict, {storage key: _Span})."""
    try:
        with BoundedFile(path) as file, zipfile.ZipFile(file) as archive:
            members = {member.filename: member for member in archive.infolist()}
            if len(members) != len(archive.infolist()):
                raise _damaged(path, "two members of one name")
            pickles = [name for name in members if re.fullmatch(r"[^/]+/data\.pkl", name)]
            if len(pickles) != 1:
                raise _damaged(path, f"{len(pickles)} members */data.pkl instead of one")
            prefix = pickles[0].removesuffix("data.pkl")
            spans = {
                name: _member_span(path, file, member)
                for name, member in members.items()
                if name.startswith(prefix)
            }
            if spans[pickles[0]].num_bytes > _MOST_PICKLE_BYTES:
                raise _damaged(path, f"a pickle of {spans[pickles[0]].num_bytes} bytes")
            byteorder = f"{prefix}byteorder"
            if byteorder in spans and b"".join(chunks(archive, byteorder)) != b"little":
                raise _damaged(path, "numbers that are not little-endian")
            pickle = b"".join(chunks(archive, pickles[0]))
    except _Damaged:
        raise
    except ERRORS as error:
        raise _damaged(path, f"an archive that cannot be opened ({error})") from error
    state = _read_pickle(path, io.BytesIO(pickle))
    data = f"{prefix}data/"
    return state, {
        name.removeprefix(data): span for name, span in spans.items() if name.startswith(data)
    }


def _member_span(path, file, member):
    """The `_Span` of a member's content, which must lie in the file as it is."""
    if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
        what = f"the compressed member {brief(member.filename)}; PyTorch compresses none"
        raise _damaged(path, what)
    header = _slice(file, member.header_offset, 30)
    if header[:4] != b"PK\x03\x04":
        raise _damaged(path, f"no member where {brief(member.filename)} should be")
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    offset = member.header_offset + 30 + name_length + extra_length
    if offset + member.file_size > path.stat().st_size:
        raise _damaged(path, f"{brief(member.filename)} reaching beyond the end of the file")
    return _Span(offset, member.file_size, member.CRC)


def _slice(file, offset, length):
    file.seek(offset)
    return file.read(length)


def _open_legacy(path):
    """Returns (state dict, {storage key: _Span}). The format has no checksums."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = io.BytesIO(file.read(_MOST_PICKLE_BYTES))
        magic, version, system, state, keys = (_read_pickle(path, start) for _ in range(5))
        if magic != _LEGACY_MAGIC or version != _LEGACY_VERSION:
            raise _damaged(path, "something else than torch.save writes")
        if not isinstance(system, dict) or system.get("little_endian") is not True:
            raise _damaged(path, "numbers that are not little-endian")
        storages = _storages(state)
        known = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
        if not known or not all(key in storages for key in keys):
            raise _damaged(path, "data that belongs to no tensor")
        position, spans = start.tell(), {}
        for key in keys:
            length = struct.unpack("<q", _slice(file, position, 8).ljust(8, b"\xff"))[0]
            num_bytes = storages[key].num_bytes
            position += 8
            if length != storages[key].length or position + num_bytes > size:
                raise _damaged(path, f"{num_bytes} bytes of data at {position} of {size}")
            spans[key] = _Span(position, num_bytes)
            position += num_bytes
    return state, spans


def _storages(state):
    values = state.values() if isinstance(state, dict) else ()
    return {tensor.storage.key: tensor.storage for tensor in values if isinstance(tensor, _Tensor)}


class _Damaged(ValueError):
    pass


def _damaged(path, what):
    return _Damaged(
        f"A PyTorch file must be complete and hold a state dict. Received: {str(path)!r} with "
        f"{what}. Download it again, and compare its size with the source's."
    )
