"""Opens a checkpoint of any supported flavor, told apart by its content."""

import collections.abc
import os
import pathlib

from albert_tf.checkpoints import tf1
from albert_tf.checkpoints.checkpoint import Checkpoint
from albert_tf.config import AlbertConfig

_SUPPORTED = (
    "an original TF1 checkpoint, as a directory with one model.ckpt-*.index (or a file "
    "`checkpoint` that names one), as the prefix of its files, or as one of the files"
)


def read(path, config=None):
    """Opens a checkpoint; reads and checks what it holds, but no tensor yet.

    Args:
      path: Directory, file or file prefix. Supported: an original TF1 checkpoint
        (model.ckpt-best.index, .data-*), with or without training state.
      config: `AlbertConfig`, a dict of its fields, or the path of a JSON file. Default:
        albert_config.json in the checkpoint's directory, if there is one.

    Returns:
      A `Checkpoint`.

    Raises:
      FileNotFoundError: The checkpoint or the configuration does not exist, or not completely.
      ValueError: The content is damaged, ambiguous or of no supported flavor.

    Example:

    >>> checkpoint = read("albert_base")  # doctest: +SKIP
    >>> checkpoint.flavor, checkpoint.tensors["bert/pooler/dense/bias"].shape  # doctest: +SKIP
    ('tf1', (768,))
    """
    if not os.fspath(path):
        raise ValueError(
            "The path of a checkpoint must not be empty. Received: ''. For a randomly initialized "
            "encoder use AlbertEncoder.from_albert_config."
        )
    path = pathlib.Path(path)
    prefix = tf1.find_prefix(path)
    if prefix is None:
        raise _unknown(path)
    config, config_source = _find_config(config, prefix.parent)
    tensors, ignored, get = tf1.open_tensors(prefix)
    return Checkpoint(
        flavor="tf1",
        path=str(prefix),
        config=config,
        config_source=config_source,
        tensors=tensors,
        ignored=ignored,
        get=get,
    )


def _find_config(config, directory):
    """Returns (AlbertConfig or None, where it comes from)."""
    if isinstance(config, AlbertConfig):
        return config, "the configuration given"
    if isinstance(config, collections.abc.Mapping):
        return AlbertConfig.from_dict(config), "the configuration given"
    if isinstance(config, (str, os.PathLike)):
        return AlbertConfig.from_json_file(config), os.fspath(config)
    if config is not None:
        raise ValueError(
            "`config` must be an AlbertConfig, a dict, the path of a JSON file, or None. Received: "
            f"{config!r}."
        )
    beside = directory / "albert_config.json"
    if beside.is_file():
        return AlbertConfig.from_json_file(beside), str(beside)
    return None, f"no albert_config.json in {str(directory)!r}"


def _unknown(path):
    if path.exists():
        what = f"the file {str(path)!r}"
        if path.is_dir():
            what = f"{str(path)!r} with {_content(path)}"
        return ValueError(
            f"A checkpoint must be of a supported flavor: {_SUPPORTED}. Received: {what}. Unpack "
            "an archive first."
        )
    nearest = next(parent for parent in path.absolute().parents if parent.is_dir())
    return FileNotFoundError(
        f"A checkpoint must exist: {_SUPPORTED}. Received: {str(path)!r}. In {str(nearest)!r} "
        f"there is: {_content(nearest)}."
    )


def _content(directory, most=20):
    names = sorted(entry.name + "/" * entry.is_dir() for entry in directory.iterdir())
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "nothing in it") + more
