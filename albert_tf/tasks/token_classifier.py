"""A class for each token: tagging, named entities."""

from typing import Any

import tensorflow as tf

from albert_tf._keras import build, keras
from albert_tf._types import Inputs, Tensor, TensorLike
from albert_tf.checkpoints.checkpoint import Checkpoint
from albert_tf.checkpoints.task_head import number_of_classes
from albert_tf.encoder import AlbertEncoder
from albert_tf.inputs import unpack_inputs
from albert_tf.layers.dense import Dense
from albert_tf.layers.dropout import dropout
from albert_tf.tasks.head_names import TOKEN_CLASSIFIER_WEIGHTS
from albert_tf.tasks.task_model import (
    TaskModel,
    check_dropout_rate,
    check_encoder,
    check_num_classes,
)


@keras.utils.register_keras_serializable(package="albert_tf")
class AlbertTokenClassifier(TaskModel):
    """ALBERT that classifies every token.

    Includes the encoder, dropout on its sequence output and a linear layer; not the tokenizer, nor
    the way from words to tokens. Train it with `token_classification_loss`. The pooler's weights
    take no part, so that `fit` warns that they have no gradients.

    Args:
      encoder: An `AlbertEncoder`.
      num_classes: Number of classes, at least 2.
      dropout_rate: Dropout rate of the sequence output.
      **kwargs: `rules` (see `TaskModel`), `name` and `trainable` of a Keras model.

    Inputs: as of `AlbertClassifier`, int32 or int64 [batch, length].

    Output:
      logits: float32 [batch, length, num_classes], also at [CLS], [SEP] and padding.

    Raises:
      TypeError: `encoder` is no `AlbertEncoder`.
      ValueError: An argument or an input is not as above.

    Example:

    >>> import albert_tf
    >>> from albert_tf.tasks.token_classifier import token_classification_loss
    >>> import tensorflow as tf
    >>> encoder = albert_tf.AlbertEncoder(1000, embedding_width=8, hidden_size=16, num_layers=2,
    ...                                   num_attention_heads=2, intermediate_size=32)
    >>> ids = tf.constant([[2, 9, 4, 3]])
    >>> tagger = albert_tf.AlbertTokenClassifier(encoder, num_classes=5)
    >>> logits = tagger([ids, tf.ones_like(ids), tf.zeros_like(ids)])
    >>> logits.shape
    TensorShape([1, 4, 5])
    >>> token_classification_loss([[-1, 0, 4, -1]], logits).shape
    TensorShape([1])

    Reference: arXiv 1810.04805, section 5.3 (the original's code has no such task).
    """

    head_weight_names = TOKEN_CLASSIFIER_WEIGHTS
    hugging_face_class = "AlbertForTokenClassification"

    def __init__(
        self, encoder: AlbertEncoder, num_classes: int, dropout_rate: float = 0.1, **kwargs: Any
    ) -> None:
        check_encoder(encoder)
        check_num_classes(num_classes, minimum=2)
        check_dropout_rate(dropout_rate)
        hidden_size = encoder.albert_config.hidden_size
        head = Dense([hidden_size], [num_classes], encoder.initializer, name="classifier")
        build(head, at_root=True)
        super().__init__(encoder, head, **kwargs)
        self.num_classes = num_classes
        self.dropout_rate = dropout_rate

    @classmethod
    def stored_arguments(cls, checkpoint: Checkpoint) -> dict[str, Any]:
        return {"num_classes": number_of_classes(checkpoint, cls.head_weight_names)}

    def call(
        self, inputs: Inputs, training: bool | None = None, mask: TensorLike | None = None
    ) -> Tensor:
        outputs = self.encoder.encode(*unpack_inputs(inputs, mask=mask), training=training)
        sequence = dropout(outputs["sequence_output"], self.dropout_rate, training)
        return self.head(tf.cast(sequence, tf.float32))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "dropout_rate": self.dropout_rate,
        }


@keras.utils.register_keras_serializable(package="albert_tf")
def token_classification_loss(labels: TensorLike, logits: TensorLike) -> Tensor:
    """Mean cross entropy of each example's labelled tokens, for `compile(loss=...)` and loops.

    The mean is over an example, not over the batch, so that it does not depend on how a batch is
    divided among devices.

    Args:
      labels: int (or whole float) tensor [batch, length], the index of the right class. Negative
        (such as -100 or -1) where a token has none: special tokens, padding, all pieces of a word
        but the first.
      logits: float tensor [batch, length, classes].

    Returns:
      float32 tensor [batch]; 0 for an example without labels.

    Example:
      >>> import albert_tf
      >>> import tensorflow as tf
      >>> labels = [[-1, 0, 1, -1], [-1, -1, -1, -1]]
      >>> print(albert_tf.token_classification_loss(labels, tf.zeros([2, 4, 2])).numpy().round(2))
      [0.69 0.  ]
    """
    labels = tf.cast(labels, tf.int32)
    weights = tf.cast(labels >= 0, tf.float32)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
        tf.maximum(labels, 0), tf.cast(logits, tf.float32)
    )
    return tf.math.divide_no_nan(tf.reduce_sum(losses * weights, 1), tf.reduce_sum(weights, 1))
