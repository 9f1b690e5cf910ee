"""Files of the format "safetensors": a JSON header, then the tensors' bytes.

The package of the same name reads and checks headers. Tensors are mapped into memory, float8 too,
for which the package has no NumPy arrays, and written one at a time, while the package would need
all of them at once.

Reference: github.com/huggingface/safetensors, section "Format".
"""

import functools
import json
import math
import pathlib
import struct

import numpy as np
import safetensors

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
        outside the file or leave gaps, sizes that do not fit.

    Example:

    >>> from albert_tf import albert_tiny_en
    >>> from albert_tf.checkpoints.files.safetensors_file import open_safetensors
    >>> tensors = open_safetensors(albert_tiny_en.CHECKPOINT + "/model.safetensors")
    >>> tensors["albert.pooler.bias"].load().shape
    (192,)
    """
    path = pathlib.Path(path)
    check_is_content(path)
    with path.open("rb") as file:
        length = struct.unpack("<Q", file.read(8).ljust(8, b"\xff"))[0]
    if length > min(path.stat().st_size - 8, _MOST_HEADER_BYTES):
        raise _damaged(path, f"a header of {length} bytes in a file of {path.stat().st_size}")
    tensors, offset = {}, 8 + length
    try:
        with safetensors.safe_open(path, "np") as file:
            for name in file.offset_keys():  # The package has checked that there are no gaps.
                tensor = file.get_slice(name)
                spec = TensorSpec(tuple(tensor.get_shape()), _DTYPES.get(tensor.get_dtype()))
                if spec.dtype is None or len(spec.shape) > 32:
                    what = f"{tensor.get_dtype()} {brief(list(spec.shape))}"
                    raise _damaged(path, f"{brief(name)}, of {what}")
                tensors[name] = StoredTensor(
                    spec, functools.partial(map_array, path, spec.dtype, spec.shape, offset)
                )
                offset += math.prod(spec.shape) * numpy_dtype(spec.dtype).itemsize
    except safetensors.SafetensorError as error:
        what = brief(str(error).rpartition("header: ")[2])
        raise _damaged(path, f"a header that is not allowed: {what}") from None
    return tensors


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


def _damaged(path, what):
    return ValueError(
        "A .safetensors file must be complete and consistent. Received: "
        f"{str(path)!r} with {what}. Download it again, and compare its size with the source's."
    )
