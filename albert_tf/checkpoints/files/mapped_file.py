"""Numpy arrays straight from a file, without a copy of it in memory."""

import pathlib

import ml_dtypes
import numpy as np

_LFS_POINTER = b"version https://git-lfs"


def numpy_dtype(name):
    """The numpy dtype of a name as in `TensorSpec`, such as "bfloat16"; little-endian."""
    if hasattr(ml_dtypes, name):  # bfloat16 and the float8 types, which numpy itself lacks.
        return np.dtype(getattr(ml_dtypes, name))
    return np.dtype(name).newbyteorder("<")


def map_array(path, dtype, shape, offset):
    """A read-only array in a file; pages are read as they are used.

    Args:
      path: Path of the file.
      dtype: Name of a dtype, as in `TensorSpec`.
      shape: tuple of int.
      offset: Where the array begins, in bytes.

    Returns:
      numpy array, C order.

    Raises:
      ValueError: The file ends before the array does.
    """
    if 0 in shape:
        return np.zeros(shape, numpy_dtype(dtype))  # The operating system maps nothing of no bytes.
    try:
        mapped = np.memmap(path, numpy_dtype(dtype), "r", offset, tuple(shape))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"A file of weights must not change while it is open. Received: {str(path)!r} "
            f"({error}). Open it again."
        ) from error
    return mapped.view(np.ndarray)


def check_is_content(path):
    """Raises unless there is a file that holds something, and not a pointer to it."""
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"A file of weights must exist. Received: {str(path)!r}. Put it beside the others, or "
            "download it again."
        )
    with path.open("rb") as file:
        start = file.read(len(_LFS_POINTER))
    if start == _LFS_POINTER or not start:
        what = "a pointer of Git LFS" if start else "an empty file"
        raise ValueError(
            f"A file of weights must hold them. Received: {str(path)!r}, {what}. Run `git lfs "
            "pull` where it was cloned, or download the file itself."
        )
