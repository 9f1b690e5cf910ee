"""The affine layer that every matrix product of ALBERT goes through."""

import math

import tensorflow as tf

from albert_tf._keras import add_weight, clone_initializer, keras


class Dense(keras.layers.Layer):
    """`x @ kernel + bias`, with the kernel and bias shapes of the published models.

    Attention weights are stored by head, such as [H, A, D], but always multiplied as the matrix
    [H, A * D]: one large product is what processors are fast at. No activation.

    Args:
      input_dims: Dimensions of the kernel that the input has, such as `[H]` or `[A, D]`.
      output_dims: Dimensions of the kernel that the output has; also the bias's shape.
      initializer: Keras initializer of the kernel. The bias starts at zero.

    Inputs:
      x: float tensor [..., prod(input_dims)].
      parameters: What `parameters(x.dtype)` returned; default: taken anew.

    Output:
      float tensor [..., prod(output_dims)], dtype of `x`.

    Example:

    >>> from albert_tf.layers.dense import Dense
    >>> import tensorflow as tf
    >>> Dense([8], [2, 4], "zeros", name="query")(tf.ones([3, 8])).shape
    TensorShape([3, 8])
    """

    def __init__(self, input_dims, output_dims, initializer, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.input_dims = list(input_dims)
        self.output_dims = list(output_dims)
        self.initializer = clone_initializer(initializer)

    def build(self, input_shape):
        shape = self.input_dims + self.output_dims
        self.kernel = add_weight(self, "kernel", shape, self.initializer)
        self.bias = add_weight(self, "bias", self.output_dims, "zeros")
        self.built = True

    def parameters(self, dtype):
        """The weights ready to multiply: (kernel [M, N], bias [N]) in `dtype`.

        A layer that is applied again and again takes them once and passes them to each call.
        """
        matrix = [math.prod(self.input_dims), math.prod(self.output_dims)]
        kernel = tf.reshape(tf.convert_to_tensor(self.kernel), matrix)
        bias = tf.reshape(tf.convert_to_tensor(self.bias), matrix[1:])
        return tf.cast(kernel, dtype), tf.cast(bias, dtype)

    def call(self, x, parameters=None):
        return affine(x, *(parameters or self.parameters(x.dtype)))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], math.prod(self.output_dims))

    def get_config(self):
        return {
            **super().get_config(),
            "input_dims": self.input_dims,
            "output_dims": self.output_dims,
            "initializer": keras.initializers.serialize(self.initializer),
        }


def affine(x, kernel, bias):
    """`x @ kernel + bias` as one two-dimensional product, which TensorFlow fuses with the bias.

    Args:
      x: float tensor [..., M].
      kernel: float tensor [M, N].
      bias: float tensor [N].

    Returns:
      float tensor [..., N].
    """
    if x.shape.rank == 2:
        return tf.nn.bias_add(tf.matmul(x, kernel), bias)
    y = tf.nn.bias_add(tf.matmul(tf.reshape(x, [-1, kernel.shape[0]]), kernel), bias)
    return tf.reshape(y, tf.concat([tf.shape(x)[:-1], [kernel.shape[1]]], 0))
