"""TensorFlow's checkpoint files: one .index and its .data, whatever names the tensors have."""

import re

import tensorflow as tf

from albert_tf.checkpoints.checkpoint import TensorSpec
from albert_tf.checkpoints.files.bundle_index import DamagedIndex, read_index
from albert_tf.messages import brief, listed

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
    if not index_file(prefix).is_file():
        raise FileNotFoundError(
            f"A checkpoint needs its .index file. Received: {str(prefix)!r} without "
            f"{index_file(prefix).name!r}. Put it beside the data file."
        )
    try:
        entries, num_shards = read_index(index_file(prefix))
        _check_data_files(prefix, entries, num_shards)
        reader = tf.train.load_checkpoint(str(prefix))
    except (DamagedIndex, tf.errors.OpError, UnicodeError, IndexError) as error:
        raise ValueError(
            f"The index of a checkpoint must be readable. Received: {str(index_file(prefix))!r} "
            f"({_first_line(error)}). {_DOWNLOAD_AGAIN}"
        ) from error
    tensors = {name: TensorSpec(entry.shape, entry.dtype) for name, entry in entries.items()}

    def get(name):
        try:
            if tensors[name].dtype in ("variant", "resource"):
                raise ValueError(f"a {tensors[name].dtype}")
            return reader.get_tensor(name)
        except (tf.errors.OpError, ValueError, IndexError) as error:
            files = listed(str(file) for file in data_files(prefix))
            raise ValueError(
                f"Every variable of a checkpoint must be readable. Received: {brief(name)} of "
                f"{files} ({_first_line(error)}). {_DOWNLOAD_AGAIN}"
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


def _check_data_files(prefix, entries, num_shards):
    names = {file.name for file in data_files(prefix)}
    expected = [f"{prefix.name}.data-{i:05d}-of-{num_shards:05d}" for i in range(num_shards)]
    if missing := sorted(set(expected) - names):
        raise FileNotFoundError(
            f"A checkpoint needs all of its data files. Received: {str(index_file(prefix))!r} "
            f"without {listed(missing)}. Put the rest of the checkpoint beside its index."
        )
    sizes = [(prefix.parent / name).stat().st_size for name in expected]
    # Tensors are stored without padding, so a shorter file lacks some.
    needed = sum(entry.num_bytes for entry in entries.values())
    beyond = [name for name, entry in entries.items() if entry.end > sizes[entry.shard]]
    if beyond or sum(sizes) < needed:
        raise ValueError(
            f"The data of a checkpoint must be complete. Received: {sum(sizes)} bytes in "
            f"{str(prefix)}.data-*, but its index lists {brief(needed)}: the file is truncated. "
            f"{_DOWNLOAD_AGAIN}"
        )


def _first_line(error):
    return (str(error).strip() or type(error).__name__).splitlines()[0]
