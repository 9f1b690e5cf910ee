"""The activations of the feed-forward and masked LM layers."""

import math

import tensorflow as tf

_SCALE, _CUBIC = math.sqrt(2.0 / math.pi), 0.044715


def gelu(x):
    """Gaussian error linear unit in the tanh approximation, as all published ALBERTs use it.

    0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), written without tf.pow, which is slow.

    Reference: https://arxiv.org/abs/1606.08415; the original's modeling.py, `gelu`.
    """
    # In this order TensorFlow fuses it with the matrix product before it.
    return 0.5 * x * (1.0 + tf.tanh(_SCALE * (x + _CUBIC * (x * x * x))))


@tf.custom_gradient
def gelu_in_training(x):
    """`gelu` that keeps only `x` for its gradient, not each tensor of its formula.

    (1 + tanh(u)) / 2 = sigmoid(2 u), which takes fewer passes over memory.
    """
    linear, cubic = 2.0 * _SCALE, 2.0 * _SCALE * _CUBIC

    def parts():
        squared = tf.square(x)
        return squared, tf.sigmoid(x * (linear + cubic * squared))

    def gradient(upstream):
        squared, gate = parts()
        slope = linear + 3.0 * cubic * squared  # Of 2 u.
        # In this order float16 does not overflow before |x| = 256.
        return upstream * (gate + slope * tf.raw_ops.SigmoidGrad(y=gate, dy=x))

    return x * parts()[1], gradient


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
