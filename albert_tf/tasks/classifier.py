"""One class of several, any number of labels, or numbers, for a text or a pair of texts."""

from typing import Any

import tensorflow as tf

from albert_tf._keras import build, keras
from albert_tf._types import Inputs, Path, Tensor, TensorLike
from albert_tf.checkpoints.checkpoint import Checkpoint
from albert_tf.checkpoints.task_head import number_of_classes
from albert_tf.encoder import AlbertEncoder
from albert_tf.inputs import unpack_inputs
from albert_tf.layers.dense import Dense
from albert_tf.layers.dropout import dropout
from albert_tf.tasks.head_names import CLASSIFIER_WEIGHTS
from albert_tf.tasks.task_model import (
    TaskModel,
    adopted,
    check_dropout_rate,
    check_encoder,
    check_num_classes,
)

REGRESSION = "regression"
SINGLE_LABEL = "single_label_classification"
MULTI_LABEL = "multi_label_classification"
PROBLEM_TYPES = (REGRESSION, SINGLE_LABEL, MULTI_LABEL)


@keras.utils.register_keras_serializable(package="albert_tf")
class AlbertClassifier(TaskModel):
    """ALBERT that classifies a text or a pair of texts, or rates it with a number.

    Includes the encoder, dropout on its pooled output and a linear layer; not the tokenizer. The
    outputs are logits in every case; `problem_type` says what they mean, and with which loss to
    train:

    | problem_type | a text has | loss | probabilities |
    |---|---|---|---|
    | "single_label_classification" | one class | `classification_loss` | softmax |
    | "multi_label_classification" | any number of labels | `multi_label_loss` | sigmoid of each |
    | "regression" | a number (or several) | `regression_loss` | none |

    The Keras losses that take logits do as well.

    Args:
      encoder: An `AlbertEncoder`.
      num_classes: Number of classes, labels, or numbers. 1 for regression.
      dropout_rate: Dropout rate of the pooled output; 0.1 is built into the original.
      problem_type: One of the above, named as in Hugging Face's configurations. Default: what the
        loss that the model is compiled with says (binary cross entropy: several labels; squared or
        absolute error: regression); without such a loss, regression if `num_classes` is 1,
        otherwise one class.
      **kwargs: `rules` (see `TaskModel`), `name` and `trainable` of a Keras model.

    Inputs: as of `AlbertEncoder`: a list `[input_word_ids, input_mask, segment_ids]`, a dict with
    the keys `input_word_ids`, `input_mask`, `input_type_ids`, or `input_word_ids` alone, int32 or
    int64 [batch, length] of one shape.

    Output:
      logits: float32 [batch, num_classes]; for regression, the predicted numbers.

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
    hugging_face_class = "AlbertForSequenceClassification"

    def __init__(
        self,
        encoder: AlbertEncoder,
        num_classes: int = 2,
        dropout_rate: float = 0.1,
        problem_type: str | None = None,
        **kwargs: Any,
    ) -> None:
        check_encoder(encoder)
        check_num_classes(num_classes, minimum=1)
        check_dropout_rate(dropout_rate)
        check_problem_type(problem_type, num_classes)
        hidden_size = encoder.albert_config.hidden_size
        head = Dense([hidden_size], [num_classes], encoder.initializer, name="classifier")
        build(head, at_root=True)
        super().__init__(encoder, head, **kwargs)
        self.num_classes = num_classes
        self.dropout_rate = dropout_rate
        self._given_problem_type = problem_type

    @property
    def problem_type(self) -> str:
        """What the logits mean, one of `PROBLEM_TYPES`."""
        default = REGRESSION if self.num_classes == 1 else SINGLE_LABEL
        return self._known_problem_type or default

    @property
    def _known_problem_type(self):
        return self._given_problem_type or _problem_type_of(getattr(self, "loss", None))

    def adopt(self, record: dict, path: Path) -> None:
        super().adopt(record, path)
        problem_type = adopted("problem_type", self._given_problem_type, record, path)
        check_problem_type(problem_type, self.num_classes)
        self._given_problem_type = problem_type

    @classmethod
    def stored_arguments(cls, checkpoint: Checkpoint) -> dict[str, Any]:
        return {"num_classes": number_of_classes(checkpoint, cls.head_weight_names)}

    def call(
        self, inputs: Inputs, training: bool | None = None, mask: TensorLike | None = None
    ) -> Tensor:
        outputs = self.encoder.encode(
            *unpack_inputs(inputs, mask=mask), training=training, apart=True
        )
        pooled = dropout(outputs["pooled_output"], self.dropout_rate, training)
        return self.head(tf.cast(pooled, tf.float32))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "dropout_rate": self.dropout_rate,
            "problem_type": self._known_problem_type,
        }


def check_problem_type(problem_type, num_classes):
    """Raises a ValueError unless `problem_type` is None or one that fits the number of classes."""
    if problem_type not in (None, *PROBLEM_TYPES):
        raise ValueError(
            f"`problem_type` must be one of {', '.join(PROBLEM_TYPES)}, or None. Received: "
            f"{problem_type!r}."
        )
    if problem_type == SINGLE_LABEL and num_classes == 1:
        raise ValueError(
            f"A {SINGLE_LABEL} needs at least 2 classes to choose from. Received: num_classes=1. "
            f"For one label that a text has or has not, take {MULTI_LABEL}."
        )


# Names of losses, of functions, classes and abbreviations alike: lower case, no underscores.
_LOSSES = {
    MULTI_LABEL: {"multilabelloss", "binarycrossentropy", "binaryfocalcrossentropy", "bce"},
    REGRESSION: {
        *("regressionloss", "huber", "logcosh", "mse", "mae", "msle", "mape"),
        *("meansquarederror", "meanabsoluteerror"),
        *("meansquaredlogarithmicerror", "meanabsolutepercentageerror"),
    },
}


def _problem_type_of(loss):
    """The problem type that a compiled loss is for, or None if it does not show."""
    losses = tf.nest.flatten(loss)
    loss = losses[0] if len(losses) == 1 else None
    # A class counts as what it is derived from.
    names = [loss, getattr(loss, "__name__", ""), *(c.__name__ for c in type(loss).__mro__)]
    names = {str(name).replace("_", "").lower() for name in names}
    return next((kind for kind, known in _LOSSES.items() if names & known), None)


@keras.utils.register_keras_serializable(package="albert_tf")
def classification_loss(labels: TensorLike, logits: TensorLike) -> Tensor:
    """Cross entropy of each example, for `compile(loss=...)` and for training loops.

    Args:
      labels: int (or whole float) tensor [batch] or [batch, 1], the index of the right class.
      logits: float tensor [batch, classes].

    Returns:
      float32 tensor [batch].

    Example:
      >>> import albert_tf
      >>> print(albert_tf.classification_loss([1, 0], [[0.0, 0.0], [9.0, 0.0]]).numpy().round(2))
      [0.69 0.  ]
    """
    labels = tf.cast(tf.reshape(labels, [-1]), tf.int32)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(logits, tf.float32))


@keras.utils.register_keras_serializable(package="albert_tf")
def multi_label_loss(labels: TensorLike, logits: TensorLike) -> Tensor:
    """Binary cross entropy of each example, the mean over its labels.

    Args:
      labels: int or float tensor [batch, labels], 1 for each label that the text has, else 0.
      logits: float tensor [batch, labels].

    Returns:
      float32 tensor [batch].

    Example:
      >>> import albert_tf
      >>> print(albert_tf.multi_label_loss([[1, 0]], [[9.0, -9.0]]).numpy().round(2))
      [0.]
    """
    labels, logits = tf.cast(labels, tf.float32), tf.cast(logits, tf.float32)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits), -1)


@keras.utils.register_keras_serializable(package="albert_tf")
def regression_loss(labels: TensorLike, predictions: TensorLike) -> Tensor:
    """Squared error of each example, for `compile(loss=...)` and for training loops.

    Args:
      labels: float tensor [batch] or [batch, 1], the right number.
      predictions: float tensor [batch, 1], output of an `AlbertClassifier` with one class.

    Returns:
      float32 tensor [batch].

    Example:
      >>> import albert_tf
      >>> albert_tf.regression_loss([1.0, 4.0], [[1.0], [2.0]]).numpy().tolist()
      [0.0, 4.0]
    """
    labels = tf.cast(tf.reshape(labels, [-1]), tf.float32)
    return tf.math.squared_difference(tf.cast(tf.reshape(predictions, [-1]), tf.float32), labels)
