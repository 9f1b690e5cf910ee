"""Builds models from checkpoints, strictly: every variable restored, or one error that says why."""

import dataclasses

import numpy as np

from albert_tf._keras import tf_variable, uninitialized
from albert_tf.checkpoints.configuration import config_from_fields
from albert_tf.checkpoints.matching import match, require_ok
from albert_tf.checkpoints.names.geometry import fields_from_shapes
from albert_tf.checkpoints.names.table import PARTS
from albert_tf.checkpoints.read import opened
from albert_tf.config_files import CONFIG_FIELDS


def restore(build, path, config=None, parts=PARTS, vocab_size=None, **kwargs):
    """A new model with the weights of a checkpoint; every weight restored, or an error.

    Args:
      build: Function (config, parts, **kwargs) that returns the model: an `AlbertConfig`, which of
        `parts` the checkpoint holds, and the arguments that are no part of a configuration.
      path: As for `AlbertEncoder.from_checkpoint`.
      config: As for `AlbertEncoder.from_checkpoint`.
      parts: Which parts of ALBERT to restore, of `names.table.PARTS`.
      vocab_size: Number of words. For those above the checkpoint's, tables get rows.
      **kwargs: Further arguments of an encoder's constructor. They win over `config`.

    Returns:
      The model, with a `restore_report`.

    Raises:
      FileNotFoundError: There is no such checkpoint or configuration.
      ValueError: The weights do not fit the configuration.
    """
    grow = vocab_size is not None
    if grow:
        kwargs["vocab_size"] = vocab_size
    checkpoint, kwargs = _read(path, config, kwargs)
    table, report = match(checkpoint, list(parts), grow)
    require_ok(checkpoint, report)
    with uninitialized():
        model = build(checkpoint.config, {rule.part for rule in table}, **kwargs)
    _assign(model, table, checkpoint, report.grown)
    model.restore_report = report
    return model


def _read(path, config, kwargs):
    """Returns the checkpoint with the configuration to use, and the other constructor arguments."""
    checkpoint = opened(path, config)
    changes = {CONFIG_FIELDS[key]: kwargs[key] for key in kwargs if key in CONFIG_FIELDS}
    kwargs = {key: value for key, value in kwargs.items() if key not in CONFIG_FIELDS}
    if checkpoint.config is None:
        return complete_config(checkpoint, changes), kwargs
    config = dataclasses.replace(checkpoint.config, **changes)
    return dataclasses.replace(checkpoint, config=config), kwargs


def complete_config(checkpoint, changes):
    """A checkpoint without a configuration, with one of what it tells and what the caller said.

    Args:
      checkpoint: A `Checkpoint` whose `config` is None.
      changes: {field of AlbertConfig: value}.

    Raises:
      FileNotFoundError: A field is missing; says which arguments to pass.
    """
    known = checkpoint.known or fields_from_shapes(checkpoint.flavor, checkpoint.tensors)
    values = {field: value for field, (value, _) in known.items()}
    config, missing = config_from_fields(checkpoint.flavor, {**values, **changes})
    if config is None:
        arguments = {field: argument for argument, field in CONFIG_FIELDS.items()}
        raise FileNotFoundError(
            "A checkpoint needs its configuration: albert_config.json in its directory, or "
            f"`config`. Received: {checkpoint.path!r} with {checkpoint.config_source}. It tells "
            f"{', '.join(f'{field}={value}' for field, value in values.items())}. The rest does "
            "not show in it: ask who published them, and pass "
            f"{', '.join(f'{arguments[field]}=...' for field in missing)}."
        )
    source = "what its weights tell and the arguments given"
    return dataclasses.replace(checkpoint, config=config, config_source=source)


def _assign(model, table, checkpoint, grown):
    weights = model.weights_by_name()
    known = {rule.name for rule in table} | checkpoint.absent.keys()
    if strange := sorted(weights.keys() ^ known):
        raise ValueError(
            "A model restored from a checkpoint must have ALBERT's variables and no others. "
            f"Received: {type(model).__name__} differs in {', '.join(strange)}."
        )
    for name in checkpoint.absent:
        weight = tf_variable(weights[name])
        weight.assign(np.zeros(weight.shape, np.float32))
    # One at a time: beside the model, only one tensor is in memory.
    for rule in table:
        array = checkpoint.get(rule.stored_name).astype(np.float32, copy=False)
        if not np.isfinite(array).all():
            raise ValueError(
                "Weights must be finite. Received: "
                f"{rule.stored_name!r} of {checkpoint.path!r} with {np.isnan(array).sum()} NaN and "
                f"{np.isinf(array).sum()} infinite of {array.size} values. The training diverged, "
                "or the file is damaged: take an earlier checkpoint."
            )
        if rule.name in grown:
            array = _grow(array, rule.stored_shape[0])
        tf_variable(weights[rule.name]).assign(rule.load(array))


def _grow(array, rows):
    """Adds rows, each the mean of those there are: no new word is likelier than an average one.

    Reference: Hewitt, "Initializing New Word Embeddings for Pretrained Language Models", 2021.
    """
    mean = array.mean(0, dtype=np.float64).astype(np.float32)
    return np.concatenate([array, np.repeat(mean[np.newaxis], rows - len(array), 0)])
