"""From token ids to the vectors that enter the transformer.

Letters in shapes: B batch, S sequence length, E embedding size, V vocabulary size.
"""

import tensorflow as tf

from albert_tf._keras import add_weight, build, clone_initializer, keras, tf_variable
from albert_tf.layers.dropout import dropout
from albert_tf.layers.layer_norm import LayerNorm


class EmbeddingTable(keras.layers.Layer):
    """A trainable table of `size` vectors of width `width`, in the weight `embeddings`."""

    def __init__(self, size, width, initializer, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.size = size
        self.width = width
        self.initializer = clone_initializer(initializer)

    def build(self, input_shape):
        self.embeddings = add_weight(self, "embeddings", [self.size, self.width], self.initializer)
        self.built = True

    def table(self):
        """The whole table, float32 [size, width]."""
        return tf.convert_to_tensor(self.embeddings)

    def call(self, ids):
        # Through the variable, not its value: the gradient is then a sparse update of a few rows.
        return tf.gather(tf_variable(self.embeddings), ids)

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "width": self.width,
            "initializer": keras.initializers.serialize(self.initializer),
        }


class Embeddings(keras.layers.Layer):
    """Word, position and segment embeddings, summed, normalized and dropped out.

    Does not include the projection to the encoder's width (see `AlbertEncoder`).

    Args:
      vocab_size: Number of word pieces, V.
      embedding_width: Width of the embeddings, E.
      max_sequence_length: Longest input in tokens.
      type_vocab_size: Number of segment ids.
      dropout_rate: Dropout rate of the output.
      initializer: Keras initializer of the three tables.

    Inputs:
      word_ids: int tensor [B, S], each in [0, V).
      type_ids: int tensor [B, S], each in [0, type_vocab_size). An id outside counts as no
        segment, as in the published SavedModels.
      mask: int tensor [B, S], 1 for tokens and 0 for padding; default: all tokens. Padding may lie
        beyond `max_sequence_length`.

    Output:
      Tensor [B, S, E] in the layer's compute dtype.

    Raises:
      tf.errors.InvalidArgumentError: A token lies beyond `max_sequence_length`, or a word id is
        out of range. (Under XLA, which has no errors at run time, the row's output is NaN; on GPUs,
        too, for word ids.)

    Reference: arXiv 1909.11942, section 3.1; `embedding_lookup` and `embedding_postprocessor` in
    the original's modeling.py.
    """

    def __init__(
        self,
        vocab_size,
        embedding_width,
        max_sequence_length=512,
        type_vocab_size=2,
        dropout_rate=0.0,
        initializer="uniform",
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.max_sequence_length = max_sequence_length
        self.type_vocab_size = type_vocab_size
        self.dropout_rate = dropout_rate
        self.initializer = keras.initializers.get(initializer)

        def table(name, size):
            return EmbeddingTable(
                size, embedding_width, self.initializer, name=name, dtype=self.dtype_policy
            )

        self.word_embeddings = table("word_embeddings", vocab_size)
        self.position_embedding = table("position_embedding", max_sequence_length)
        self.type_embeddings = table("type_embeddings", type_vocab_size)
        self.layer_norm = LayerNorm(embedding_width, name="layer_norm", dtype=self.dtype_policy)

    def build(self, input_shape):
        # The published names of the tables have no layer above them.
        build(self.word_embeddings, at_root=True)
        build(self.position_embedding, at_root=True)
        build(self.type_embeddings, at_root=True)
        build(self.layer_norm)
        self.built = True

    def call(self, word_ids, type_ids, mask=None, training=None):
        positions = self._position_embeddings(tf.ones_like(word_ids) if mask is None else mask)
        known = (word_ids >= 0) & (word_ids < self.word_embeddings.size)
        # XLA would take the nearest word and a GPU zeros; there, the row becomes NaN.
        mark = tf.where(known, 0.0, float("nan"))[..., tf.newaxis]
        x = self.word_embeddings(word_ids) + self.type_vectors(type_ids, mark) + positions
        x = dropout(self.layer_norm(x), self.dropout_rate, training)
        return tf.cast(x, self.compute_dtype)

    def type_vectors(self, type_ids, mark):
        """The vectors of segment ids, [B, S, E]; NaN where `mark` [B, S, 1] is."""
        # Few rows: a product with a one-hot matrix is faster than a gather, and its gradient
        # dense, on every device.
        types = tf.one_hot(type_ids, self.type_vocab_size)  # [B, S, type_vocab_size]
        return tf.linalg.matmul(types + mark, self.type_embeddings.table())

    def _position_embeddings(self, mask):
        """Vectors of the positions, [S, E] or [B, S, E]; zero for padding beyond the table."""
        table, limit = self.position_embedding.table(), self.max_sequence_length
        length = mask.shape[1]
        if length is not None and length <= limit:
            return table[:length]
        length = tf.shape(mask)[1]
        padding = tf.zeros([tf.maximum(length - limit, 0), table.shape[1]])
        positions = tf.concat([table[:length], padding], 0)

        # A row without any token attends to all positions, those beyond the table included.
        beyond = tf.reduce_any(mask[:, limit:] != 0, 1) | tf.reduce_all(mask == 0, 1)
        wrong = beyond & (length > limit)  # [B]
        message = [
            f"Inputs must not be longer than max_sequence_length={limit} tokens; only padding may "
            "lie beyond. Received: length",
            length,
            "Shorten the text (`seq_length` of the preprocessor), or split it.",
        ]
        with tf.control_dependencies([tf.debugging.Assert(~tf.reduce_any(wrong), message)]):
            # XLA drops assertions; there, such a row becomes NaN.
            mark = tf.where(wrong, float("nan"), 0.0)[:, tf.newaxis, tf.newaxis]
            return positions + mark

    def get_config(self):
        return {
            **super().get_config(),
            "vocab_size": self.word_embeddings.size,
            "embedding_width": self.word_embeddings.width,
            "max_sequence_length": self.max_sequence_length,
            "type_vocab_size": self.type_vocab_size,
            "dropout_rate": self.dropout_rate,
            "initializer": keras.initializers.serialize(self.initializer),
        }
