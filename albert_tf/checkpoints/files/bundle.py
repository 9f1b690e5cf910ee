"""TensorFlow's checkpoint files: one .index and its .data, whatever names the tensors have."""

import math
import re

import tensorflow as tf

from albert_tf.checkpoints.checkpoint import TensorSpec

_FILE_SUFFIX = re.compile(r"\.(index|meta|data-\d{5}-of-(\d{5}))$")
_DOWNLOAD_AGAIN = "Copy or download it again, and compare its size with the source's."


def open_bundle(prefix):
    """Opens checkpoint files and checks that they are complete, without reading a tensor.

    Args:
      prefix: pathlib.Path, the common prefix of the files.

    Returns:
      ({stored name: TensorSpec}, function from a stored name to its numpy array)

    Raises:
      FileNotFoundError: A data file is missing.
      ValueError: A file is damaged, or TensorFlow cannot open such a path.
    """
    if wildcards := set(str(prefix)) & set("[]\\"):
        raise ValueError(
            "The path of a TF1 checkpoint must not contain '[', ']' or a backslash, which "
            f"TensorFlow takes for wildcards. Received: {str(prefix)!r} with "
            f"{', '.join(sorted(wildcards))}. Rename or move the directory."
        )
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        shapes = reader.get_variable_to_shape_map()
        dtypes = reader.get_variable_to_dtype_map()
    except (tf.errors.OpError, ValueError, IndexError) as error:
        raise ValueError(
            f"The index of a checkpoint must be readable. Received: {str(index_file(prefix))!r} "
            f"({_first_line(error)}). {_DOWNLOAD_AGAIN}"
        ) from error
    tensors = {name: TensorSpec(tuple(shapes[name]), dtypes[name].name) for name in sorted(shapes)}
    _check_data_files(prefix, tensors)

    def get(name):
        try:
            return reader.get_tensor(name)
        except (tf.errors.OpError, ValueError, IndexError) as error:
            files = ", ".join(str(file) for file in data_files(prefix))
            raise ValueError(
                f"Every variable of a checkpoint must be readable. Received: {name!r} of {files} "
                f"({_first_line(error)}). {_DOWNLOAD_AGAIN}"
            ) from error

    return tensors, get


def prefix_of(file):
    """The prefix of the checkpoint that a file belongs to; the path itself if it is none."""
    return file.with_name(_FILE_SUFFIX.sub("", file.name))


def index_file(prefix):
    """The path of the index."""
    return prefix.with_name(prefix.name + ".index")


def data_files(prefix):
    """The data files that are there, sorted."""
    # Compares names, since a prefix may contain what glob() takes for a wildcard.
    if not prefix.parent.is_dir():
        return []
    start = prefix.name + ".data-"
    return sorted(
        file
        for file in prefix.parent.iterdir()
        if file.name.startswith(start) and _FILE_SUFFIX.search(file.name)
    )


def _check_data_files(prefix, tensors):
    files = data_files(prefix)
    shards = int(_FILE_SUFFIX.search(files[0].name)[2]) if files else 1
    expected = [f"{prefix.name}.data-{i:05d}-of-{shards:05d}" for i in range(shards)]
    if missing := sorted(set(expected) - {file.name for file in files}):
        raise FileNotFoundError(
            f"A checkpoint needs all of its data files. Received: {str(index_file(prefix))!r} "
            f"without {', '.join(missing)}. Put the rest of the checkpoint beside its index."
        )
    # Tensors are stored without padding, so a shorter file lacks some.
    needed = sum(
        math.prod(spec.shape) * tf.as_dtype(spec.dtype).size
        for spec in tensors.values()
        if spec.dtype not in ("string", "variant", "resource")
    )
    found = sum((prefix.parent / name).stat().st_size for name in expected)
    if found < needed:
        raise ValueError(
            f"The data of a checkpoint must be complete. Received: {found} bytes in "
            f"{str(prefix)}.data-*, but its index lists {needed}: the file is truncated. "
            f"{_DOWNLOAD_AGAIN}"
        )


def _first_line(error):
    return (str(error).strip() or type(error).__name__).splitlines()[0]
