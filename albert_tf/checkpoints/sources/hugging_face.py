"""Reads Hugging Face directories: config.json and the weights in any of their formats."""

import dataclasses
import pathlib
import re

import numpy as np

from albert_tf.checkpoints.checkpoint import Checkpoint
from albert_tf.checkpoints.names.geometry import fields_from_shapes
from albert_tf.checkpoints.sources.hugging_face_files import (
    WEIGHT_FILES,
    find_weights,
    open_weights,
)
from albert_tf.checkpoints.sources.tf_h5_file import UNUSED_BIAS
from albert_tf.config import AlbertConfig
from albert_tf.config_files import read_json_object, unread_keys
from albert_tf.messages import brief, listed, plain
from albert_tf.task_record import read_task

_PREFIX = "albert."
_TABLE = "embeddings.word_embeddings.weight"
_PROJECTION = tuple(f"encoder.embedding_hidden_mapping_in.{leaf}" for leaf in ("weight", "bias"))
_POOLER = {"pooler_transform/kernel": "pooler.weight", "pooler_transform/bias": "pooler.bias"}
_WITH_POOLER = (
    "AlbertForPreTraining",
    "AlbertForSequenceClassification",
    "AlbertForMultipleChoice",
)
_BUFFER = re.compile(r"(albert\.)?embeddings\.(position_ids|token_type_ids)")

# Of task.json, by class.
_TASKS = {
    "AlbertForSequenceClassification": "classification",
    "AlbertForTokenClassification": "token_classification",
    "AlbertForMultipleChoice": "multiple_choice",
    "AlbertForQuestionAnswering": "span",
}

# Heads that are no part of the pre-trained model: pattern of names, classes that have it.
_TASK_HEADS = (
    (
        re.compile(r"classifier\.(weight|bias)"),
        (
            "AlbertForSequenceClassification",
            "AlbertForTokenClassification",
            "AlbertForMultipleChoice",
        ),
    ),
    (re.compile(r"qa_outputs\.(weight|bias)"), ("AlbertForQuestionAnswering",)),
)


def is_hugging_face(path):
    """Whether a path is a Hugging Face directory, or a file of weights in one.

    Args:
      path: Path of anything.
    """
    path = pathlib.Path(path)
    if find_weights(path) is not None:
        return True
    if not (path / "config.json").is_file():
        return False
    try:
        return read_json_object(path / "config.json").get("model_type") == "albert"
    except ValueError:
        return False


def read(path, config=None, config_source="the configuration given"):
    """Opens a checkpoint of Hugging Face's Albert classes; reads no weights but to compare them.

    Where E = H, Hugging Face projects the embeddings all the same. If the stored projection is the
    identity it is left out; otherwise the configuration gets `project_same_width=True`.

    Args:
      path: Directory or file for which `is_hugging_face` is true.
      config: An `AlbertConfig`. Default: config.json in the directory, if there is one.
      config_source: Where a given `config` comes from, in words.

    Returns:
      A `Checkpoint`. Its tensors also hold a task's head, such as "classifier.weight", which is in
      `ignored`.

    Raises:
      FileNotFoundError: A file is missing.
      ValueError: A file is damaged or malicious, or what must be equal (tied weights) is not.

    Example:

    >>> from albert_tf import albert_tiny_en
    >>> from albert_tf.checkpoints.sources.hugging_face import read
    >>> checkpoint = read(albert_tiny_en.CHECKPOINT)
    >>> checkpoint.config.hidden_act
    'gelu'
    """
    path = pathlib.Path(path)
    weights = find_weights(path)
    if weights is None:
        raise FileNotFoundError(
            f"A Hugging Face directory must have one of {', '.join(WEIGHT_FILES)}. Received: "
            f"{str(path)!r} without any. Download the weights too, or save the model in one of "
            "these formats."
        )
    beside = weights.parent / "config.json"
    values = read_json_object(beside) if beside.is_file() else {}
    architectures = _architectures(values, beside)
    unread = ()
    if config is None and beside.is_file():
        config, config_source = AlbertConfig.from_hugging_face(values), str(beside)
        unread = tuple(unread_keys(values))
    elif config is None:
        config_source = f"no config.json in {str(weights.parent)!r}"

    tensors = open_weights(weights)
    prefix = _PREFIX if any(name.startswith(_PREFIX) for name in tensors) else ""
    if not any(name.startswith(f"{prefix}embeddings.") for name in tensors):
        raise ValueError(
            "A Hugging Face checkpoint of an ALBERT must hold tensors such as "
            f"'albert.{_TABLE}'. Received: {str(weights)!r} with {len(tensors)} tensors: "
            f"{listed(tensors)}. Pass a checkpoint of one of transformers' Albert classes."
        )
    ignored = {name: "buffer, no weight" for name in tensors if _BUFFER.fullmatch(name)}
    if UNUSED_BIAS in tensors:
        ignored[UNUSED_BIAS] = "saved but not used by TensorFlow's class"
    ignored.update(_task_heads(tensors, architectures))
    ignored.update(_tied(weights, tensors, prefix))
    flavor = "hugging_face" if prefix else "hugging_face_model"
    known = fields_from_shapes(flavor, {name: tensor.spec for name, tensor in tensors.items()})
    projection = _same_width_projection(tensors, prefix)
    if projection is not None:
        projects, evidence = projection
        known["project_same_width"] = projection
        if config is not None and config.embedding_size == config.hidden_size:
            config = dataclasses.replace(config, project_same_width=projects)
        if not projects:
            ignored.update({prefix + name: evidence for name in _PROJECTION})
    return Checkpoint(
        flavor=flavor,
        path=str(weights),
        config=config,
        config_source=config_source,
        tensors={name: tensor.spec for name, tensor in tensors.items()},
        ignored=ignored,
        get=lambda name: tensors[name].load(),
        known=known,
        absent=_absent(tensors, prefix, architectures),
        unread=unread,
        task=_task(weights.parent, values),
    )


def _labels(id2label):
    """The names of the classes in their order, or None if these are not all of them."""
    try:
        labels = {int(index): str(label) for index, label in id2label.items()}
    except (AttributeError, TypeError, ValueError):
        return None
    named = [labels.get(i) for i in range(len(labels))]
    # transformers writes LABEL_0 where nobody has named them.
    unnamed = None in named or all(re.fullmatch(r"LABEL_\d+", label) for label in named)
    return None if unnamed else named


def _task(directory, values):
    """What task.json, if there is one, and config.json tell about the head."""
    architectures = values.get("architectures") or [None]
    stated = {
        "task": _TASKS.get(architectures[0]),
        "problem_type": values.get("problem_type"),
        "labels": _labels(values.get("id2label")),
    }
    return {**read_task(directory), **{k: v for k, v in stated.items() if v is not None}}


def _architectures(values, path):
    names = values.get("architectures") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(
            "`architectures` must be a list of the names of classes. Received: "
            f"{brief(names)} in {str(path)!r}. Correct or remove it."
        )
    return names


def _task_heads(tensors, architectures):
    reasons = {}
    for pattern, classes in _TASK_HEADS:
        known = [name for name in classes if name in architectures] or classes
        for name in filter(pattern.fullmatch, tensors):
            reasons[name] = f"head of {' or '.join(known)}"
    return reasons


def _tied(weights, tensors, prefix):
    """Checks the masked LM head's copies of weights, which are one with the encoder's.

    Some files hold a copy only: then it gets the name of what it copies.
    """
    reasons = {}
    for copy, original in (
        ("predictions.decoder.weight", prefix + _TABLE),
        ("predictions.decoder.bias", "predictions.bias"),
    ):
        if copy not in tensors:
            continue
        if original not in tensors:
            tensors[original] = tensors.pop(copy)
            continue
        if not _same_bytes(tensors[copy], tensors[original]):
            raise ValueError(
                f"The masked LM head must share its output matrix and bias, as in every published "
                f"ALBERT. Received: {str(weights)!r} where {copy!r} differs from {original!r}. A "
                "model with untied weights cannot be represented; tie them and save it again."
            )
        reasons[copy] = f"equal to {original}, which it is tied to"
    return reasons


def _same_bytes(first, second):
    if first.spec != second.spec:
        return False
    a, b = (np.ascontiguousarray(tensor.load()) for tensor in (first, second))
    return np.array_equal(a.view(np.uint8), b.view(np.uint8))


def _same_width_projection(tensors, prefix):
    """(whether it does anything, evidence) of a projection between equal widths, None without."""
    weight, bias = (tensors.get(prefix + name) for name in _PROJECTION)
    if weight is None or bias is None or len(weight.spec.shape) != 2:
        return None
    rows, columns = weight.spec.shape
    if rows != columns:
        return None
    values = np.asarray(weight.load(), np.float32)
    if np.array_equal(values, np.eye(rows)) and not np.asarray(bias.load()).any():
        return False, "projection that is the identity"
    return True, f"{prefix}{_PROJECTION[0]} is not the identity"


def _absent(tensors, prefix, architectures):
    """Our variables that the class of this checkpoint does not have: the pooler, or nothing."""
    absent = all(prefix + name not in tensors for name in _POOLER.values())
    if not absent or any(name in _WITH_POOLER for name in architectures):
        return {}
    if any(name.startswith("sop_classifier.") for name in tensors):
        return {}
    owner = f"{plain(architectures[0])} has none" if architectures else "there is none"
    return dict.fromkeys(_POOLER, f"pooler: {owner}, so `pooled_output` is 0 until it is trained")
