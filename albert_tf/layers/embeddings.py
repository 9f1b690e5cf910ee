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

    Output:
      Tensor [B, S, E] in the layer's compute dtype.

    Raises:
      ValueError: The static length exceeds `max_sequence_length`. (A length known at run time
        only raises tf.errors.InvalidArgumentError with the same message.)

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

    def call(self, word_ids, type_ids, training=None):
        positions = self._position_embeddings(word_ids)  # [S, E]
        # Few rows: a product with a one-hot matrix is faster than a gather, and its gradient
        # dense, on every device.
        types = tf.one_hot(type_ids, self.type_vocab_size)  # [B, S, type_vocab_size]
        types = tf.linalg.matmul(types, self.type_embeddings.table())
        x = self.word_embeddings(word_ids) + types + positions
        x = dropout(self.layer_norm(x), self.dropout_rate, training)
        return tf.cast(x, self.compute_dtype)

    def _position_embeddings(self, word_ids):
        limit = self.max_sequence_length
        rule = f"Inputs must not be longer than max_sequence_length={limit} tokens."
        way_out = "Shorten the text (`seq_length` of the preprocessor), or split it."
        static_length = word_ids.shape[1]
        if static_length is not None and static_length > limit:
            raise ValueError(f"{rule} Received: length {static_length}. {way_out}")
        length = tf.shape(word_ids)[1]
        checks = []
        if static_length is None:
            checks = [
                tf.debugging.Assert(length <= limit, [rule, "Received: length", length, way_out])
            ]
        with tf.control_dependencies(checks):
            # tf.slice fails beyond the table's end, where indexing would return fewer rows.
            return tf.slice(self.position_embedding.table(), [0, 0], [length, -1])

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
