"""Layer normalization with the original's epsilon, computed in float32."""

import tensorflow as tf

from albert_tf._keras import add_weight, keras
from albert_tf.layers.gradients import record_gradient

EPSILON = 1e-12


class LayerNorm(keras.layers.Layer):
    """Normalizes the last axis to mean 0 and variance 1, then scales by gamma and shifts by beta.

    Epsilon is 1e-12, which does not exist in float16: statistics are float32 for every input.

    Args:
      size: Width of the last axis.

    Inputs:
      x: float tensor [..., size].
      parameters: What `parameters()` returned; default: taken anew.

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

    def call(self, x, parameters=None):
        gamma, beta = parameters or self.parameters()
        return tf.cast(normalize(tf.cast(x, tf.float32)) * gamma + beta, x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "size": self.size}


def normalize(x):
    """A float32 tensor with mean 0 and variance 1 along its last axis.

    For its gradient, it keeps one tensor of the size of `x`, not each of its formula.
    """
    # Two passes over memory fewer than tf.nn.moments and tf.nn.batch_normalization.
    centered = x - tf.reduce_mean(x, -1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centered), -1, keepdims=True)
    inverse_stddev = tf.math.rsqrt(variance + EPSILON)
    normalized = centered * inverse_stddev
    record_gradient("AlbertNormalize", [x, inverse_stddev], normalized)
    return normalized


@tf.RegisterGradient("AlbertNormalize")
def _normalize_gradient(op, upstream):
    inverse_stddev, normalized = op.inputs[1], op.outputs[0]
    mean = tf.reduce_mean(upstream, -1, keepdims=True)
    slope = tf.reduce_mean(upstream * normalized, -1, keepdims=True)
    return (upstream - mean - normalized * slope) * inverse_stddev, None
