"""The index of TensorFlow's checkpoint files, read and checked without TensorFlow.

TensorFlow does not compare the index's checksums, and ends the whole process over a shape that is
none. The file is a sorted table of names and `BundleEntryProto`, in blocks with a checksum each.

Reference: tensorflow/core/util/tensor_bundle and tensorflow/core/lib/io/format.cc.
"""

import dataclasses
import math
import struct

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto, BundleHeaderProto

from albert_tf.messages import brief

# An ALBERT's index has some kilobytes. Names share their beginnings, so they can unfold to more.
_MOST_BYTES = 16 << 20
_MOST_NAME_BYTES = 64 << 20
_FOOTER_BYTES = 48
_MAGIC = 0xDB4775248B80FB57
_MOST_AXES = 254
_LAST_DTYPE = 100  # Further ones are TensorFlow 1's references, which are never stored.
_UNSIZED = ("string", "variant", "resource")


class DamagedIndex(ValueError):
    """What is wrong with an index."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A tensor of an index.

    Attributes:
      shape: tuple.
      dtype: Its name, such as "float32".
      shard: Number of its data file.
      end: Where its bytes end in that file.
      num_bytes: What its values need at least.
    """

    shape: tuple
    dtype: str
    shard: int
    end: int
    num_bytes: int


def read_index(path):
    """The tensors that an index lists.

    Args:
      path: pathlib.Path of a file such as model.ckpt-best.index.

    Returns:
      ({name: Entry}, number of data files)

    Raises:
      DamagedIndex: A checksum is another, or what is there cannot be.
    """
    size = path.stat().st_size
    if not _FOOTER_BYTES <= size <= _MOST_BYTES:
        raise DamagedIndex(f"{size} bytes are no index of an ALBERT")
    content = path.read_bytes()
    try:
        rows = dict(_rows(content))
        header = BundleHeaderProto.FromString(rows.pop(b"", b""))
        # The names of data files have five digits for it.
        if header.endianness != BundleHeaderProto.LITTLE or not 0 < header.num_shards < 100_000:
            raise DamagedIndex("it does not begin as a little-endian checkpoint does")
        # What begins with a zero is a part of a tensor that is stored in parts.
        entries = {name: _entry(name, value, header.num_shards) for name, value in rows.items()}
        named = {n.decode(): entry for n, entry in entries.items() if not n.startswith(b"\0")}
    except (IndexError, struct.error, UnicodeDecodeError, DecodeError) as error:
        raise DamagedIndex(f"it cannot be decoded ({error})") from error
    return named, header.num_shards


def _entry(name, value, num_shards):
    proto = BundleEntryProto.FromString(value)
    shape = tuple(axis.size for axis in proto.shape.dim[: _MOST_AXES + 1])
    try:
        dtype = tf.as_dtype(proto.dtype)
    except TypeError:
        dtype = None
    if dtype is None or proto.dtype > _LAST_DTYPE:
        raise DamagedIndex(f"{brief(name)} is of no known dtype")
    possible = len(shape) <= _MOST_AXES and all(size >= 0 for size in shape)
    # TensorFlow multiplies the sizes before one that is zero.
    if proto.shape.unknown_rank or not possible or math.prod(s or 1 for s in shape) >= 2**63:
        raise DamagedIndex(f"{brief(name)} has the shape {brief(shape)}")
    if proto.offset < 0 or proto.size < 0 or not 0 <= proto.shard_id < num_shards:
        raise DamagedIndex(f"{brief(name)} is nowhere")
    # A text needs one byte at least, which says how long it is.
    needed = math.prod(shape) * (1 if dtype.name in _UNSIZED else dtype.size)
    if proto.slices:
        _check_slices(name, shape, proto.slices)
    elif needed > proto.size or (needed < proto.size and dtype.name not in _UNSIZED):
        raise DamagedIndex(
            f"{brief(name)} of {brief(shape)} needs {brief(needed)} bytes, not {proto.size}"
        )
    return Entry(shape, dtype.name, proto.shard_id, proto.offset + proto.size, needed)


def _check_slices(name, shape, slices):
    parts = set()
    for part in slices:
        parts.add(part.SerializeToString(deterministic=True))
        inside = len(part.extent) == len(shape) and all(
            0 <= extent.start and extent.start + max(0, extent.length) <= size
            for extent, size in zip(part.extent, shape)
        )
        if not inside:
            raise DamagedIndex(f"{brief(name)} has parts outside of its shape {brief(shape)}")
    if len(parts) < len(slices):
        raise DamagedIndex(f"{brief(name)} has a part twice")


def _rows(content):
    """Yields (name, value) of the whole table, which must be sorted."""
    (magic,) = struct.unpack("<Q", content[-8:])
    if magic != _MAGIC:
        raise DamagedIndex("it does not end as an index does")
    footer = content[-_FOOTER_BYTES:]
    metadata, place = _handle(footer, 0)
    index, _ = _handle(footer, place)
    if list(_block(content, *metadata)):
        raise DamagedIndex("it has metadata, which no checkpoint has")
    last, name_bytes = None, 0
    for _, handle in _block(content, *index):
        for name, value in _block(content, *_handle(handle, 0)[0]):
            name_bytes += len(name)
            if (last is not None and name <= last) or name_bytes > _MOST_NAME_BYTES:
                raise DamagedIndex("its names are not in order, or too many")
            yield name, value
            last = name


def _block(content, offset, size):
    """Yields (key, value) of a block. Keys share their beginning with the one before."""
    block, compression = content[offset : offset + size], content[offset + size]
    (stored,) = struct.unpack_from("<I", content, offset + size + 1)
    if compression:
        raise DamagedIndex("it is compressed, as TensorFlow has not written it since 1.2")
    if stored != masked_crc32c(content[offset : offset + size + 1]):
        raise DamagedIndex("the checksum of a block is not that of its content")
    (restarts,) = struct.unpack("<I", block[-4:])
    end, place, key = len(block) - 4 - 4 * restarts, 0, b""
    if end < 0:
        raise DamagedIndex("a block is shorter than it says")
    while place < end:
        shared, place = _varint(block, place)
        rest, place = _varint(block, place)
        length, place = _varint(block, place)
        if shared > len(key) or place + rest + length > end:
            raise DamagedIndex("a block is shorter than it says")
        key = key[:shared] + block[place : place + rest]
        place += rest
        yield key, block[place : place + length]
        place += length


def _handle(data, place):
    """((offset, size) of a block, where the next handle begins)"""
    offset, place = _varint(data, place)
    size, place = _varint(data, place)
    return (offset, size), place


def _varint(data, place):
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 127) << shift
        place += 1
        if byte < 128:
            return value, place
        shift += 7
        if shift > 63:
            raise DamagedIndex("a number is too long")


def masked_crc32c(data):
    """The checksum of TensorFlow's files: CRC-32C, masked since data may hold checksums itself."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 255] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _table():
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
        yield number


_TABLE = tuple(_table())
