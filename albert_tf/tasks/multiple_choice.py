"""The right one of several choices, such as RACE's."""

from typing import Any

import tensorflow as tf

from albert_tf._keras import build, keras
from albert_tf._types import Inputs, Tensor, TensorLike
from albert_tf.encoder import AlbertEncoder
from albert_tf.inputs import unpack_inputs
from albert_tf.layers.dense import Dense
from albert_tf.layers.dropout import dropout
from albert_tf.tasks.head_names import CLASSIFIER_WEIGHTS
from albert_tf.tasks.task_model import TaskModel, check_dropout_rate, check_encoder


@keras.utils.register_keras_serializable(package="albert_tf")
class AlbertMultipleChoice(TaskModel):
    """ALBERT that scores the choices of a question, each packed with the context.

    Includes the encoder, dropout on its pooled output and a linear layer with one output; not the
    tokenizer. Train it with `albert_tf.tasks.classifier.classification_loss`. The number of choices
    is that of the inputs.

    Args:
      encoder: An `AlbertEncoder`.
      dropout_rate: Dropout rate of the pooled output.
      **kwargs: `rules` (see `TaskModel`), `name` and `trainable` of a Keras model.

    Inputs: a list `[input_word_ids, input_mask, segment_ids]`, a dict with the keys
    `input_word_ids`, `input_mask`, `input_type_ids`, or `input_word_ids` alone, int32 or int64
    [batch, choices, length] of one shape. The original packs each choice as [CLS] context [SEP]
    question and choice [SEP].

    Output:
      logits: float32 [batch, choices], one number a choice; a softmax makes probabilities of them.

    Raises:
      TypeError: `encoder` is no `AlbertEncoder`.
      ValueError: An argument or an input is not as above.

    Example:

    >>> import albert_tf
    >>> import tensorflow as tf
    >>> encoder = albert_tf.AlbertEncoder(1000, embedding_width=8, hidden_size=16, num_layers=2,
    ...                                   num_attention_heads=2, intermediate_size=32)
    >>> ids = tf.constant([[[2, 9, 3, 5, 3], [2, 9, 3, 6, 3]]])
    >>> albert_tf.AlbertMultipleChoice(encoder)([ids, tf.ones_like(ids), tf.zeros_like(ids)]).shape
    TensorShape([1, 2])

    Reference: arXiv 1909.11942, appendix A.3; `create_model` in the original's race_utils.py.
    """

    head_weight_names = CLASSIFIER_WEIGHTS
    hugging_face_class = "AlbertForMultipleChoice"
    input_rank = 3

    def __init__(self, encoder: AlbertEncoder, dropout_rate: float = 0.1, **kwargs: Any) -> None:
        check_encoder(encoder)
        check_dropout_rate(dropout_rate)
        hidden_size = encoder.albert_config.hidden_size
        head = Dense([hidden_size], [1], encoder.initializer, name="classifier")
        build(head, at_root=True)
        super().__init__(encoder, head, **kwargs)
        self.dropout_rate = dropout_rate

    def call(
        self, inputs: Inputs, training: bool | None = None, mask: TensorLike | None = None
    ) -> Tensor:
        inputs = unpack_inputs(inputs, mask=mask, rank=self.input_rank)
        shape = tf.shape(inputs[0])
        flat = [tf.reshape(tensor, [-1, shape[2]]) for tensor in inputs]
        outputs = self.encoder.encode(*flat, training=training, apart=True)
        pooled = dropout(outputs["pooled_output"], self.dropout_rate, training)
        logits = self.head(tf.cast(pooled, tf.float32))  # [batch * choices, 1]
        return tf.ensure_shape(tf.reshape(logits, shape[:2]), inputs[0].shape[:2])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dropout_rate": self.dropout_rate}
