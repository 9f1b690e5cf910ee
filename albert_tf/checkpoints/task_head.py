"""Fills the head of a task's model from a fine-tuned checkpoint."""

import numpy as np

from albert_tf._keras import tf_variable
from albert_tf.checkpoints.names.flavors import describe
from albert_tf.checkpoints.read import opened
from albert_tf.messages import plain


def restore_task_head(model, path, config=None):
    """Assigns all weights of a task model's head; the encoder's are left as they are.

    The model also takes over what the checkpoint tells about the training of the head: the text
    rules, and of a classifier the problem type.

    The names come from the model's `head_weight_names`: those of Google's fine-tuning programs, of
    Hugging Face's classes with a head, or ours in what `albert-tf finetune` saves and in the
    SavedModels of task models.

    Args:
      model: A task model, such as `AlbertClassifier`.
      path: As for `AlbertEncoder.from_checkpoint`, such as the directory of a run.
      config: As for `AlbertEncoder.from_checkpoint`.

    Raises:
      ValueError: The checkpoint has no such head, or one of another shape or problem type.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> from albert_tf import albert_tiny_en
    >>> from albert_tf.checkpoints.task_head import restore_task_head
    >>> encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    >>> classifier = albert_tf.AlbertClassifier(encoder, num_classes=3)
    >>> path = tempfile.mkdtemp() + "/classifier"
    >>> _ = albert_tf.export_classifier(classifier, path, albert_tiny_en.SP_MODEL)
    >>> restore_task_head(classifier, path)
    """
    checkpoint = opened(path, config)
    weights = model.weights_by_name()
    values = {}
    for head_weight in model.head_weight_names:
        stored, transposed = stored_name(head_weight, checkpoint.flavor)
        shape = tuple(weights[head_weight.name].shape)
        transposed = transposed and len(shape) == 2
        needed = shape[::-1] if transposed else shape
        spec = checkpoint.tensors.get(stored)
        if spec is None or spec.shape != needed:
            found = plain(str(spec or "no tensor"))
            raise ValueError(
                f"A checkpoint must have the head of the model. Received: "
                f"{describe(checkpoint.flavor)} {checkpoint.path!r} with {found} as "
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
    model.adopt(checkpoint.task, checkpoint.path)
    for name, array in values.items():
        tf_variable(weights[name]).assign(array)


def has_head(checkpoint, head_weight_names):
    """Whether a checkpoint has all weights of a head, of whatever shape.

    Args:
      checkpoint: A `Checkpoint`.
      head_weight_names: Of a task model.
    """
    names = [stored_name(weight, checkpoint.flavor)[0] for weight in head_weight_names]
    return all(name in checkpoint.tensors for name in names)


def number_of_classes(checkpoint, head_weight_names):
    """The number of classes of the classifier that a checkpoint holds.

    Args:
      checkpoint: A `Checkpoint`.
      head_weight_names: Of the task model's class, such as `AlbertClassifier.head_weight_names`.

    Raises:
      ValueError: The checkpoint has no such head.
    """
    bias = next(weight for weight in head_weight_names if weight.name == "classifier/bias")
    stored, _ = stored_name(bias, checkpoint.flavor)
    spec = checkpoint.tensors.get(stored)
    if spec is None or len(spec.shape) != 1:
        raise ValueError(
            f"A checkpoint must have the head of a classifier. Received: "
            f"{describe(checkpoint.flavor)} {checkpoint.path!r} with {spec or 'no tensor'} as "
            f"{stored!r}. `albert-tf inspect` tells what a checkpoint holds."
        )
    return spec.shape[0]


def stored_name(head_weight, flavor):
    """The name of a head's weight in a checkpoint, and whether matrices are transposed there."""
    if flavor in ("hugging_face", "hugging_face_model"):
        return head_weight.hugging_face, True
    if flavor in ("training_state", "saved_model"):
        return head_weight.name, False
    return head_weight.original, head_weight.original_transposed
