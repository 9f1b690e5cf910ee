"""Classes, or one number, for a text or a pair of texts."""

import tensorflow as tf

from albert_tf._keras import build, keras
from albert_tf.inputs import unpack_inputs
from albert_tf.layers.dense import Dense
from albert_tf.layers.dropout import dropout
from albert_tf.tasks.head_names import CLASSIFIER_WEIGHTS
from albert_tf.tasks.task_model import (
    TaskModel,
    check_dropout_rate,
    check_encoder,
    check_num_classes,
)


@keras.utils.register_keras_serializable(package="albert_tf")
class AlbertClassifier(TaskModel):
    """ALBERT that classifies a text or a pair of texts, or rates it with a number.

    Includes the encoder, dropout on its pooled output and a linear layer; not the tokenizer. Train
    it with `classification_loss`, with one class (a number, such as STS-B's) with
    `regression_loss`, or with the Keras losses that take logits.

    Args:
      encoder: An `AlbertEncoder`.
      num_classes: Number of classes. 1 for regression.
      dropout_rate: Dropout rate of the pooled output; 0.1 is built into the original.
      **kwargs: `name` and `trainable` of a Keras model.

    Inputs: as of `AlbertEncoder`: a list `[input_word_ids, input_mask, segment_ids]`, a dict with
    the keys `input_word_ids`, `input_mask`, `input_type_ids`, or `input_word_ids` alone, int32 or
    int64 [batch, length].

    Output:
      logits: float32 [batch, num_classes]; with one class, the predicted number.

    Raises:
      TypeError: `encoder` is no `AlbertEncoder`.
      ValueError: An argument or an input is not as above.

    Example:

    >>> import albert_tf
    >>> from albert_tf.tasks.classifier import classification_loss
    >>> import tensorflow as tf
    >>> encoder = albert_tf.AlbertEncoder(1000, embedding_width=8, hidden_size=16, num_layers=2,
    ...                                   num_attention_heads=2, intermediate_size=32)
    >>> classifier = albert_tf.AlbertClassifier(encoder, num_classes=3)
    >>> ids = tf.constant([[2, 9, 4, 3]])
    >>> classifier([ids, tf.ones_like(ids), tf.zeros_like(ids)]).shape
    TensorShape([1, 3])
    >>> classifier.compile("adam", loss=classification_loss, metrics=["accuracy"])

    Reference: arXiv 1909.11942, section 4.2; `create_model` in the original's classifier_utils.py.
    """

    head_weight_names = CLASSIFIER_WEIGHTS

    def __init__(self, encoder, num_classes=2, dropout_rate=0.1, **kwargs):
        check_encoder(encoder)
        check_num_classes(num_classes, minimum=1)
        check_dropout_rate(dropout_rate)
        hidden_size = encoder.albert_config.hidden_size
        head = Dense([hidden_size], [num_classes], encoder.initializer, name="classifier")
        build(head, at_root=True)
        super().__init__(encoder, head, **kwargs)
        self.num_classes = num_classes
        self.dropout_rate = dropout_rate

    def call(self, inputs, training=None):
        outputs = self.encoder.encode(*unpack_inputs(inputs), training=training, apart=True)
        pooled = dropout(outputs["pooled_output"], self.dropout_rate, training)
        return self.head(tf.cast(pooled, tf.float32))

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "dropout_rate": self.dropout_rate,
        }


@keras.utils.register_keras_serializable(package="albert_tf")
def classification_loss(labels, logits):
    """Cross entropy of each example, for `compile(loss=...)` and for training loops.

    Args:
      labels: int (or whole float) tensor [batch] or [batch, 1], the index of the right class.
      logits: float tensor [batch, classes].

    Returns:
      float32 tensor [batch].
    """
    labels = tf.cast(tf.reshape(labels, [-1]), tf.int32)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(logits, tf.float32))


@keras.utils.register_keras_serializable(package="albert_tf")
def regression_loss(labels, predictions):
    """Squared error of each example, for `compile(loss=...)` and for training loops.

    Args:
      labels: float tensor [batch] or [batch, 1], the right number.
      predictions: float tensor [batch, 1], output of an `AlbertClassifier` with one class.

    Returns:
      float32 tensor [batch].
    """
    labels = tf.cast(tf.reshape(labels, [-1]), tf.float32)
    return tf.math.squared_difference(tf.cast(tf.reshape(predictions, [-1]), tf.float32), labels)
