"""Layer normalization with the original's epsilon, computed in float32."""

import tensorflow as tf

from albert_tf._keras import add_weight, keras

EPSILON = 1e-12


class LayerNorm(keras.layers.Layer):
    """Normalizes the last axis to mean 0 and variance 1, then scales by gamma and shifts by beta.

    Epsilon is 1e-12, which does not exist in float16: statistics are float32 for every input.

    Args:
      size: Width of the last axis.

    Inputs:
      x: float tensor [..., size].
      parameters: What `parameters()` returned; default: taken anew.
      training: True for a gradient in fewer passes over memory; the numbers are the same.

    Output:
      float tensor like `x`.

    Reference: https://arxiv.org/abs/1607.06450; `layer_norm` in the original's modeling.py.
    """

    def __init__(self, size, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.size = size

    def build(self, input_shape):
        self.gamma = add_weight(self, "gamma", [self.size], "ones")
        self.beta = add_weight(self, "beta", [self.size], "zeros")
        self.built = True

    def parameters(self):
        """(gamma [size], beta [size]), float32; see `Dense.parameters`."""
        return tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta)

    def call(self, x, parameters=None, training=None):
        gamma, beta = parameters or self.parameters()
        apply = normalize_in_training if training is True else normalize
        return tf.cast(apply(tf.cast(x, tf.float32), gamma, beta), x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "size": self.size}


def normalize(x, gamma, beta):
    """Layer normalization of the last axis of a float32 tensor."""
    centered, inverse_stddev = _centered_and_inverse_stddev(x)
    return centered * inverse_stddev * gamma + beta


@tf.custom_gradient
def normalize_in_training(x, gamma, beta):
    """`normalize` that keeps one tensor of the size of `x` for its gradient, with fewer passes."""
    centered, inverse_stddev = _centered_and_inverse_stddev(x)
    normalized = centered * inverse_stddev

    def gradient(upstream):
        to_gamma, to_normalized = upstream * normalized, upstream * gamma
        mean = tf.reduce_mean(to_normalized, -1, keepdims=True)
        slope = tf.reduce_mean(to_gamma * gamma, -1, keepdims=True)
        to_x = (to_normalized - mean - normalized * slope) * inverse_stddev
        rows = list(range(x.shape.rank - 1))
        return to_x, tf.reduce_sum(to_gamma, rows), tf.reduce_sum(upstream, rows)

    return normalized * gamma + beta, gradient


def _centered_and_inverse_stddev(x):
    # Two passes over memory fewer than tf.nn.moments and tf.nn.batch_normalization.
    centered = x - tf.reduce_mean(x, -1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centered), -1, keepdims=True)
    return centered, tf.math.rsqrt(variance + EPSILON)
