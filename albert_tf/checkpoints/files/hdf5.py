"""Keras's .h5 files, opened so that a hostile one can do no harm."""

import math
import os

import h5py
import numpy as np

from albert_tf.checkpoints.checkpoint import TensorSpec
from albert_tf.messages import brief

# An ALBERT with an optimizer has some hundred arrays and groups.
_MOST_OBJECTS = 20_000


def open_datasets(file, path):
    """Opens an HDF5 file and lists its arrays, without reading one.

    Only arrays that lie in the file as they are: nothing is followed to other files, and nothing
    unfolds to more than the file's size.

    Args:
      file: Path, or a binary file object that can seek.
      path: What to call it in messages.

    Returns:
      ({name: TensorSpec}, {name of a group: the name of its layer}, function from a name to its
      numpy array)

    Raises:
      ValueError: The file is damaged, or holds what no Keras program writes.
    """
    tensors, layers, found, names = {}, {}, {}, []

    def visit(name):
        names.append(name)
        return True if len(names) > _MOST_OBJECTS else None  # Which ends it.

    try:
        h5 = h5py.File(file, "r")
        h5.visit(visit)  # Follows neither soft nor external links.
        if len(names) > _MOST_OBJECTS:
            raise OSError(f"more than {_MOST_OBJECTS} arrays and groups")
        for name in names:
            item = found[name] = h5[name]
            if isinstance(item, h5py.Dataset):
                tensors[name] = TensorSpec(item.shape, _dtype(item, path, name))
            elif "name" in item.attrs:
                layers[name] = str(item.attrs["name"])
        # Arrays that overlap could each be as large as the file.
        total = sum(found[name].id.get_storage_size() for name in tensors)
        size = file.seek(0, os.SEEK_END) if hasattr(file, "seek") else os.path.getsize(file)
        if total > size:
            raise OSError(f"arrays of {total} bytes in a file of {size}")
    except _Unfit as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # Of several classes, by the place of the damage.
        raise ValueError(
            f"A Keras weights file must be readable HDF5. Received: {path!r} "
            f"({str(error)[:200]}). Copy or download it again, and compare its size with the "
            "source's."
        ) from error

    def get(name):
        try:
            array = np.asarray(found[name])
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"Every array of a Keras file must be readable. Received: {brief(name)} of "
                f"{path!r} ({str(error)[:200]}). Copy or download it again."
            ) from error
        return array.view(_bfloat16()) if tensors[name].dtype == "bfloat16" else array

    return tensors, layers, get


class _Unfit(Exception):
    pass


def _dtype(dataset, path, name):
    elsewhere = dataset.external or dataset.is_virtual
    packed = dataset.chunks or dataset.shape is None or dataset.dtype.hasobject
    size = math.prod(dataset.shape or ()) * dataset.dtype.itemsize
    if elsewhere or packed or dataset.id.get_storage_size() != size:
        raise _Unfit(
            "The arrays of a Keras file must be numbers stored in it as they are: not compressed, "
            f"and not in other files. Received: {brief(name)} of {path!r}. Save the model anew "
            "with Keras."
        )
    if _text(dataset.attrs.get("dtype")) == "bfloat16" and dataset.dtype.itemsize == 2:
        return "bfloat16"  # HDF5 has no such type: Keras stores its bytes.
    return dataset.dtype.name


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


def _bfloat16():
    import ml_dtypes  # NumPy has no such type, TensorFlow brings it.

    return ml_dtypes.bfloat16
