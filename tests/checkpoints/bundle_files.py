"""Writes the index of a TensorFlow checkpoint by hand, also one that TensorFlow never would."""

import struct

from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto, BundleHeaderProto

from albert_tf.checkpoints.files.bundle_index import masked_crc32c


def varint(number):
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def block(rows):
    data = b"".join(
        varint(0) + varint(len(key)) + varint(len(value)) + key + value for key, value in rows
    )
    data += struct.pack("<II", 0, 1) + b"\0"
    return data + struct.pack("<I", masked_crc32c(data))


def write_index(path, rows, num_shards=1):
    """Writes an index.

    Args:
      path: Path of the file.
      rows: [(name, BundleEntryProto)], in the order of the names.
      num_shards: Number of data files.
    """
    header = BundleHeaderProto(num_shards=num_shards).SerializeToString()
    rows = [(b"", header), *((name.encode(), entry.SerializeToString()) for name, entry in rows)]
    content, handles = b"", []
    for part in (block(rows), block([])):
        handles.append(varint(len(content)) + varint(len(part) - 5))
        content += part
    handles.append(varint(len(content)))
    index = block([(rows[-1][0], handles[0])])
    handles[2] += varint(len(index) - 5)
    footer = (handles[1] + handles[2]).ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    path.write_bytes(content + index + footer)


def entry(shape, dtype=1, size=None, **fields):
    """A `BundleEntryProto`; `size` is what float32 numbers need by default."""
    proto = BundleEntryProto(dtype=dtype, **fields)
    needed = 4
    for axis in shape:
        proto.shape.dim.add().size = axis
        needed *= axis
    proto.size = needed if size is None else size
    return proto
