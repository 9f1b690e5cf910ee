"""Layer normalization with the original's epsilon, computed in float32."""

import tensorflow as tf

from albert_tf._keras import add_weight, keras


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

    EPSILON = 1e-12

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
        x32 = tf.cast(x, tf.float32)
        # Two passes over memory fewer than tf.nn.moments and tf.nn.batch_normalization.
        centered = x32 - tf.reduce_mean(x32, -1, keepdims=True)
        variance = tf.reduce_mean(tf.square(centered), -1, keepdims=True)
        y = centered * tf.math.rsqrt(variance + self.EPSILON) * gamma + beta
        return tf.cast(y, x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "size": self.size}
