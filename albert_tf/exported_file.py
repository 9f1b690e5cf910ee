"""What the exporters of files for other runtimes share: inputs to try them on, and a comparison."""

import math
from typing import Any

import numpy as np

from albert_tf._keras import tf_variable, uninitialized
from albert_tf.encoder import AlbertEncoder
from albert_tf.inputs import INPUT_NAMES, unpack_inputs
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.saved_model.contract.checklist import Check


def encoder_of(model):
    """The encoder of an `IdsModel`, which may be the model itself."""
    return model if isinstance(model, AlbertEncoder) else model.encoder


def float32_copy(model, **computation):
    """A copy of an `IdsModel` that computes in float32 and recomputes nothing.

    Args:
      model: `IdsModel`.
      **computation: Further arguments of the encoder, such as `skip_padding`.
    """
    encoder = encoder_of(model)
    computation = {"dtype": "float32", "recompute": False, **computation}
    with uninitialized():
        copy = type(encoder)(**{**encoder.get_config(), **computation})
        if isinstance(model, AlbertPretrainer):
            copy = AlbertPretrainer(copy, model.masked_lm and "new", model.sentence_order and "new")
        elif model is not encoder:
            copy = type(model)(**{**model.get_config(), "encoder": copy})
    weights = model.weights_by_name()
    for name, weight in copy.weights_by_name().items():
        tf_variable(weight).assign(tf_variable(weights[name]))
    return copy


def compute_outputs(model, inputs) -> dict[str, Any]:
    """All outputs of a live model by name, each once: nothing is computed apart.

    Args:
      model: An `IdsModel`.
      inputs: dict of its inputs by name.
    """
    if isinstance(model, AlbertEncoder):
        return model.encode(*unpack_inputs(inputs))
    outputs = model.call(inputs)
    return outputs if isinstance(outputs, dict) else {"logits": outputs}


def random_inputs(config, rows, length):
    """Rows of all lengths up to `length`, the second half of each in another segment.

    Args:
      config: `AlbertConfig`.
      rows: int.
      length: int.

    Returns:
      dict of `INPUT_NAMES`, int32 arrays [rows, length].
    """
    lengths = np.linspace(length, 1, rows).astype(int)[:, np.newaxis]
    positions = np.arange(length)
    mask = positions < lengths
    word_ids = np.random.default_rng(0).integers(0, config.vocab_size, mask.shape)
    type_ids = (positions >= lengths // 2) & (config.type_vocab_size > 1)
    arrays = (word_ids * mask, mask, type_ids & mask)
    return {name: array.astype(np.int32) for name, array in zip(INPUT_NAMES, arrays)}


def require_finite(outputs):
    """Raises a ValueError unless all numbers of {name: array} are finite."""
    if strange := [name for name, array in outputs.items() if not np.isfinite(array).all()]:
        raise ValueError(
            f"The model's outputs must be finite. Received: {', '.join(strange)} with NaN or "
            "infinity. The training diverged: take an earlier checkpoint."
        )


def compared(name, received, expected, tolerance):
    """A `Check` of the root mean square of differences, relative to that of the model's numbers."""
    difference = np.subtract(received, expected, dtype=np.float64)
    error = _rms(difference) / max(_rms(expected), np.finfo(np.float32).tiny)
    promise = f"{name} differs by {error:.1e}, allowed are {tolerance:.0e}"
    return Check(promise, None if error <= tolerance else "too much")


def require_kept(checks, kind, way_out=""):
    """Raises a ValueError if one of the `Check`s of a file, `kind` in words, is broken."""
    if broken := [f"{c.promise}: {c.difference}" for c in checks if c.difference]:
        raise ValueError(
            f"{kind} must give the model's numbers. Received: {'; '.join(broken)}.{way_out}"
        )


def _rms(array):
    return math.sqrt(np.mean(np.square(array, dtype=np.float64)))
