"""The encoder together with the two heads that it was trained with."""

from typing import Any, Self

import tensorflow as tf

from albert_tf._keras import keras
from albert_tf._types import Inputs, Path, Tensor, TensorLike
from albert_tf.checkpoints.checkpoint import Checkpoint
from albert_tf.checkpoints.restore import restore
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.heads import MaskedLM, SentenceOrder
from albert_tf.ids_model import IdsModel
from albert_tf.inputs import unpack_inputs


@keras.utils.register_keras_serializable(package="albert_tf")
class AlbertPretrainer(IdsModel):
    """ALBERT with its masked LM and sentence-order heads.

    Does not compute losses or mask the input.

    Args:
      encoder: An `AlbertEncoder`.
      masked_lm: A `MaskedLM` head. None for no such head, "new" for a randomly initialized one.
      sentence_order: A `SentenceOrder` head. None for no such head, "new" for a new one.
      **kwargs: `name` and `trainable` of a Keras model.

    Inputs: as of `AlbertEncoder`; if there is a masked LM head, a dict (or a list in this order) of
    `input_word_ids`, `input_mask`, `input_type_ids` and `masked_lm_positions`, int32 or int64
    [batch, predictions].

    Outputs: a dict with the encoder's `pooled_output`, `sequence_output`, `encoder_outputs`, and
      mlm_logits: float32 [batch, predictions, vocab_size], if there is a masked LM head.
      sop_logits: float32 [batch, 2], if there is a sentence-order head; class 0 is in order.

    Example:

    >>> import albert_tf
    >>> import tensorflow as tf
    >>> encoder = albert_tf.AlbertEncoder(1000, embedding_width=8, hidden_size=16, num_layers=2,
    ...                                   num_attention_heads=2, intermediate_size=32)
    >>> pretrainer = albert_tf.AlbertPretrainer(encoder)
    >>> ids = tf.constant([[2, 9, 4, 3]])
    >>> outputs = pretrainer({
    ...     "input_word_ids": ids, "input_mask": tf.ones_like(ids),
    ...     "input_type_ids": tf.zeros_like(ids), "masked_lm_positions": tf.constant([[2]])})
    >>> outputs["mlm_logits"].shape, outputs["sop_logits"].shape
    (TensorShape([1, 1, 1000]), TensorShape([1, 2]))

    Reference: arXiv 1909.11942, section 3; the original's run_pretraining.py.
    """

    def __init__(
        self,
        encoder: AlbertEncoder,
        masked_lm: MaskedLM | str | None = "new",
        sentence_order: SentenceOrder | str | None = "new",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        config = encoder.albert_config
        if masked_lm == "new":
            masked_lm = MaskedLM(
                config.vocab_size,
                config.embedding_size,
                config.hidden_size,
                config.hidden_act,
                encoder.initializer,
            )
        if sentence_order == "new":
            sentence_order = SentenceOrder(config.hidden_size, encoder.initializer)
        self.encoder = encoder
        self.masked_lm = masked_lm
        self.sentence_order = sentence_order
        self.restore_report = None
        self.built = True

    def call(
        self, inputs: Inputs, training: bool | None = None, mask: TensorLike | None = None
    ) -> dict[str, Tensor]:
        word_ids, mask, type_ids, *positions = unpack_inputs(inputs, self._further_inputs(), mask)
        positions = positions[0] if positions else None
        outputs = self.encoder.encode(word_ids, mask, type_ids, training, positions, apart=True)
        if self.masked_lm is not None:
            table = self.encoder.embeddings.word_embeddings.table()
            outputs["mlm_logits"] = self.masked_lm(outputs.pop("position_output"), None, table)
        if self.sentence_order is not None:
            outputs["sop_logits"] = self.sentence_order(outputs["pooled_output"])
        return outputs

    def _further_inputs(self):
        return () if self.masked_lm is None else ("masked_lm_positions",)

    def input_specs(self) -> dict[str, tf.TensorSpec]:
        specs = super().input_specs()
        return specs | {n: tf.TensorSpec([None, None], tf.int32, n) for n in self._further_inputs()}

    def weights_by_name(self) -> dict[str, Any]:
        """All weights as {name in the published SavedModels: Keras weight}, encoder first."""
        parts = (self.encoder, self.masked_lm, self.sentence_order)
        return {
            name: weight
            for part in parts
            if part is not None
            for name, weight in part.weights_by_name().items()
        }

    @classmethod
    def from_checkpoint(
        cls,
        path: Path | Checkpoint,
        config: AlbertConfig | Path | None = None,
        *,
        vocab_size: int | None = None,
        **kwargs: Any,
    ) -> Self:
        """The encoder and those heads that a checkpoint holds; every weight restored, or an error.

        A head that the checkpoint lacks is None; `.restore_report` says what was found.

        Args:
          path: As for `AlbertEncoder.from_checkpoint`.
          config: As for `AlbertEncoder.from_checkpoint`.
          vocab_size: As for `AlbertEncoder.from_checkpoint`; the bias of the masked LM head grows,
            too.
          **kwargs: Further arguments of the encoder's constructor.

        Raises:
          FileNotFoundError: There is no such checkpoint or configuration.
          ValueError: The weights do not fit the configuration.
        """

        def build(albert_config, parts, **kwargs):
            return cls(
                AlbertEncoder.from_albert_config(albert_config, **kwargs),
                masked_lm="new" if "masked_lm" in parts else None,
                sentence_order="new" if "sentence_order" in parts else None,
            )

        return restore(build, path, config, vocab_size=vocab_size, **kwargs)

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            "encoder": serialize(self.encoder),
            "masked_lm": self.masked_lm and serialize(self.masked_lm),
            "sentence_order": self.sentence_order and serialize(self.sentence_order),
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config: dict) -> Self:
        parts = {
            key: config[key] and keras.saving.deserialize_keras_object(config[key])
            for key in ("encoder", "masked_lm", "sentence_order")
        }
        return cls(**{**config, **parts})
