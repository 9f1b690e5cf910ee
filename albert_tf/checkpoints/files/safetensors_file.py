"""Files of the format "safetensors": a JSON header, then the tensors' bytes.

Reading trusts nothing in the header and maps the tensors into memory. The package of the same name
is not used: its interface for numpy has no bfloat16.

Reference: github.com/huggingface/safetensors, section "Format".
"""

import itertools
import json
import math
import pathlib
import struct

import numpy as np

from albert_tf.atomic import new_file
from albert_tf.checkpoints.checkpoint import StoredTensor, TensorSpec
from albert_tf.checkpoints.files.mapped_file import check_is_content, map_array, numpy_dtype
from albert_tf.messages import brief

# An ALBERT's header has a few kilobytes. Parsed JSON takes many times its size in memory.
_MOST_HEADER_BYTES = 16_000_000
_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}
_DTYPE_NAMES = {name: code for code, name in _DTYPES.items()}


def open_safetensors(path):
    """Reads and checks a file's header; no tensor is read yet.

    Args:
      path: Path of a .safetensors file.

    Returns:
      {name: StoredTensor}, in the order of the file.

    Raises:
      FileNotFoundError: There is no such file.
      ValueError: It is truncated, or its header is damaged or malicious: tensors that overlap, lie
        outside the file or leave gaps, names that come twice, sizes that do not fit.

    Example:

    >>> from albert_tf import albert_tiny_en
    >>> from albert_tf.checkpoints.files.safetensors_file import open_safetensors
    >>> tensors = open_safetensors(albert_tiny_en.CHECKPOINT + "/model.safetensors")
    >>> tensors["albert.pooler.bias"].load().shape
    (192,)
    """
    path = pathlib.Path(path)
    check_is_content(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        length = struct.unpack("<Q", file.read(8).ljust(8, b"\xff"))[0]
        if length > min(size - 8, _MOST_HEADER_BYTES):
            raise _damaged(path, f"a header of {length} bytes in a file of {size}")
        header = file.read(length)
    entries = {name: _entry(path, name, entry) for name, entry in _parse(path, header).items()}

    end = 0
    for name, (_, _, (start, stop)) in sorted(entries.items(), key=lambda item: item[1][2]):
        if start != end:
            problem = "overlaps the one before" if start < end else "leaves a gap"
            raise _damaged(path, f"{brief(name)} at bytes {start} to {stop}, which {problem}")
        end = stop
    if 8 + length + end != size:
        raise _damaged(path, f"{end} bytes of tensors where the file has {size - 8 - length}")

    def stored(dtype, shape, start):
        return StoredTensor(
            TensorSpec(shape, dtype), lambda: map_array(path, dtype, shape, 8 + length + start)
        )

    return {name: stored(dtype, shape, span[0]) for name, (dtype, shape, span) in entries.items()}


def write_safetensors(path, tensors, metadata):
    """Writes a file, one tensor at a time; it gets its name when it is whole.

    Args:
      path: Path of the file.
      tensors: {name: (TensorSpec, function that returns its array)}.
      metadata: {str: str}. Hugging Face's loaders want {"format": "pt"}.
    """
    header, end = {"__metadata__": metadata}, 0
    for name, (spec, _) in tensors.items():
        start, end = end, end + math.prod(spec.shape) * numpy_dtype(spec.dtype).itemsize
        header[name] = {
            "dtype": _DTYPE_NAMES[spec.dtype],
            "shape": list(spec.shape),
            "data_offsets": [start, end],
        }
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)  # So that the tensors are aligned.
    with new_file(path) as partial, open(partial, "wb") as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded)
        for spec, array in tensors.values():
            values = np.asarray(array(), numpy_dtype(spec.dtype), order="C")
            if values.shape != spec.shape:
                raise ValueError(f"A tensor must have the shape {spec}. Received: {values.shape}.")
            file.write(values.reshape(-1).view(np.uint8).data)


def _parse(path, header):
    """The header's entries {name: dict}, without its metadata."""
    try:
        entries = json.loads(header.decode("utf-8"), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"a header that is no JSON ({str(error)[:200]})") from None
    if not isinstance(entries, dict) or not header.startswith(b"{"):
        raise _damaged(path, "a header that is no JSON object")
    metadata = entries.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _damaged(path, "metadata that is not text")
    return entries


def _without_duplicates(pairs):
    values = dict(pairs)
    if len(values) != len(pairs):
        names = sorted(name for name, _ in pairs)
        twice = next(a for a, b in itertools.pairwise(names) if a == b)
        raise ValueError(f"{brief(twice)} comes twice")
    return values


def _entry(path, name, entry):
    """A checked entry as (dtype, shape, (start, end))."""
    keys = {"dtype", "shape", "data_offsets"}
    if not isinstance(entry, dict) or set(entry) != keys:
        raise _damaged(path, f"{brief(name)} without exactly {', '.join(sorted(keys))}")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise _damaged(path, f"{brief(name)} of dtype {brief(dtype)}, none of {', '.join(_DTYPES)}")
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2 or len(shape) > 32:
        raise _damaged(path, f"{brief(name)} with shape {brief(shape)}, offsets {brief(offsets)}")
    start, end = offsets
    needed = math.prod(shape) * numpy_dtype(_DTYPES[dtype]).itemsize
    if end - start != needed:
        raise _damaged(path, f"{brief(name)} of {brief(needed)} bytes at bytes {start} to {end}")
    return _DTYPES[dtype], tuple(shape), (start, end)


def _are_sizes(values):
    # Python's integers do not overflow, but products of thousands of digits take long.
    return isinstance(values, list) and all(type(v) is int and 0 <= v < 2**63 for v in values)


def _damaged(path, what):
    return ValueError(
        "A .safetensors file must be complete and consistent. Received: "
        f"{str(path)!r} with {what}. Download it again, and compare its size with the source's."
    )
