"""Opens a checkpoint of any supported flavor, told apart by its content."""

import dataclasses
import os
import pathlib

from albert_tf._types import Path
from albert_tf.checkpoints import handles
from albert_tf.checkpoints.checkpoint import Checkpoint
from albert_tf.checkpoints.configuration import config_from_fields, find_config, given_config
from albert_tf.checkpoints.files.archives import is_archive, unpack
from albert_tf.checkpoints.files.bundle import open_bundle
from albert_tf.checkpoints.sources import (
    brightmart,
    hugging_face,
    keras_file,
    keras_hub,
    tf1,
    tf2_hub,
)
from albert_tf.checkpoints.sources.object_graph import GRAPH, open_variables
from albert_tf.checkpoints.sources.training_state import FILE as TRAINING_STATE
from albert_tf.checkpoints.sources.training_state import find_state, open_weights
from albert_tf.config import AlbertConfig
from albert_tf.messages import brief
from albert_tf.task_record import read_task

_SUPPORTED = (
    "an original TF1 checkpoint, as a directory with one model.ckpt-*.index (or a file "
    "`checkpoint` that names one), as the prefix of its files, or as one of the files; the "
    "directory of a TF Hub module, a SavedModel, a Hugging Face model or a KerasHub preset; a "
    ".keras file; or an archive of one of these"
)


def read(path: Path, config: AlbertConfig | Path | None = None) -> Checkpoint:
    """Opens a checkpoint; reads and checks what it holds, but no tensor yet.

    Where a directory holds several, this order counts: SavedModel, KerasHub, Hugging Face, Keras
    file, training state, TF1 checkpoint.

    Args:
      path: Directory, file, file prefix or handle:
        original TF1 checkpoint (model.ckpt-best.index, .data-*), Google's or brightmart's, with or
          without training state;
        TF1 Hub module, TF2 SavedModel (TF Hub /1, /2, /3, or ours), KerasHub preset, Hugging Face
          model: their directories;
        .keras file of our models; weights that training saved: the directory of a run (its best
          weights, or the newest if none were chosen) or of one of its states;
        .tar.gz or .zip of one of these, unpacked to a temporary directory;
        "hf://OWNER/NAME" and the other handles of `handles.resolve`.
      config: `AlbertConfig`, a dict of its fields, or the path of a JSON file. Default: what the
        checkpoint states itself, or the albert_config.json in its directory, if there is one.

    Returns:
      A `Checkpoint`.

    Raises:
      FileNotFoundError: The checkpoint or the configuration does not exist, or not completely.
      ValueError: The content is damaged, ambiguous or of no supported flavor.
      ImportError, OSError: A handle's checkpoint could not be fetched; see `handles.resolve`.

    Example:

    >>> from albert_tf.checkpoints.read import read
    >>> checkpoint = read("albert_tiny_en")
    >>> checkpoint.flavor, checkpoint.tensors["albert.pooler.bias"].shape
    ('hugging_face', (192,))
    """
    if not os.fspath(path):
        raise ValueError(
            "The path of a checkpoint must not be empty. Received: ''. For a randomly initialized "
            "encoder use AlbertEncoder.from_albert_config."
        )
    path = pathlib.Path(handles.resolve(path) if handles.is_handle(path) else path)
    if is_archive(path):
        path = unpack(path)
    if path.name == "saved_model.pb":
        path = path.parent
    for read_flavor in _READERS:
        if (checkpoint := read_flavor(path, config)) is not None:
            return checkpoint
    raise _unknown(path)


def opened(checkpoint, config=None):
    """A `Checkpoint` as it is, so that it is opened once; `read` of anything else."""
    if not isinstance(checkpoint, Checkpoint):
        return read(checkpoint, config)
    if config is not None:
        raise ValueError(
            "A checkpoint that is open has its configuration already. Received: "
            f"config={brief(config)} with the opened {checkpoint.path}. Pass config to "
            "`read_checkpoint` instead."
        )
    return checkpoint


def _read_saved_model(path, config):
    if not (path / "saved_model.pb").is_file():
        return None
    meta_graph = tf2_hub.read_graph(path)
    if not meta_graph.object_graph_def.nodes:
        return _read_tf1_hub(path, config)
    flavor, tensors, ignored, get, stated, known = tf2_hub.open_saved_model(path, meta_graph)
    config, source = given_config(config)
    if config is None and stated is not None:
        config, source = stated, "its own configuration"
    elif config is None:
        values = {field: value for field, (value, _) in known.items()}
        config, _ = config_from_fields(flavor, values)
        source = "what its shapes and its graph tell"
    task = tf2_hub.stated_task(meta_graph)
    if tf2_hub.LOWER_CASE in ignored:
        task["do_lower_case"] = bool(get(tf2_hub.LOWER_CASE))
    return Checkpoint(flavor, str(path), config, source, tensors, ignored, get, known, task=task)


def _read_tf1_hub(path, config):
    prefix = path / "variables" / "variables"
    if not prefix.with_name("variables.index").is_file():
        raise FileNotFoundError(
            f"A TF1 Hub module needs its variables. Received: {str(path)!r} without "
            "variables/variables.index. Copy the whole directory."
        )
    return dataclasses.replace(_read_bundle(prefix, config, path), flavor="tf1_hub", path=str(path))


def _read_keras_hub(path, config):
    path = path.parent if path.name.endswith(".weights.h5") else path
    if not keras_hub.is_keras_hub(path):
        return None
    tensors, ignored, get, stated = keras_hub.open_preset(path)
    config, source = given_config(config)
    if config is None:
        config, source = stated, str(path / "config.json")
    return Checkpoint("keras_hub", str(path), config, source, tensors, ignored, get)


def _read_hugging_face(path, config):
    if not hugging_face.is_hugging_face(path):
        return None
    if config is None:
        return hugging_face.read(path)
    return hugging_face.read(path, *given_config(config))


def _read_keras_file(path, config):
    if path.is_dir() and len(files := sorted(path.glob("*.keras"))) == 1:
        path = files[0]
    if not keras_file.is_keras_file(path):
        return None
    beside, source = find_config(config, path.parent)
    tensors, ignored, get, stated = keras_file.open_keras_file(path, beside)
    if config is None and stated is not None:
        beside, source = stated, "its own configuration"
    return Checkpoint("keras", str(path), beside, source, tensors, ignored, get)


def _read_training_state(path, config):
    directory = path.parent if path.name == TRAINING_STATE else find_state(path)
    if not (directory / TRAINING_STATE).is_file():
        return None
    config, source = find_config(config, directory, *directory.parents[:2])
    tensors, ignored, get = open_weights(directory)
    task = read_task(directory, *directory.parents[:2])
    return Checkpoint(
        "training_state", str(directory), config, source, tensors, ignored, get, task=task
    )


def _read_tf1(path, config):
    prefix = tf1.find_prefix(path)
    return None if prefix is None else _read_bundle(prefix, config)


def _read_bundle(prefix, config, module=None):
    """Reads checkpoint files by what their variables are called."""
    if module is None and prefix.parent.name == "variables":
        module = prefix.parent.parent
    directories = [prefix.parent] if module is None else [module / "assets", module]
    config, source = find_config(config, *directories)
    if GRAPH in open_bundle(prefix)[0]:
        tensors, ignored, get = open_variables(prefix)
        return Checkpoint("object_graph", str(prefix), config, source, tensors, ignored, get)
    tensors, ignored, get = tf1.open_tensors(prefix)
    flavor = "tf1"
    if brightmart.is_brightmart(tensors):
        flavor = "brightmart"
        tensors, get, config = brightmart.fold(prefix, tensors, get, config)
    return Checkpoint(flavor, str(prefix), config, source, tensors, ignored, get)


_READERS = (
    _read_saved_model,
    _read_keras_hub,
    _read_hugging_face,
    _read_keras_file,
    _read_training_state,
    _read_tf1,
)


def _unknown(path):
    if path.exists():
        what = f"the file {str(path)!r}"
        if path.is_dir():
            what = f"{str(path)!r} with {_content(path)}"
        return ValueError(
            f"A checkpoint must be of a supported flavor: {_SUPPORTED}. Received: {what}."
        )
    nearest = next(parent for parent in path.absolute().parents if parent.is_dir())
    return FileNotFoundError(
        f"A checkpoint must exist: {_SUPPORTED}. Received: {str(path)!r}. In {str(nearest)!r} "
        f"there is: {_content(nearest)}.{handles.hint(str(path))}"
    )


def _content(directory, most=20):
    names = sorted(entry.name + "/" * entry.is_dir() for entry in directory.iterdir())
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "nothing in it") + more
