"""The head of SQuAD 2.0: the end depends on the start, and there may be no answer.

Letters in shapes: B batch, S sequence length, H hidden size, K starts that are followed up, J ends
for each of them.
"""

import tensorflow as tf

from albert_tf._keras import add_weight, build, clone_initializer, keras
from albert_tf.layers.dense import Dense, affine
from albert_tf.layers.dropout import dropout
from albert_tf.layers.layer_norm import LayerNorm

# Logit of a position that cannot be part of an answer.
_FORBIDDEN = -1e30


class ConditionalSpanHead(keras.layers.Layer):
    """Scores starts, ends given a start, and whether there is no answer.

    Args:
      hidden_size: Width of the encoder, H.
      initializer: Keras initializer of the kernels.
      dropout_rate: Dropout rate of the hidden layer of the answer class, the only one there is.
      start_n_top: Number of best starts that predictions follow up, K.
      end_n_top: Number of best ends for each of them, J.

    Inputs:
      sequence_output: float tensor [B, S, H].
      p_mask: int tensor [B, S], 1 where no answer can start or end.
      start_positions: None to predict, or int tensor [B], the starts that ends depend on.

    Output: see `AlbertSpanLabeler`.

    Reference: `create_v2_model` in the original's squad_utils.py, after arXiv 1906.08237.
    """

    def __init__(
        self,
        hidden_size,
        initializer="glorot_uniform",
        dropout_rate=0.1,
        start_n_top=5,
        end_n_top=5,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.hidden_size = hidden_size
        self.initializer = clone_initializer(initializer)
        self.dropout_rate = dropout_rate
        self.start_n_top = start_n_top
        self.end_n_top = end_n_top

        def dense(name, below, width_in, width_out):
            layer = Dense([width_in], [width_out], self.initializer, name=name)
            build(layer, at_root=True, below=below)
            return layer

        H = hidden_size
        self.start = dense("dense", "start_logits", H, 1)
        self.end_hidden = dense("dense_0", "end_logits", 2 * H, H)
        self.end_norm = LayerNorm(H, name="LayerNorm")
        build(self.end_norm, at_root=True, below="end_logits")
        self.end = dense("dense_1", "end_logits", H, 1)
        self.answer_hidden = dense("dense_0", "answer_class", 2 * H, H)
        self.answer = _Kernel(H, 1, self.initializer, name="dense_1")
        build(self.answer, at_root=True, below="answer_class")
        self.built = True

    def call(self, sequence_output, p_mask, start_positions=None, training=None):
        start_logits = tf.squeeze(self.start(tf.cast(sequence_output, tf.float32)), -1)  # [B, S]
        start_logits = _mask(start_logits, p_mask)
        cls_logits = self._cls_logits(sequence_output, start_logits, training)
        if start_positions is not None:
            starts = start_positions[:, tf.newaxis]
            end_logits = self._end_logits(sequence_output, starts, p_mask)
            return {
                "start_logits": start_logits,
                "end_logits": tf.squeeze(end_logits, 1),
                "cls_logits": cls_logits,
            }
        start_log_probs, starts = _top(tf.nn.log_softmax(start_logits), self.start_n_top)  # [B, K]
        end_logits = self._end_logits(sequence_output, starts, p_mask)  # [B, K, S]
        end_log_probs, ends = _top(tf.nn.log_softmax(end_logits), self.end_n_top)  # [B, K, J]
        return {
            "start_top_log_probs": start_log_probs,
            "start_top_index": starts,
            "end_top_log_probs": _merge_last(end_log_probs),
            "end_top_index": _merge_last(ends),
            "cls_logits": cls_logits,
        }

    def _end_logits(self, sequence, starts, p_mask):
        """Logits of ends for each of some starts [B, K], float32 [B, K, S]."""
        # A product with the vectors of both, one after the other, is the sum of two products: the
        # larger one is the same for all starts.
        kernel, bias = (
            tf.cast(tf.convert_to_tensor(weight), sequence.dtype)
            for weight in (self.end_hidden.kernel, self.end_hidden.bias)
        )  # [2 H, H] and [H]
        by_token = affine(sequence, kernel[: self.hidden_size], bias)  # [B, S, H]
        by_start = tf.gather(sequence, starts, batch_dims=1)  # [B, K, H]
        by_start = affine(by_start, kernel[self.hidden_size :], tf.zeros_like(bias))
        hidden = tf.tanh(by_token[:, tf.newaxis] + by_start[:, :, tf.newaxis])  # [B, K, S, H]
        hidden = tf.cast(self.end_norm(hidden), tf.float32)
        return _mask(tf.squeeze(self.end(hidden), -1), p_mask[:, tf.newaxis])

    def _cls_logits(self, sequence, start_logits, training):
        """Logit of there being no answer, float32 [B]."""
        weights = tf.cast(tf.nn.softmax(start_logits), sequence.dtype)[:, tf.newaxis]  # [B, 1, S]
        start = tf.squeeze(tf.matmul(weights, sequence), 1)  # [B, H]
        hidden = tf.tanh(self.answer_hidden(tf.concat([start, sequence[:, 0]], -1)))
        hidden = dropout(hidden, self.dropout_rate, training)
        return tf.squeeze(self.answer(tf.cast(hidden, tf.float32)), -1)

    def build(self, input_shape=None):
        """Does nothing: the constructor has built everything."""


class _Kernel(keras.layers.Layer):
    """`x @ kernel`, without bias."""

    def __init__(self, width_in, width_out, initializer, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.shape_of_kernel = [width_in, width_out]
        self.initializer = clone_initializer(initializer)

    def build(self, input_shape):
        self.kernel = add_weight(self, "kernel", self.shape_of_kernel, self.initializer)
        self.built = True

    def call(self, x):
        return tf.matmul(x, tf.cast(tf.convert_to_tensor(self.kernel), x.dtype))


def _mask(logits, p_mask):
    return tf.where(tf.cast(p_mask, tf.bool), _FORBIDDEN, logits)


def _top(values, k):
    """The k largest values of the last axis with their indices, or all if they are fewer."""
    length = values.shape[-1]
    k = tf.minimum(tf.shape(values)[-1], k) if length is None else min(k, length)
    return tf.math.top_k(values, k)


def _merge_last(x):
    shape = tf.shape(x)
    merged = tf.reshape(x, [shape[0], shape[1] * shape[2]])
    static = None if None in x.shape[1:] else x.shape[1] * x.shape[2]
    return tf.ensure_shape(merged, [x.shape[0], static])
