"""Builds models from checkpoints, strictly: every variable restored, or one error that says why."""

import dataclasses

import numpy as np

from albert_tf._keras import tf_variable, uninitialized
from albert_tf.checkpoints.geometry import fields_from_shapes
from albert_tf.checkpoints.matching import match, require_ok
from albert_tf.checkpoints.names import PARTS
from albert_tf.checkpoints.read import read
from albert_tf.encoder import CONFIG_FIELDS, AlbertEncoder


def restore_encoder(cls, path, config=None, **kwargs):
    """What `AlbertEncoder.from_checkpoint` does; see there."""
    checkpoint, kwargs = _read(path, config, kwargs)
    table, report = match(checkpoint, ["encoder"])
    require_ok(checkpoint, report)
    with uninitialized():
        encoder = cls.from_albert_config(checkpoint.config, **kwargs)
    _assign(encoder, table, checkpoint)
    encoder.restore_report = report
    return encoder


def restore_pretrainer(cls, path, config=None, **kwargs):
    """What `AlbertPretrainer.from_checkpoint` does; see there."""
    checkpoint, kwargs = _read(path, config, kwargs)
    table, report = match(checkpoint, list(PARTS))
    require_ok(checkpoint, report)
    held = {rule.part for rule in table}
    with uninitialized():
        pretrainer = cls(
            AlbertEncoder.from_albert_config(checkpoint.config, **kwargs),
            masked_lm="new" if "masked_lm" in held else None,
            sentence_order="new" if "sentence_order" in held else None,
        )
    _assign(pretrainer, table, checkpoint)
    pretrainer.restore_report = report
    return pretrainer


def _read(path, config, kwargs):
    """Returns the checkpoint with the configuration to use, and the other constructor arguments."""
    checkpoint = read(path, config)
    if checkpoint.config is None:
        fields = fields_from_shapes(checkpoint.flavor, checkpoint.tensors)
        values = ", ".join(f"{field}={value}" for field, (value, _) in fields.items())
        raise FileNotFoundError(
            "A checkpoint needs its configuration: albert_config.json in its directory, or "
            f"`config`. Received: {checkpoint.path!r} with {checkpoint.config_source}. The weights "
            f"say {values}; the other fields do not show in shapes, so ask who published them."
        )
    changes = {CONFIG_FIELDS[key]: kwargs[key] for key in kwargs if key in CONFIG_FIELDS}
    config = dataclasses.replace(checkpoint.config, **changes)
    kwargs = {key: value for key, value in kwargs.items() if key not in CONFIG_FIELDS}
    return dataclasses.replace(checkpoint, config=config), kwargs


def _assign(model, table, checkpoint):
    weights = model.weights_by_name()
    if strange := sorted(weights.keys() ^ {rule.name for rule in table}):
        raise ValueError(
            "A model restored from a checkpoint must have ALBERT's variables and no others. "
            f"Received: {type(model).__name__} differs in {', '.join(strange)}."
        )
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
        tf_variable(weights[rule.name]).assign(rule.load(array))
