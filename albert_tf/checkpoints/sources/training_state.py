"""Reads the weights that training saves: directories `step-...` and `best-...` with weights.npz."""

import re
import zipfile

import numpy as np

from albert_tf.checkpoints.checkpoint import TensorSpec
from albert_tf.checkpoints.files.zip_file import ERRORS, BoundedFile
from albert_tf.checkpoints.names.table import task_heads
from albert_tf.messages import brief

FILE = "weights.npz"


def find_state(run):
    """The state that a run's directory stands for: the best one, or the newest if none was chosen.

    Args:
      run: pathlib.Path of a run's directory, or of its `states`.

    Returns:
      pathlib.Path of the state's directory; `run` itself if there is none.
    """
    states = run / "states" if (run / "states").is_dir() else run
    for kind in ("best", "step"):
        names = [p.name for p in states.glob(f"{kind}-*") if re.fullmatch(r"\w+-\d{8,}", p.name)]
        if names:
            return states / max(names, key=lambda name: int(name.split("-")[1]))
    return run


def open_weights(directory):
    """Opens a saved state's weights; the optimizer's are in another file.

    Args:
      directory: pathlib.Path of a directory with `weights.npz`.

    Returns:
      ({name: TensorSpec}, {name: reason to ignore it}, function from a name to its array)

    Raises:
      ValueError: The file is damaged, or not plain arrays.
    """
    path = directory / FILE
    tensors = {}
    try:
        with BoundedFile(path) as opened, zipfile.ZipFile(opened) as archive:
            for info in archive.infolist():
                if info.compress_type != zipfile.ZIP_STORED:
                    raise ValueError(f"{brief(info.filename)} is compressed")
                with archive.open(info) as file:
                    version = np.lib.format.read_magic(file)
                    read = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
                    shape, _, dtype = read(file)
                    size = dtype.itemsize * int(np.prod(shape, dtype=object))
                    if dtype.hasobject or size != info.file_size - file.tell():
                        what = f"{dtype} {brief(list(shape))}"
                        raise ValueError(f"{brief(info.filename)} is not {what}")
                tensors[info.filename.removesuffix(".npy")] = TensorSpec(shape, dtype.name)
    except Exception as error:  # NumPy's and zipfile's, of a dozen classes.
        raise ValueError(
            f"Saved weights must be a readable .npz file of arrays. Received: {str(path)!r} "
            f"({str(error)[:200]}). Take the state of an earlier step."
        ) from error

    def get(name):
        try:
            # Refuses pickles; checks each array's checksum.
            with open(path, "rb") as opened, np.load(opened) as file:
                return file[name]
        except (*ERRORS, KeyError) as error:
            raise ValueError(
                f"Saved weights must be readable. Received: {brief(name)} of {str(path)!r} "
                f"({str(error)[:200]}). Take the state of an earlier step."
            ) from error

    return tensors, task_heads(tensors), get
