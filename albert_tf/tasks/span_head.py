"""The simple head for spans: where the answer starts, and where it ends."""

import tensorflow as tf

from albert_tf._keras import build, clone_initializer, keras
from albert_tf.layers.dense import Dense


class SpanHead(keras.layers.Layer):
    """Scores each token as the first and as the last of the answer, independently.

    Args:
      hidden_size: Width of the encoder, H.
      initializer: Keras initializer of the kernel.

    Input:
      sequence_output: float tensor [batch, length, H].

    Output:
      dict of start_logits and end_logits, float32 [batch, length], at every position.

    Reference: `create_v1_model` in the original's squad_utils.py.
    """

    def __init__(self, hidden_size, initializer="glorot_uniform", **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.dense = Dense([hidden_size], [2], clone_initializer(initializer), name="span")
        build(self.dense, at_root=True)
        self.built = True

    def call(self, sequence_output):
        logits = self.dense(tf.cast(sequence_output, tf.float32))  # [B, S, 2]
        start_logits, end_logits = tf.unstack(logits, num=2, axis=-1)
        return {"start_logits": start_logits, "end_logits": end_logits}

    def build(self, input_shape=None):
        """Does nothing: the constructor has built everything."""
