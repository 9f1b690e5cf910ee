"""Answers that are spans of the text: extractive question answering."""

from typing import Any

import tensorflow as tf

from albert_tf._keras import keras
from albert_tf._types import Inputs, Tensor, TensorLike
from albert_tf.checkpoints.checkpoint import Checkpoint
from albert_tf.checkpoints.task_head import has_head
from albert_tf.encoder import AlbertEncoder
from albert_tf.inputs import as_int32, same_shape, unpack_inputs
from albert_tf.tasks.classifier import classification_loss
from albert_tf.tasks.conditional_span_head import ConditionalSpanHead
from albert_tf.tasks.head_names import CONDITIONAL_SPAN_WEIGHTS, SPAN_WEIGHTS
from albert_tf.tasks.span_head import SpanHead
from albert_tf.tasks.task_model import TaskModel, check_dropout_rate, check_encoder


@keras.utils.register_keras_serializable(package="albert_tf")
class AlbertSpanLabeler(TaskModel):
    """ALBERT that marks a span of the text, such as the answer to a question.

    Includes the encoder and one of the original's two heads; not the tokenizer, nor the choice of
    the best span (see `albert_tf.saved_model.span_labeler.export_span_labeler`). The pooler's
    weights take no part, so that `fit` warns that they have no gradients.

    - The simple head (run_squad_v1.py) scores starts and ends independently, at all positions.
    - The head of SQuAD 2.0 (`version_2=True`, run_squad_v2.py) scores ends given a start, and
      whether there is no answer. In training the start is the right one; predictions follow up
      the best starts.

    Args:
      encoder: An `AlbertEncoder`.
      version_2: Which head.
      dropout_rate: Dropout rate of the hidden layer that decides on no answer (version_2; the
        simple head has no dropout).
      start_n_top: Number of best starts to follow up (version_2).
      end_n_top: Number of best ends for each of them (version_2).
      **kwargs: `rules` (see `TaskModel`), `name` and `trainable` of a Keras model.

    Inputs: as of `AlbertEncoder`. With version_2 a dict may also have
      p_mask: int [batch, length], 1 where no answer can start or end. Default: everything but
        [CLS] and segment 1 without its final [SEP].
      start_positions: int [batch] or [batch, 1], the right starts: needed for training.

    Outputs: a dict with
      start_logits, end_logits: float32 [batch, length]. With version_2 they are -1e30 where
        `p_mask` is 1, and there only with `start_positions`, on which the ends depend. Otherwise:
      start_top_log_probs: float32 [batch, k], log probabilities of the k = start_n_top best starts.
      start_top_index: int32 [batch, k], their positions.
      end_top_log_probs: float32 [batch, k * end_n_top], of the best ends for the first start, then
        for the second, and so on. (k and end_n_top are at most the length.)
      end_top_index: int32 [batch, k * end_n_top], their positions.
      cls_logits: float32 [batch] (version_2), high where there is no answer.

    Raises:
      TypeError: `encoder` is no `AlbertEncoder`.
      ValueError: An argument or an input is not as above, or `training` without
        `start_positions`.

    Example:

    >>> import albert_tf
    >>> from albert_tf.tasks.span_labeler import span_loss
    >>> import tensorflow as tf
    >>> encoder = albert_tf.AlbertEncoder(1000, embedding_width=8, hidden_size=16, num_layers=2,
    ...                                   num_attention_heads=2, intermediate_size=32)
    >>> labeler = albert_tf.AlbertSpanLabeler(encoder)
    >>> ids = tf.constant([[2, 9, 3, 5, 6, 3]])
    >>> outputs = labeler([ids, tf.ones_like(ids), tf.constant([[0, 0, 0, 1, 1, 1]])])
    >>> outputs["start_logits"].shape
    TensorShape([1, 6])
    >>> labels = {"start_logits": tf.constant([3]), "end_logits": tf.constant([4])}
    >>> span_loss(labels, outputs).shape
    TensorShape([1])
    >>> labeler.compile("adam", **labeler.compile_arguments())

    Reference: arXiv 1909.11942, section 4.2 and appendix A.3; the original's squad_utils.py.
    """

    hugging_face_class = "AlbertForQuestionAnswering"

    def __init__(
        self,
        encoder: AlbertEncoder,
        version_2: bool = False,
        dropout_rate: float = 0.1,
        start_n_top: int = 5,
        end_n_top: int = 5,
        **kwargs: Any,
    ) -> None:
        check_encoder(encoder)
        check_dropout_rate(dropout_rate)
        for name, value in (("start_n_top", start_n_top), ("end_n_top", end_n_top)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be a positive integer. Received: {value!r}.")
        hidden_size = encoder.albert_config.hidden_size
        if version_2:
            head = ConditionalSpanHead(
                hidden_size, encoder.initializer, dropout_rate, start_n_top, end_n_top
            )
        else:
            head = SpanHead(hidden_size, encoder.initializer)
        super().__init__(encoder, head, **kwargs)
        self.version_2 = bool(version_2)
        self.dropout_rate = dropout_rate
        self.start_n_top = start_n_top
        self.end_n_top = end_n_top

    @property
    def head_weight_names(self) -> tuple:
        return CONDITIONAL_SPAN_WEIGHTS if self.version_2 else SPAN_WEIGHTS

    @classmethod
    def stored_arguments(cls, checkpoint: Checkpoint) -> dict[str, Any]:
        return {"version_2": has_head(checkpoint, CONDITIONAL_SPAN_WEIGHTS)}

    def call(
        self, inputs: Inputs, training: bool | None = None, mask: TensorLike | None = None
    ) -> dict[str, Tensor]:
        inputs, further, starts = self._split(inputs)
        word_ids, mask, type_ids, *p_mask = unpack_inputs(inputs, further, mask)
        if self.version_2 and starts is None and training is True:
            raise ValueError(
                "Training an AlbertSpanLabeler with version_2 needs the right starts, on which the "
                "ends depend: a dict as inputs, with the key 'start_positions', int [batch]. "
                "Received: inputs without it."
            )
        sequence = self.encoder.encode(word_ids, mask, type_ids, training=training)
        sequence = sequence["sequence_output"]
        if not self.version_2:
            return self.head(sequence)
        if p_mask:
            _, p_mask = same_shape(input_word_ids=word_ids, p_mask=p_mask[0])
        else:
            p_mask = _default_p_mask(mask, type_ids)
        return self.head(sequence, p_mask, starts, training=training)

    def _split(self, inputs):
        """Returns (encoder inputs, names of further ones, start_positions or None)."""
        if not self.version_2 or not isinstance(inputs, dict):
            return inputs, (), None
        starts = inputs.get("start_positions")
        inputs = {name: value for name, value in inputs.items() if name != "start_positions"}
        if starts is not None:
            starts = as_int32(tf.reshape(starts, [-1]))
        return inputs, ("p_mask",) if "p_mask" in inputs else (), starts

    def compile_arguments(self) -> dict[str, Any]:
        """`loss` and `loss_weights` for `compile`, by output: together they are `span_loss`."""
        losses = {"start_logits": classification_loss, "end_logits": classification_loss}
        if self.version_2:
            losses["cls_logits"] = no_answer_loss
        return {"loss": losses, "loss_weights": {name: 0.5 for name in losses}}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "version_2": self.version_2,
            "dropout_rate": self.dropout_rate,
            "start_n_top": self.start_n_top,
            "end_n_top": self.end_n_top,
        }


def span_loss(labels: dict[str, TensorLike], outputs: dict[str, Tensor]) -> Tensor:
    """Loss of each example for training loops; for `fit`, see `compile_arguments`.

    Half the sum of the cross entropies of start, end and, where there is an output for it, no
    answer.

    Args:
      labels: dict with the outputs' keys, so that one data set serves loops and `fit`:
        start_logits, end_logits: int [batch], positions of the first and the last token; 0, that
          is [CLS], where there is no answer.
        cls_logits: int or float [batch] (version_2), 1 where there is no answer, else 0.
      outputs: dict, outputs of an `AlbertSpanLabeler`, with `start_positions` if of version_2.

    Returns:
      float32 tensor [batch].

    Example:
      >>> import albert_tf
      >>> import tensorflow as tf
      >>> labels = {"start_logits": [1], "end_logits": [2]}
      >>> outputs = {"start_logits": tf.zeros([1, 4]), "end_logits": tf.zeros([1, 4])}
      >>> print(albert_tf.span_loss(labels, outputs).numpy().round(2))  # log(4)
      [1.39]

    Reference: `v1_model_fn_builder` and `v2_model_fn_builder` in the original's squad_utils.py.
    """
    loss = classification_loss(labels["start_logits"], outputs["start_logits"])
    loss += classification_loss(labels["end_logits"], outputs["end_logits"])
    if "cls_logits" in outputs:
        loss += no_answer_loss(labels["cls_logits"], outputs["cls_logits"])
    return 0.5 * loss


@keras.utils.register_keras_serializable(package="albert_tf")
def no_answer_loss(labels: TensorLike, logits: TensorLike) -> Tensor:
    """Binary cross entropy of each example.

    Args:
      labels: int or float tensor [batch] or [batch, 1], 1 where there is no answer, else 0.
      logits: float tensor [batch] or [batch, 1].

    Returns:
      float32 tensor [batch].

    Example:
      >>> import albert_tf
      >>> print(albert_tf.no_answer_loss([1, 0], [9.0, 0.0]).numpy().round(2))
      [0.   0.69]
    """
    labels = tf.cast(tf.reshape(labels, [-1]), tf.float32)
    logits = tf.cast(tf.reshape(logits, [-1]), tf.float32)
    return tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)


def _default_p_mask(mask, type_ids):
    """1 at all positions but [CLS] and segment 1 without its last token, [SEP]."""
    context = mask * type_ids * tf.pad(mask, [[0, 0], [0, 1]])[:, 1:]
    is_first = tf.range(tf.shape(mask)[1]) == 0
    return 1 - tf.where(is_first, 1, tf.minimum(context, 1))
