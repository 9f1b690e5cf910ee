"""Which task model a fine-tuned checkpoint holds."""

from albert_tf.checkpoints.task_head import has_head, number_of_classes
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.tasks.head_names import (
    CLASSIFIER_WEIGHTS,
    CONDITIONAL_SPAN_WEIGHTS,
    SPAN_WEIGHTS,
)
from albert_tf.tasks.multiple_choice import AlbertMultipleChoice
from albert_tf.tasks.span_labeler import AlbertSpanLabeler
from albert_tf.tasks.token_classifier import AlbertTokenClassifier

# `task` of a record, see albert_tf/task_record.py -> class.
TASK_MODELS = {
    "classification": AlbertClassifier,
    "multi_label": AlbertClassifier,
    "regression": AlbertClassifier,
    "multiple_choice": AlbertMultipleChoice,
    "span": AlbertSpanLabeler,
    "token_classification": AlbertTokenClassifier,
}


def task_model_class(checkpoint):
    """The class of the task model whose head a checkpoint holds, or None if it holds no such head.

    Its record of the task decides; without one, the weights of the head.

    Args:
      checkpoint: A `Checkpoint`.

    Raises:
      ValueError: The weights may be those of several tasks.
    """
    if task := TASK_MODELS.get(checkpoint.task.get("task")):
        return task
    for weights in (CONDITIONAL_SPAN_WEIGHTS, SPAN_WEIGHTS):
        if has_head(checkpoint, weights):
            return AlbertSpanLabeler
    if not has_head(checkpoint, CLASSIFIER_WEIGHTS):
        return None
    if number_of_classes(checkpoint, CLASSIFIER_WEIGHTS) > 1:
        return AlbertClassifier
    raise ValueError(
        "It must be known what a head with one output is for: one number for a text, or for each "
        f"of several choices. Received: {checkpoint.path!r}, which does not tell. Put a task.json "
        'with {"task": "regression"} or {"task": "multiple_choice"} beside it.'
    )
