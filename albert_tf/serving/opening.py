"""From the arguments of `albert-tf serve` to loaded models."""

import os
import pathlib
import re

from albert_tf.checkpoints.read import read
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.serving.served_model import ServedModel, version_paths
from albert_tf.serving.served_version import load_checkpoint, load_saved_model
from albert_tf.tasks.loading import task_model_class

_RULE = (
    "A model is PATH or NAME=PATH, where PATH is a SavedModel, a directory of versions such as "
    "models/albert with models/albert/1, a run of `albert-tf finetune`, or a checkpoint"
)


def open_models(arguments):
    """Loads the models that are to be served.

    A checkpoint without the head of a task, such as "albert_tiny_en", is two models, NAME-embedding
    and NAME-fill-mask; without a masked LM head, the first alone.

    Args:
      arguments: List of str, PATH or NAME=PATH.

    Returns:
      {name: `ServedModel`}.

    Raises:
      FileNotFoundError, ValueError: An argument is no model, or two have one name.

    Example:

    >>> from albert_tf.serving.opening import open_models
    >>> sorted(open_models(["tiny=albert_tiny_en"]))
    ['tiny-embedding', 'tiny-fill-mask']
    """
    models = {}
    for name, path in map(_name_and_path, arguments):
        for model in _open(name, path):
            if model.name in models:
                raise ValueError(
                    f"Each model must have a name of its own. Received: {model.name} twice. Give "
                    "names: NAME=PATH."
                )
            models[model.name] = model
    return models


def _name_and_path(argument):
    name, equals, path = argument.partition("=")
    if not equals or "/" in name or not name:
        path = argument
        last = pathlib.Path(os.path.abspath(path))
        if last.name == "saved_model":  # Of a run.
            last = last.parent
        name = last.parent.name if last.name.isdecimal() else last.name
        name = re.sub(r"[^\w.-]", "_", name)
    if not path or not re.fullmatch(r"[\w.-]+", name):
        raise ValueError(
            f"{_RULE}; NAME has letters, digits, '_', '-' and '.'. Received: {argument!r}."
        )
    return name, path


def _open(name, path):
    directory = pathlib.Path(path)
    if (directory / "saved_model.pb").is_file():
        number = directory.resolve().name
        version = int(number) if number.isascii() and number.isdecimal() else 1
        return [ServedModel(name, load_saved_model(directory, version))]
    if (directory / "saved_model" / "saved_model.pb").is_file():
        return [ServedModel(name, load_saved_model(directory / "saved_model", 1))]
    if directory.is_dir() and (versions := version_paths(directory)):
        newest = max(versions)
        return [ServedModel(name, load_saved_model(versions[newest], newest), directory)]
    checkpoint = read(path)
    if task_model_class(checkpoint) is not None:
        return [ServedModel(name, load_checkpoint(path, None))]
    tasks = ["embedding"]
    if AlbertPretrainer.from_checkpoint(checkpoint).masked_lm is not None:
        tasks.append("fill-mask")
    return [ServedModel(f"{name}-{task}", load_checkpoint(path, task)) for task in tasks]
