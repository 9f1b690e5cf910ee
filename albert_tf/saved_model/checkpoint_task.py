"""From a checkpoint to a task that takes text, by what the checkpoint tells about its training."""

import dataclasses
import inspect

from albert_tf.checkpoints.read import opened
from albert_tf.checkpoints.vocabulary_file import require_vocabulary
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.saved_model.classifier import classifier_task
from albert_tf.saved_model.embedder import embedder_task
from albert_tf.saved_model.fill_mask import fill_mask_task
from albert_tf.saved_model.multiple_choice import multiple_choice_task
from albert_tf.saved_model.span_labeler import span_labeler_task
from albert_tf.saved_model.tasks import TaskExport
from albert_tf.saved_model.token_classifier import token_classifier_task
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.tasks.loading import task_model_class
from albert_tf.tasks.multiple_choice import AlbertMultipleChoice
from albert_tf.tasks.span_labeler import AlbertSpanLabeler
from albert_tf.tasks.token_classifier import AlbertTokenClassifier
from albert_tf.text.given_vocabulary import found_vocabulary, given_vocabulary

# Name -> (class of the model, function that makes a `TaskExport` of it, tokens of a text).
_TASKS = {
    "classifier": (AlbertClassifier, classifier_task, 128),
    "token-classifier": (AlbertTokenClassifier, token_classifier_task, 128),
    "span-labeler": (AlbertSpanLabeler, span_labeler_task, 384),
    "multiple-choice": (AlbertMultipleChoice, multiple_choice_task, 512),
    "embedding": (AlbertEncoder, embedder_task, None),
    "fill-mask": (AlbertPretrainer, fill_mask_task, None),
}
TASK_NAMES = tuple(_TASKS)
# `task` of a record, see albert_tf/task_record.py -> name.
_NAMES = {
    "classification": "classifier",
    "multi_label": "classifier",
    "regression": "classifier",
    "token_classification": "token-classifier",
    "span": "span-labeler",
    "multiple_choice": "multiple-choice",
    "embedding": "embedding",
    "fill_mask": "fill-mask",
}


@dataclasses.dataclass(frozen=True)
class CheckpointTask:
    """A task with all that exporters need.

    Attributes:
      export: `TaskExport` of the live model with the checkpoint's weights.
      vocabulary: `SentencePieceModel` or `WordPieceVocabulary`.
      rules: Text rules, or None for what is recorded beside the vocabulary.
      seq_length: Longest input in tokens.
    """

    export: TaskExport
    vocabulary: object
    rules: str | None
    seq_length: int


def task_name(checkpoint, task=None):
    """The name of a task, one of `TASK_NAMES`. Default: what the checkpoint was trained for.

    Args:
      checkpoint: A `Checkpoint`.
      task: Name, with dashes or underscores, or None.

    Raises:
      ValueError: There is no such task; or `task` is None and the checkpoint has no head of a task.
    """
    if task is not None:
        name = str(task).replace("_", "-")
        if name not in _TASKS:
            raise ValueError(f"The task must be one of {', '.join(_TASKS)}. Received: {task!r}.")
        return name
    if name := _NAMES.get(checkpoint.task.get("task")):
        return name
    model_class = task_model_class(checkpoint)
    for name, (known, _, _) in _TASKS.items():
        if known is model_class:
            return name
    raise ValueError(
        "A checkpoint without the head of a task can do several things. Received: "
        f"{checkpoint.path!r} and no task. Say which: task='embedding' for vectors, or "
        "task='fill-mask' for words in the place of [MASK] (--task on the command line)."
    )


def checkpoint_task(
    path, task=None, sp_model=None, config=None, vocab_file=None, do_lower_case=None, **settings
):
    """Loads a checkpoint as a model for a task.

    Args:
      path: As for `AlbertEncoder.from_checkpoint`, or a `Checkpoint`.
      task: One of `TASK_NAMES`. Default: what the checkpoint was trained for.
      sp_model, vocab_file, do_lower_case: The vocabulary, as of `Preprocessor`. Default: the one
        that lies with the checkpoint.
      config: As for `AlbertEncoder.from_checkpoint`.
      **settings: Arguments of the task's exporter, such as `pooling`, `top_k`, `labels`, `pairs`,
        `seq_length` or `rules`. Default: what the checkpoint tells, or else the exporter's.

    Returns:
      A `CheckpointTask`.

    Raises:
      FileNotFoundError, ValueError: As `from_checkpoint`; or a setting is not one of the task's.

    Example:

    >>> from albert_tf.saved_model.checkpoint_task import checkpoint_task
    >>> task = checkpoint_task("albert_tiny_en", "embedding", pooling="cls")
    >>> task.export.settings["pooling"], task.seq_length
    ('cls', 512)
    """
    checkpoint = opened(path, config)
    name = task_name(checkpoint, task)
    model_class, make, length = _TASKS[name]
    own = [p for p in list(inspect.signature(make).parameters)[1:] if p != "vocabulary"]
    known = [*own, "rules", "seq_length"]
    if strange := [key for key in settings if key not in known]:
        raise ValueError(
            f"Settings of the task {name} are {', '.join(known)}. Received: {', '.join(strange)}."
        )
    recorded = checkpoint.task if _NAMES.get(checkpoint.task.get("task")) == name else {}
    settings = {key: value for key, value in settings.items() if value is not None}
    settings = {**_recorded(recorded, known), **settings}
    if sp_model is None and vocab_file is None:
        found = require_vocabulary(checkpoint.path)
        vocabulary = found_vocabulary(found, do_lower_case, checkpoint.task)
    else:
        vocabulary = given_vocabulary(sp_model, vocab_file, do_lower_case)
    model = model_class.from_checkpoint(checkpoint)
    if name == "fill-mask":
        settings["vocabulary"] = vocabulary
    encoder = getattr(model, "encoder", model)
    positions = encoder.albert_config.max_position_embeddings
    return CheckpointTask(
        vocabulary=vocabulary,
        rules=settings.pop("rules", None),
        seq_length=settings.pop("seq_length", min(length or positions, positions)),
        export=make(model, **settings),
    )


def _recorded(record, known):
    """What a record tells, by the names of the exporters' arguments."""
    settings = {key: record[key] for key in known if record.get(key) is not None}
    settings.pop("labels", None)  # The model has adopted them.
    if "pairs" in known and "text_inputs" in record:
        settings["pairs"] = len(record["text_inputs"]) == 2
    if record.get("thresholds"):
        settings["threshold"] = record["thresholds"]
    return settings
