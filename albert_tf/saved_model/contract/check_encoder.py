"""The contract of an encoder, promise by promise."""

import json

import numpy as np
import tensorflow as tf

from albert_tf.config import AlbertConfig
from albert_tf.inputs import INPUT_NAMES
from albert_tf.saved_model.computation import skips_padding
from albert_tf.saved_model.contract.checklist import (
    Checklist,
    custom_ops,
    differs,
    vocabulary_asset,
)
from albert_tf.saved_model.contract.encoder import (
    MLM_OUTPUTS,
    OUTPUTS,
    SIGNATURE_OUTPUTS,
    SIGNATURES,
    SOP_OUTPUTS,
    masked_lm_variable_shapes,
    sentence_order_variable_shapes,
    variable_shapes,
)


def check_encoder(loaded, path):
    """Checks a loaded encoder; `path` is where it was loaded from. Returns a list of `Check`."""
    checklist = Checklist()
    promise = checklist.promise
    if not promise("config() is the configuration as JSON", lambda: _config(loaded) and None):
        return checklist.checks
    config = _config(loaded)
    shapes = variable_shapes(config)
    count = len(shapes)
    promise(f"{count} variables: names, order, shapes", _variables, loaded.variables, shapes)
    promise(f"{count} trainable variables", _variables, loaded.trainable_variables, shapes)
    promise(
        "regularization_losses is empty", lambda: differs([], list(loaded.regularization_losses))
    )
    for dtype in (tf.int32, tf.int64):
        for kind in (list, tuple, dict):
            text = f"{kind.__name__} of {dtype.name}, training or not"
            promise(text, _call, loaded, kind, dtype, config)
    promise("batch 0, length 1 and the longest", _lengths, loaded, config)
    if skips_padding(loaded):
        promise("zero at padding, which is skipped", _padding, loaded, config)
    for name, keys in SIGNATURES.items():
        promise(f"signature {name}", _signature, loaded, name, keys, config)
    promise("the vocabulary, if any, is an asset", vocabulary_asset, loaded, False)
    promise("gradients of all trainable variables", _gradients, loaded, config)
    promise("no custom op", _ops, path)
    if hasattr(loaded, "mlm"):
        promise("mlm: outputs, variables shared with the encoder", _masked_lm, loaded, config)
    if hasattr(loaded, "sop"):
        promise("sop: outputs, variables shared with the encoder", _sentence_order, loaded, config)
    return checklist.checks


def _config(loaded):
    return AlbertConfig.from_dict(json.loads(loaded.config().numpy()))


def _variables(variables, shapes):
    expected = [f"{name}:0 {shape}" for name, shape in shapes.items()]
    received = [f"{v.name} {tuple(v.shape)}" for v in variables]
    for i, (a, b) in enumerate(zip(expected, received)):
        if a != b:
            return f"variable {i}: expected {a}, received {b}"
    return differs(len(expected), len(received))


def _inputs(config, dtype=tf.int32, batch=2, length=4):
    length = min(length, config.max_position_embeddings)
    ids = tf.reshape(tf.range(batch * length, dtype=dtype) % config.vocab_size, [batch, length])
    return [ids, tf.ones_like(ids), tf.zeros_like(ids)]


def _shapes_of(outputs):
    return {
        key: [tuple(v.shape) for v in value]
        if isinstance(value, (list, tuple))
        else tuple(value.shape)
        for key, value in outputs.items()
    }


def _expected_shapes(config, names, batch, length):
    H = config.hidden_size
    blocks = config.num_hidden_layers * config.inner_group_num
    every = {
        "default": (batch, H),
        "pooled_output": (batch, H),
        "sequence_output": (batch, length, H),
        "encoder_outputs": [(batch, length, H)] * blocks,
        "mlm_logits": (batch, 1, config.vocab_size),
        "sop_logits": (batch, 2),
    }
    return {name: every[name] for name in names}


def _call(loaded, kind, dtype, config):
    tensors = _inputs(config, dtype)
    inputs = dict(zip(INPUT_NAMES, tensors)) if kind is dict else kind(tensors)
    batch, length = tensors[0].shape
    for training in (False, True):
        outputs = loaded(inputs, training=training)
        names = OUTPUTS
        if kind is not dict:
            names = ("pooled_output", "sequence_output")
            if not isinstance(outputs, (list, tuple)) or len(outputs) != 2:
                return f"expected a list of two, received {type(outputs).__name__}"
            outputs = dict(zip(names, outputs))
        dtypes = {tensor.dtype.name for tensor in tf.nest.flatten(outputs)}
        if dtypes != {"float32"}:
            return f"expected float32 outputs, received {', '.join(sorted(dtypes))}"
        expected = _expected_shapes(config, names, batch, length)
        if difference := differs(
            dict(sorted(expected.items())), dict(sorted(_shapes_of(outputs).items()))
        ):
            return difference
    if not np.array_equal(
        loaded(inputs)[0 if kind is not dict else "pooled_output"],
        loaded(inputs, training=False)[0 if kind is not dict else "pooled_output"],
    ):
        return "`training` does not default to False"
    return None


def _lengths(loaded, config):
    for batch, length in ((0, 4), (1, 1), (1, config.max_position_embeddings)):
        tensors = _inputs(config, batch=batch, length=length)
        pooled = loaded(tensors)[0]
        if not np.all(np.isfinite(pooled)) or pooled.shape != (batch, config.hidden_size):
            return f"batch {batch}, length {length}: pooled_output of shape {tuple(pooled.shape)}"
    return None


def _padding(loaded, config):
    ids, mask, types = _inputs(config)
    mask *= tf.one_hot(0, mask.shape[1], dtype=mask.dtype)
    sequence = loaded([ids, mask, types])[1]
    return "sequence_output is not zero there" if np.any(sequence[:, 1:]) else None


def _signature(loaded, name, keys, config):
    signature = loaded.signatures[name]
    tensors = _inputs(config)
    outputs = signature(**dict(zip(keys, tensors)))
    expected = _expected_shapes(config, SIGNATURE_OUTPUTS, *tensors[0].shape)
    return differs(expected, dict(sorted(_shapes_of(outputs).items())))


def _gradients(loaded, config):
    variables = list(loaded.trainable_variables)
    missing = []

    @tf.function(autograph=False)
    def trace(*inputs):
        with tf.GradientTape() as tape:
            pooled, sequence = loaded(list(inputs), training=True)
            loss = tf.reduce_sum(pooled) + tf.reduce_sum(sequence**2)
        gradients = tape.gradient(loss, variables)
        missing.extend(v.name for v, g in zip(variables, gradients) if g is None)

    # Traced, not run: the gradients of a large model take several times its memory.
    trace.get_concrete_function(*_inputs(config))
    return f"no gradient for {', '.join(missing)}" if missing else None


def _ops(path):
    """A server or process without tensorflow-text must run it."""
    ops = custom_ops(path)
    return f"custom ops {', '.join(ops)}" if ops else None


def _shared(loaded, head, shapes):
    names = {f"{name}:0": shape for name, shape in shapes.items()}
    variables = list(head.variables)
    own = len(loaded.variables)
    if any(a is not b for a, b in zip(loaded.variables, variables)):
        return "the encoder's variables are not the same objects"
    received = {v.name: tuple(v.shape) for v in variables[own:]}
    return differs(names, received)


def _masked_lm(loaded, config):
    tensors = _inputs(config)
    positions = tf.zeros([tensors[0].shape[0], 1], tf.int32)
    outputs = loaded.mlm({**dict(zip(INPUT_NAMES, tensors)), "masked_lm_positions": positions})
    expected = _expected_shapes(config, MLM_OUTPUTS, *tensors[0].shape)
    return differs(expected, dict(sorted(_shapes_of(outputs).items()))) or _shared(
        loaded, loaded.mlm, masked_lm_variable_shapes(config)
    )


def _sentence_order(loaded, config):
    tensors = _inputs(config)
    outputs = loaded.sop(dict(zip(INPUT_NAMES, tensors)))
    expected = _expected_shapes(config, SOP_OUTPUTS, *tensors[0].shape)
    return differs(expected, dict(sorted(_shapes_of(outputs).items()))) or _shared(
        loaded, loaded.sop, sentence_order_variable_shapes(config)
    )
