"""The function from text to answers that a path stands for."""

import dataclasses
import os
import pathlib

import tensorflow as tf

from albert_tf.checkpoints.read import read
from albert_tf.checkpoints.vocabulary_file import require_vocabulary
from albert_tf.saved_model.checkpoint_task import checkpoint_task, task_name
from albert_tf.saved_model.tasks import serving_function
from albert_tf.text.sentencepiece_model import SentencePieceModel
from albert_tf.text.tensorflow_text import import_tensorflow_text


@dataclasses.dataclass(frozen=True)
class TextFunction:
    """A model that takes text.

    Attributes:
      function: From string tensors by name to a dict of tensors.
      record: What `task()` of a SavedModel tells, and `labels` where there are some.
      sp_model: `SentencePieceModel`.
      source: Where its weights lie, str.
      hidden_size: Width of the encoder.
      keep: What must stay in memory while `function` is used.
    """

    function: object
    record: dict
    sp_model: SentencePieceModel
    source: str
    hidden_size: int
    keep: object


def load_text_function(path, task=None, sp_model=None, config=None, compute_dtype=None, **settings):
    """Loads what `Predictor` takes, whose arguments these are.

    Returns:
      A `TextFunction`.
    """
    import_tensorflow_text()  # A missing package is an error now, and SavedModels need its ops.
    checkpoint = read(_with_export(path), config)
    ready = bool(checkpoint.task.get("text_inputs")) and checkpoint.flavor == "saved_model"
    settings = {name: value for name, value in settings.items() if value is not None}
    as_it_is = not settings and compute_dtype is None
    if ready and as_it_is and task_name(checkpoint, task) == task_name(checkpoint):
        loaded = tf.saved_model.load(checkpoint.path)
        return TextFunction(
            loaded.signatures["serving_default"],
            checkpoint.task,
            SentencePieceModel.read(require_vocabulary(checkpoint.path)),
            checkpoint.path,
            checkpoint.config.hidden_size,
            loaded,
        )
    live = checkpoint_task(checkpoint, task, sp_model, **settings)
    function, record, kept = serving_function(
        live.export, live.sp_model, live.rules, live.seq_length, compute_dtype
    )
    if compute_dtype is not None:
        record = {**record, "compute_dtype": compute_dtype}
    return TextFunction(
        function,
        record,
        SentencePieceModel.read(live.sp_model),
        checkpoint.path,
        live.export.model.encoder.albert_config.hidden_size,
        kept,
    )


def _with_export(path):
    """The SavedModel that a finished run of `finetune` has written, or `path` itself."""
    exported = pathlib.Path(os.fspath(path), "saved_model")
    if (exported / "saved_model.pb").is_file() and (exported.parent / "task.json").is_file():
        return exported
    return path
