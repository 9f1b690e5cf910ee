"""From the encoder's vectors to answers: masked word pieces and the order of sentences."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from albert_tf._keras import add_weight, build, clone_initializer, keras, weights_by_name
from albert_tf._types import Tensor, TensorLike
from albert_tf.layers.activations import ACTIVATIONS, activation_name
from albert_tf.layers.dense import Dense
from albert_tf.layers.layer_norm import LayerNorm


class _Bias(keras.layers.Layer):
    """Adds a trainable vector."""

    def __init__(self, size, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.size = size

    def build(self, input_shape):
        self.bias = add_weight(self, "bias", [self.size], "zeros")
        self.built = True

    def call(self, x):
        return x + tf.convert_to_tensor(self.bias)


@keras.utils.register_keras_serializable(package="albert_tf")
class MaskedLM(keras.layers.Layer):
    """Predicts the word pieces at given positions.

    The output matrix is the encoder's table of word embeddings (tied weights), which is passed in
    and not owned. Does not compute a loss.

    Args:
      vocab_size: Number of word pieces, V.
      embedding_width: Width of the embeddings, E.
      hidden_size: Width of the encoder, H.
      activation: Activation of the transform, the encoder's own.
      initializer: Keras initializer of the transform's kernel.

    Inputs:
      sequence_output: float tensor [batch, length, H].
      masked_lm_positions: int tensor [batch, predictions], each in [0, length). None if
        `sequence_output` [batch, predictions, H] has their vectors only.
      embedding_table: float tensor [V, E], `encoder.embeddings.word_embeddings.table()`.

    Output:
      mlm_logits: float32 tensor [batch, predictions, V].

    Raises:
      tf.errors.InvalidArgumentError: A position is out of the range [0, length) (on CPU; the
        published models read the next sequence of the batch instead).

    Example:

    >>> import albert_tf
    >>> import tensorflow as tf
    >>> masked_lm = albert_tf.MaskedLM(vocab_size=1000, embedding_width=8, hidden_size=16)
    >>> mlm_logits = masked_lm(tf.ones([1, 4, 16]), tf.constant([[1, 2]]), tf.ones([1000, 8]))
    >>> mlm_logits.shape
    TensorShape([1, 2, 1000])

    Reference: arXiv 1909.11942, section 3; `get_masked_lm_output` in the original's
    run_pretraining.py.
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_width: int,
        hidden_size: int,
        activation: str | Callable = "gelu",
        initializer: str | Callable = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        self.vocab_size = vocab_size
        self.embedding_width = embedding_width
        self.hidden_size = hidden_size
        self.activation = activation_name(activation)
        self.initializer = clone_initializer(initializer)
        # In the order of the variables of the published `.mlm`.
        self.output_bias = _Bias(vocab_size, name="output_bias")
        self.transform = Dense([hidden_size], [embedding_width], self.initializer, name="dense")
        self.layer_norm = LayerNorm(embedding_width, name="LayerNorm")
        build(self.output_bias, at_root=True, below="bert/cls/predictions")
        build(self.transform, at_root=True, below="bert/cls/predictions/transform")
        build(self.layer_norm, at_root=True, below="bert/cls/predictions/transform")
        self.built = True

    def call(
        self, sequence_output: Tensor, masked_lm_positions: TensorLike, embedding_table: Tensor
    ) -> Tensor:
        x = sequence_output  # [B, P, H]
        if masked_lm_positions is not None:
            x = tf.gather(x, masked_lm_positions, batch_dims=1)
        x = self.layer_norm(ACTIVATIONS[self.activation](self.transform(x)))  # [B, P, E]
        table = tf.cast(embedding_table, x.dtype)
        logits = tf.matmul(tf.reshape(x, [-1, self.embedding_width]), table, transpose_b=True)
        logits = self.output_bias(tf.cast(logits, tf.float32))  # [B P, V]
        return tf.reshape(logits, tf.concat([tf.shape(x)[:2], [self.vocab_size]], 0))

    def build(self, input_shape: object = None) -> None:
        """Does nothing: the constructor has built everything."""

    def weights_by_name(self) -> dict[str, Any]:
        """The head's weights as {name in the published SavedModels: Keras weight}."""
        return weights_by_name(self)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "vocab_size": self.vocab_size,
            "embedding_width": self.embedding_width,
            "hidden_size": self.hidden_size,
            "activation": self.activation,
            "initializer": keras.initializers.serialize(self.initializer),
        }


@keras.utils.register_keras_serializable(package="albert_tf")
class SentenceOrder(keras.layers.Layer):
    """Tells whether two segments stand in their original order (class 0) or swapped (class 1).

    Args:
      hidden_size: Width of the encoder, H.
      initializer: Keras initializer of the kernel.

    Input:
      pooled_output: float tensor [batch, H].

    Output:
      sop_logits: float32 tensor [batch, 2].

    Example:

    >>> import albert_tf
    >>> import tensorflow as tf
    >>> albert_tf.SentenceOrder(hidden_size=16)(tf.ones([3, 16])).shape
    TensorShape([3, 2])

    Reference: arXiv 1909.11942, section 3.1; `get_sentence_order_output` in the original's
    run_pretraining.py.
    """

    def __init__(
        self, hidden_size: int, initializer: str | Callable = "glorot_uniform", **kwargs: Any
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        self.hidden_size = hidden_size
        self.initializer = clone_initializer(initializer)
        self.logits = Dense([hidden_size], [2], self.initializer, name="seq_relationship")
        build(self.logits, at_root=True, below="bert/cls")
        self.built = True

    def call(self, pooled_output: Tensor) -> Tensor:
        return tf.cast(self.logits(pooled_output), tf.float32)

    def build(self, input_shape: object = None) -> None:
        """Does nothing: the constructor has built everything."""

    def weights_by_name(self) -> dict[str, Any]:
        """The head's weights as {name in exported SavedModels: Keras weight}."""
        return weights_by_name(self)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "hidden_size": self.hidden_size,
            "initializer": keras.initializers.serialize(self.initializer),
        }
