"""The activations of the feed-forward and masked LM layers."""

import contextlib
import math
import threading

import tensorflow as tf

from albert_tf.layers.gradients import record_gradient

_SCALE, _CUBIC = math.sqrt(2.0 / math.pi), 0.044715
_LINEAR, _CUBIC_TERM = 2.0 * _SCALE, 2.0 * _SCALE * _CUBIC  # Of 2 u, see `gelu_in_training`.

# The graph in which GELU is compiled, in each thread: tf.distribute runs a thread a replica.
_scope = threading.local()


def gelu(x):
    """Gaussian error linear unit in the tanh approximation, as all published ALBERTs use it.

    0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), written without tf.pow, which is slow.

    Reference: https://arxiv.org/abs/1606.08415; the original's modeling.py, `gelu`.
    """
    # In this order TensorFlow fuses it with the matrix product before it.
    return 0.5 * x * (1.0 + tf.tanh(_SCALE * (x + _CUBIC * (x * x * x))))


@contextlib.contextmanager
def compiled_gelu():
    """Makes `gelu_in_training` inside the block one pass over memory, compiled with XLA.

    Only where a tensor's shape is static, for XLA compiles each shape anew. Acts on the calls of
    this thread in the graph that is being traced, not in functions that are traced inside the
    block: only a gradient tape of the same graph knows the gradient of a compiled one.

    Example:

    >>> @tf.function
    ... def step(x):
    ...     with compiled_gelu():
    ...         return gelu_in_training(x)
    >>> step(tf.zeros([2, 4])).shape
    TensorShape([2, 4])
    """
    previous, _scope.graph = getattr(_scope, "graph", None), tf.compat.v1.get_default_graph()
    try:
        yield
    finally:
        _scope.graph = previous


def gelu_in_training(x):
    """`gelu` that keeps only `x` for its gradient, not each tensor of its formula.

    (1 + tanh(u)) / 2 = sigmoid(2 u), which takes fewer passes over memory.
    """
    compiled = getattr(_scope, "graph", None) is tf.compat.v1.get_default_graph()
    if compiled and x.shape.is_fully_defined():
        forward = _compiled_forward.get_concrete_function(tf.TensorSpec(x.shape, x.dtype))
        y = forward.inference_fn(x)  # Tapes do not look inside, where they would keep tensors.
        record_gradient("AlbertCompiledGelu", [x], y)
    else:
        y = _forward(x)
        record_gradient("AlbertGelu", [x], y)
    return y


@tf.RegisterGradient("AlbertGelu")
def _gelu_gradient(op, upstream):
    return _backward(op.inputs[0], upstream)


@tf.RegisterGradient("AlbertCompiledGelu")
def _compiled_gelu_gradient(op, upstream):
    return _compiled_backward(op.inputs[0], upstream)


def _forward(x):
    return x * _gate(x, tf.square(x))


def _backward(x, upstream):
    squared = tf.square(x)
    gate = _gate(x, squared)
    slope = _LINEAR + 3.0 * _CUBIC_TERM * squared  # Of 2 u.
    # In this order float16 does not overflow before |x| = 256.
    return upstream * (gate + slope * tf.raw_ops.SigmoidGrad(y=gate, dy=x))


def _gate(x, squared):
    return tf.sigmoid(x * (_LINEAR + _CUBIC_TERM * squared))


_compiled_forward = tf.function(_forward, jit_compile=True, autograph=False)
_compiled_backward = tf.function(_backward, jit_compile=True, autograph=False)


def gelu_erf(x):
    """The exact GELU, 0.5 x (1 + erf(x / sqrt(2))), which Hugging Face calls "gelu"."""
    return tf.nn.gelu(x, approximate=False)


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_erf": gelu_erf,
    "relu": tf.nn.relu,
    "tanh": tf.tanh,
    "linear": tf.identity,
}


def activate(name, x, training):
    """An activation in the form that is best for training, or without it."""
    if name == "gelu" and training is True:
        return gelu_in_training(x)
    return ACTIVATIONS[name](x)
