"""Fills the head of a task's model from a fine-tuned checkpoint."""

import numpy as np

from albert_tf._keras import tf_variable
from albert_tf.checkpoints.checkpoint import Checkpoint
from albert_tf.checkpoints.names.flavors import describe
from albert_tf.checkpoints.read import read


def restore_task_head(model, path, config=None):
    """Assigns all weights of a task model's head; the encoder's are left as they are.

    The names come from the model's `head_weight_names`: those of Google's fine-tuning programs, of
    Hugging Face's classes with a head, or ours in what `albert-tf finetune` saves and in the
    SavedModels of task models.

    Args:
      model: A task model, such as `AlbertClassifier`.
      path: As for `AlbertEncoder.from_checkpoint`, such as the directory of a run.
      config: As for `AlbertEncoder.from_checkpoint`.

    Raises:
      ValueError: The checkpoint has no such head, or one of another shape.

    Example:

    >>> encoder = AlbertEncoder.from_checkpoint("my_model")  # doctest: +SKIP
    >>> classifier = AlbertClassifier(encoder, num_classes=3)  # doctest: +SKIP
    >>> restore_task_head(classifier, "my_model")  # doctest: +SKIP
    """
    checkpoint = path if isinstance(path, Checkpoint) else read(path, config)
    weights = model.weights_by_name()
    values = {}
    for head_weight in model.head_weight_names:
        stored, transposed = _stored(head_weight, checkpoint.flavor)
        shape = tuple(weights[head_weight.name].shape)
        transposed = transposed and len(shape) == 2
        needed = shape[::-1] if transposed else shape
        spec = checkpoint.tensors.get(stored)
        if spec is None or spec.shape != needed:
            raise ValueError(
                f"A checkpoint must have the head of the model. Received: "
                f"{describe(checkpoint.flavor)} {checkpoint.path!r} with {spec or 'no tensor'} as "
                f"{stored!r}, where {type(model).__name__} needs {list(needed)}. Build the model "
                "for the task, and with the number of classes, that it was fine-tuned for."
            )
        array = checkpoint.get(stored).astype(np.float32, copy=False)
        if not np.isfinite(array).all():
            raise ValueError(
                f"Weights must be finite. Received: {stored!r} of {checkpoint.path!r}. Take an "
                "earlier checkpoint."
            )
        values[head_weight.name] = array.T if transposed else array
    for name, array in values.items():
        tf_variable(weights[name]).assign(array)


def number_of_classes(checkpoint, head_weight_names):
    """The number of classes of the classifier that a checkpoint holds.

    Args:
      checkpoint: A `Checkpoint`.
      head_weight_names: Of the task model's class, such as `AlbertClassifier.head_weight_names`.

    Raises:
      ValueError: The checkpoint has no such head.
    """
    bias = next(weight for weight in head_weight_names if weight.name == "classifier/bias")
    stored, _ = _stored(bias, checkpoint.flavor)
    spec = checkpoint.tensors.get(stored)
    if spec is None or len(spec.shape) != 1:
        raise ValueError(
            f"A checkpoint must have the head of a classifier. Received: "
            f"{describe(checkpoint.flavor)} {checkpoint.path!r} with {spec or 'no tensor'} as "
            f"{stored!r}. `albert-tf inspect` tells what a checkpoint holds."
        )
    return spec.shape[0]


def _stored(head_weight, flavor):
    """The name of a head's weight in a checkpoint, and whether matrices are transposed there."""
    if flavor in ("hugging_face", "hugging_face_model"):
        return head_weight.hugging_face, True
    if flavor in ("training_state", "saved_model"):
        return head_weight.name, False
    return head_weight.original, head_weight.original_transposed
