"""Multi-head self-attention.

Letters in shapes: B batch, S sequence length, P positions that ask, H hidden size, A attention
heads, D = H / A, T tokens of a batch without its padding.
"""

import tensorflow as tf

from albert_tf._keras import build, keras
from albert_tf.layers.dense import Dense, affine
from albert_tf.layers.dropout import dropout


class SelfAttention(keras.layers.Layer):
    """Multi-head self-attention with its output projection.

    Does not include the residual connection and layer normalization (see `Transformer`).
    Queries, keys and values come from one matrix product; the softmax is float32.

    Args:
      hidden_size: Width of input and output, H.
      num_attention_heads: Heads, A.
      dropout_rate: Dropout rate of the attention probabilities.
      initializer: Keras initializer of the kernels.
      mask_value: What is added to the scores of padding (see `AlbertConfig.attention_mask_value`).

    Inputs:
      x: float tensor [B, S, H] or [B S, H]: without reshapes between them, TensorFlow fuses more.
      mask: int tensor [B, S], 1 for tokens and 0 for padding, that keys are masked by.
      parameters: What `parameters(x.dtype)` returned; default: taken anew.
      grid: `HeadsGrid` of an `x` [T, H] without padding (see `Unpadding`), whose masks are used in
        place of `mask`. Default: `x` has its padding.
      heads: Queries [B, P, H], keys and values [B, S, H], for an `x` [B P, H] of P positions of
        each row. Default: computed from `x`.

    Output:
      float tensor like `x`.

    Reference: https://arxiv.org/abs/1706.03762, section 3.2; `attention_layer` and
    `dot_product_attention` in the original's modeling.py.
    """

    def __init__(
        self,
        hidden_size,
        num_attention_heads,
        dropout_rate=0.0,
        initializer="glorot_uniform",
        mask_value=-10000.0,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.hidden_size = hidden_size
        self.num_attention_heads = num_attention_heads
        self.head_size = hidden_size // num_attention_heads
        self.dropout_rate = dropout_rate
        self.initializer = keras.initializers.get(initializer)
        self.mask_value = mask_value

        dtype = self.dtype_policy
        heads = [num_attention_heads, self.head_size]
        self.query = Dense([hidden_size], heads, self.initializer, name="query", dtype=dtype)
        self.key = Dense([hidden_size], heads, self.initializer, name="key", dtype=dtype)
        self.value = Dense([hidden_size], heads, self.initializer, name="value", dtype=dtype)
        self.attention_output = Dense(
            heads, [hidden_size], self.initializer, name="attention_output", dtype=dtype
        )

    def build(self, input_shape):
        for layer in (self.query, self.key, self.value, self.attention_output):
            build(layer)
        self.built = True

    def parameters(self, dtype):
        """The weights ready to multiply; see `Dense.parameters`."""
        kernels, biases = zip(*(p.parameters(dtype) for p in (self.query, self.key, self.value)))
        return {
            "qkv": (tf.concat(kernels, 1), tf.concat(biases, 0)),  # [H, 3 H], [3 H]
            "output": self.attention_output.parameters(dtype),
        }

    def qkv(self, x, parameters):
        """Queries, keys and values [..., 3 H], one after the other, of `x` [..., H]."""
        return affine(x, *parameters["qkv"])

    def call(self, x, mask, parameters=None, training=None, grid=None, heads=None):
        A, D = self.num_attention_heads, self.head_size
        parameters = parameters or self.parameters(x.dtype)
        B, S = tf.unstack(tf.shape(mask))

        if grid is not None:
            parts = grid.split(tf.reshape(self.qkv(x, parameters), [-1, D]), A)
            contexts = [
                self._context(*tf.unstack(part, num=3), part_mask, training)
                for part, part_mask in zip(parts, grid.masks)
            ]
            context = grid.merge(contexts)  # [T, A, D]
        else:
            if heads is None:
                heads = self._heads(x, parameters, B, S)
            else:
                lengths = [tf.shape(vectors)[1] for vectors in heads]
                heads = [
                    tf.transpose(tf.reshape(vectors, [B, length, A, D]), [0, 2, 1, 3])
                    for vectors, length in zip(heads, lengths)
                ]
            context = self._context(*heads, mask, training)
            context = tf.transpose(context, [0, 2, 1, 3])  # [B, S, A, D]
        return self.attention_output(tf.reshape(context, tf.shape(x)), parameters["output"])

    def _context(self, query, key, value, mask, training):
        """What queries [B, A, P, D] attend to, alike; keys and values are [B, A, S, D]."""
        probabilities = tf.cast(self._probabilities(query, key, mask), value.dtype)
        probabilities = dropout(probabilities, self.dropout_rate, training)
        return tf.matmul(probabilities, value)

    def _probabilities(self, query, key, mask):
        """How much queries [B, A, P, D] attend to keys [B, A, S, D], float32 [B, A, P, S]."""
        query = query * self.head_size**-0.5
        scores = tf.matmul(query, key, transpose_b=True)
        padding = 1.0 - tf.cast(mask, tf.float32)[:, tf.newaxis, tf.newaxis, :]  # [B, 1, 1, S]
        return tf.nn.softmax(tf.cast(scores, tf.float32) + padding * self.mask_value)

    def probabilities(self, x, mask):
        """How much each position of `x` attends to each other, float32 [B, A, S, S]; no dropout."""
        query, key, _ = self._heads(x, self.parameters(x.dtype), *tf.unstack(tf.shape(mask)))
        return self._probabilities(query, key, mask)

    def _heads(self, x, parameters, B, S):
        """Queries, keys and values, each [B, A, S, D], of `x` [B, S, H] or [B S, H]."""
        A, D = self.num_attention_heads, self.head_size
        qkv = tf.reshape(self.qkv(x, parameters), [B, S, 3, A, D])
        return tf.unstack(tf.transpose(qkv, [2, 0, 3, 1, 4]), num=3)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_size": self.hidden_size,
            "num_attention_heads": self.num_attention_heads,
            "dropout_rate": self.dropout_rate,
            "initializer": keras.initializers.serialize(self.initializer),
            "mask_value": self.mask_value,
        }
