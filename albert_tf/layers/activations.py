"""The activations of the feed-forward and masked LM layers."""

import math

import tensorflow as tf


def gelu(x):
    """Gaussian error linear unit in the tanh approximation, as all published ALBERTs use it.

    0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), written without tf.pow, which is slow.

    Reference: https://arxiv.org/abs/1606.08415; the original's modeling.py, `gelu`.
    """
    # In this order TensorFlow fuses it with the matrix product before it.
    return 0.5 * x * (1.0 + tf.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * (x * x * x))))


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
