"""One vector for each text, as fine-tuning learns it."""

from typing import Any

import tensorflow as tf

from albert_tf._keras import keras
from albert_tf._types import Inputs, Tensor, TensorLike
from albert_tf.encoder import AlbertEncoder
from albert_tf.ids_model import IdsModel
from albert_tf.inputs import unpack_inputs
from albert_tf.tasks.task_model import check_encoder


@keras.utils.register_keras_serializable(package="albert_tf")
class AlbertEmbedder(IdsModel):
    """ALBERT that turns each of several texts a row into a vector of length 1.

    Includes the encoder and the mean of a text's token vectors, [CLS] and [SEP] included; not the
    tokenizer. It has no weights but the encoder's, of which `export_embedder` makes the SavedModel.

    Args:
      encoder: An `AlbertEncoder`.
      **kwargs: `name` and `trainable` of a Keras model.

    Inputs: as of `AlbertMultipleChoice`, int32 or int64 [batch, texts, length].

    Output:
      vectors: float32 [batch, texts, H]; of a text without any token, zeros.

    Raises:
      TypeError: `encoder` is no `AlbertEncoder`.
      ValueError: An input is not as above.

    Example:

    >>> import albert_tf
    >>> from albert_tf.tasks.embedder import AlbertEmbedder
    >>> import tensorflow as tf
    >>> encoder = albert_tf.AlbertEncoder(1000, embedding_width=8, hidden_size=16, num_layers=2,
    ...                                   num_attention_heads=2, intermediate_size=32)
    >>> ids = tf.constant([[[2, 9, 3], [2, 8, 3]]])
    >>> AlbertEmbedder(encoder)([ids, tf.ones_like(ids), tf.zeros_like(ids)]).shape
    TensorShape([1, 2, 16])

    Reference: N. Reimers and I. Gurevych, "Sentence-BERT", arXiv 1908.10084, section 3.
    """

    input_rank = 3

    def __init__(self, encoder: AlbertEncoder, **kwargs: Any) -> None:
        check_encoder(encoder)
        super().__init__(dtype=encoder.dtype_policy, **kwargs)
        self.encoder = encoder
        self.built = True

    def call(
        self, inputs: Inputs, training: bool | None = None, mask: TensorLike | None = None
    ) -> Tensor:
        inputs = unpack_inputs(inputs, mask=mask, rank=self.input_rank)
        shape = tf.shape(inputs[0])
        word_ids, mask, type_ids = (tf.reshape(tensor, [-1, shape[2]]) for tensor in inputs)
        tokens = self.encoder.encode(word_ids, mask, type_ids, training)["sequence_output"]
        vectors = tf.math.l2_normalize(mean_of_tokens(tokens, mask), -1)
        width = vectors.shape[-1]
        vectors = tf.reshape(vectors, [shape[0], shape[1], width])
        return tf.ensure_shape(vectors, [*inputs[0].shape[:2], width])

    def weights_by_name(self) -> dict[str, Any]:
        """All weights as {stable name: Keras weight}: the encoder's."""
        return self.encoder.weights_by_name()

    def get_config(self) -> dict[str, Any]:
        return {
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config: dict) -> "AlbertEmbedder":
        encoder = keras.saving.deserialize_keras_object(config["encoder"])
        return cls(**{**config, "encoder": encoder})


def mean_of_tokens(layer, mask):
    """The mean of the token vectors of each text, float32 [batch, H].

    Args:
      layer: float tensor [batch, length, H].
      mask: int tensor [batch, length], 1 for tokens and 0 for padding.

    Example:

    >>> from albert_tf.tasks.embedder import mean_of_tokens
    >>> import tensorflow as tf
    >>> mean_of_tokens(tf.constant([[[1.0], [3.0], [9.0]]]), tf.constant([[1, 1, 0]])).numpy()
    array([[2.]], dtype=float32)
    """
    weights = tf.cast(mask > 0, tf.float32)[:, :, tf.newaxis]
    # By `where`, for the vectors of padding may be anything.
    tokens = tf.where(weights > 0, tf.cast(layer, tf.float32), 0.0)
    return tf.reduce_sum(tokens, 1) / tf.maximum(tf.reduce_sum(weights, 1), 1.0)
