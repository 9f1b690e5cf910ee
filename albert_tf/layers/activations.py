"""The activations of the feed-forward and masked LM layers."""

import contextlib
import math
import threading

import tensorflow as tf

from albert_tf._keras import keras

_SCALE, _CUBIC = math.sqrt(2.0 / math.pi), 0.044715
_LINEAR, _CUBIC_TERM = 2.0 * _SCALE, 2.0 * _SCALE * _CUBIC  # Of 2 u, see `gelu_in_training`.

# Whether GELU is compiled, in each thread: tf.distribute runs a thread a replica.
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
    this thread only, and inside a tf.function while it is traced. What is traced inside needs XLA
    wherever it runs: for our own training, not for SavedModels.

    Example:

    >>> step = tf.function(gelu_in_training)
    >>> with compiled_gelu():
    ...     y = step(tf.zeros([2, 4]))
    >>> y.shape
    TensorShape([2, 4])
    """
    previous, _scope.compiled = getattr(_scope, "compiled", False), True
    try:
        yield
    finally:
        _scope.compiled = previous


@tf.custom_gradient
def gelu_in_training(x):
    """`gelu` that keeps only `x` for its gradient, not each tensor of its formula.

    (1 + tanh(u)) / 2 = sigmoid(2 u), which takes fewer passes over memory.
    """
    if getattr(_scope, "compiled", False) and x.shape.is_fully_defined():
        return _compiled_forward(x), lambda upstream: _compiled_backward(x, upstream)
    return _forward(x), lambda upstream: _backward(x, upstream)


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

# What others call the same functions. Theirs of GELU is the exact one unless told otherwise.
_NAMES = {
    **{function: name for name, function in ACTIVATIONS.items()},
    tf.nn.gelu: "gelu_erf",
    keras.activations.gelu: "gelu_erf",
    keras.activations.relu: "relu",
    keras.activations.tanh: "tanh",
    keras.activations.linear: "linear",
}


def activation_name(activation):
    """The key in `ACTIVATIONS` of a name, or of a function of TensorFlow's or Keras's.

    Raises:
      ValueError: There is no such activation.
    """
    name = _NAMES.get(activation) if callable(activation) else activation
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ValueError(
            f"`activation` must be one of {', '.join(ACTIVATIONS)}, or TensorFlow's or Keras's "
            "function of that kind: configurations and SavedModels have its name only. Received: "
            f"{activation!r}. ('gelu' is the tanh approximation of Google's code, 'gelu_erf' the "
            "exact one, as tf.nn.gelu.)"
        )
    return name


def activate(name, x, training):
    """An activation in the form that is best for training, or without it."""
    if name == "gelu" and training is True:
        return gelu_in_training(x)
    return ACTIVATIONS[name](x)
