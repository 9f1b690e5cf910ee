"""Writes a model as a TF1 checkpoint that the original code (google-research/albert) loads."""

import json
import pathlib

import tensorflow as tf

from albert_tf._keras import keras, tf_variable
from albert_tf._types import Path
from albert_tf.atomic import local_path, write_file
from albert_tf.checkpoints.configuration import FILE
from albert_tf.checkpoints.names.flavors import rules

NAME = "model.ckpt-best"
# Fields that the original does not know, with the only values that it computes with.
_FIXED = {"attention_mask_value": -10000.0, "project_same_width": False}
# Switches of the original that it does not use, as in the published files.
_UNUSED = {
    "net_structure_type": 0,
    "gap_size": 0,
    "num_memory_blocks": 0,
    "down_scale_factor": 1,
}


def write_tf1(model: keras.layers.Layer, directory: Path, global_step: int = 0) -> list[str]:
    """Writes `model.ckpt-best.*`, `checkpoint` and `albert_config.json`, as Google's archives have.

    Variables get the original's names and shapes, float32, and a `global_step`. Does not write a
    vocabulary, nor an optimizer's slots. Files of these names in the directory are replaced.

    Args:
      model: An `AlbertEncoder`, or an `AlbertPretrainer`, whose heads are written too.
      directory: Directory to write into; it is made if it does not exist.
      global_step: Number of updates that the weights have had.

    Returns:
      A list of sentences on what the original will compute otherwise, mostly empty.

    Raises:
      ValueError: The original has no such model.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> from albert_tf.checkpoints.writers.tf1 import write_tf1
    >>> encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    >>> write_tf1(encoder, tempfile.mkdtemp())
    []

    Reference: `AlbertConfig` and `AlbertModel` in the original's modeling.py, and its
    export_checkpoints.py.
    """
    if not hasattr(model, "weights_by_name") or hasattr(model, "head_weight_names"):
        raise TypeError(
            "`model` must be an AlbertEncoder or an AlbertPretrainer. Received: "
            f"{type(model).__name__}."
        )
    local_path(directory)  # Refuses what is not one.
    encoder = getattr(model, "encoder", model)
    values, notes = _original_config(encoder.albert_config)
    weights = model.weights_by_name()
    names, tensors = ["global_step"], [tf.constant(global_step, tf.int64)]
    for rule in rules(encoder.albert_config, "tf1"):
        if rule.name in weights:
            names.append(rule.stored_name)
            tensors.append(tf.constant(rule.store(tf_variable(weights[rule.name]).numpy())))

    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    tf.raw_ops.SaveV2(
        prefix=str(directory / NAME),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=tensors,
    )
    state = f'model_checkpoint_path: "{NAME}"\nall_model_checkpoint_paths: "{NAME}"\n'
    write_file(directory / "checkpoint", state)
    write_file(directory / FILE, json.dumps(values, indent=2) + "\n")
    return notes


def _original_config(config):
    """Returns (the contents of the original's albert_config.json, notes)."""
    values = config.to_dict()
    if values["hidden_act"] == "gelu_erf":
        raise ValueError(
            "A TF1 checkpoint must have an activation that the original has: gelu (the tanh "
            "approximation), relu, tanh or linear. Received: hidden_act='gelu_erf', the exact "
            "gelu. Convert to another format."
        )
    if values["project_same_width"]:
        raise ValueError(
            "The original projects embeddings only if they are not as wide as the encoder. "
            f"Received: a projection from {config.embedding_size} to as many. Convert to another "
            "format."
        )
    notes = []
    if (mask := values["attention_mask_value"]) != _FIXED["attention_mask_value"]:
        notes.append(
            f"The original masks with -10000, not {mask:g}: rows without any token give other "
            "numbers, all others the same."
        )
    for field in _FIXED:
        del values[field]
    return {**values, **_UNUSED}, notes
