"""Keras's .h5 files, opened so that a hostile one can do no harm."""

import math

import h5py
import numpy as np

from albert_tf.checkpoints.checkpoint import TensorSpec


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
    tensors, layers, found = {}, {}, {}
    try:
        h5 = h5py.File(file, "r")
        names = []
        h5.visit(names.append)  # Follows neither soft nor external links.
        for name in names:
            item = found[name] = h5[name]
            if isinstance(item, h5py.Dataset):
                tensors[name] = TensorSpec(item.shape, _dtype(item, path, name))
            elif "name" in item.attrs:
                layers[name] = str(item.attrs["name"])
    except (OSError, RuntimeError, KeyError, TypeError) as error:
        raise ValueError(
            f"A Keras weights file must be readable HDF5. Received: {path!r} ({error}). Copy or "
            "download it again, and compare its size with the source's."
        ) from error

    def get(name):
        try:
            array = np.asarray(found[name])
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"Every array of a Keras file must be readable. Received: {name!r} of {path!r} "
                f"({error}). Copy or download it again."
            ) from error
        return array.view(_bfloat16()) if tensors[name].dtype == "bfloat16" else array

    return tensors, layers, get


def _dtype(dataset, path, name):
    elsewhere = dataset.external or dataset.is_virtual
    packed = dataset.chunks or dataset.shape is None or dataset.dtype.hasobject
    size = math.prod(dataset.shape or ()) * dataset.dtype.itemsize
    if elsewhere or packed or dataset.id.get_storage_size() != size:
        raise ValueError(
            "The arrays of a Keras file must be numbers stored in it as they are: not compressed, "
            f"and not in other files. Received: {name!r} of {path!r}. Save the model anew with "
            "Keras."
        )
    if _text(dataset.attrs.get("dtype")) == "bfloat16" and dataset.dtype.itemsize == 2:
        return "bfloat16"  # HDF5 has no such type: Keras stores its bytes.
    return dataset.dtype.name


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


def _bfloat16():
    import ml_dtypes  # NumPy has no such type, TensorFlow brings it.

    return ml_dtypes.bfloat16
