"""Layer normalization with the original's epsilon, computed in float32."""

import tensorflow as tf

from albert_tf._keras import add_weight, keras


class LayerNorm(keras.layers.Layer):
    """Normalizes the last axis to mean 0 and variance 1, then scales by gamma and shifts by beta.

    Epsilon is 1e-12, which does not exist in float16: statistics are float32 for every input.

    Args:
      size: Width of the last axis.

    Input:
      x: float tensor [..., size].

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

    def call(self, x):
        x32 = tf.cast(x, tf.float32)
        mean, variance = tf.nn.moments(x32, axes=-1, keepdims=True)
        gamma, beta = tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta)
        y = tf.nn.batch_normalization(x32, mean, variance, beta, gamma, self.EPSILON)
        return tf.cast(y, x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "size": self.size}
