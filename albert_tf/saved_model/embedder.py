"""An encoder as a SavedModel from text to one vector."""

import dataclasses
from typing import Unpack

import tensorflow as tf

from albert_tf._types import Path
from albert_tf.encoder import AlbertEncoder
from albert_tf.inputs import unpack_inputs
from albert_tf.saved_model.arguments import ExportOptions, check_model
from albert_tf.saved_model.contract.checklist import Check
from albert_tf.saved_model.tasks import TaskExport, export_task, exporter
from albert_tf.task_record import recorded_rules
from albert_tf.tasks.embedder import mean_of_tokens
from albert_tf.text.preprocessor import pack_to_longest

POOLINGS = ("mean", "cls", "pooled")


@exporter
def export_embedder(
    encoder: AlbertEncoder,
    path: Path,
    sp_model: Path | None = None,
    pooling: str = "mean",
    layer: int = -1,
    normalize: bool = True,
    seq_length: int | None = None,
    **options: Unpack[ExportOptions],
) -> list[Check]:
    """Writes a SavedModel that turns texts into vectors.

    Includes tokenizer and encoder, and is reusable, as that of `export_classifier`: see there for
    what programs need that load it. Loaded, it can be called on ids, and trained: on pairs of
    similar sentences, for example, which makes its vectors better ones.

    Signatures (any batch size):
      serving_default: {text: string [batch]} -> {embedding: float32 [batch, H]}.
      ids: {input_word_ids, input_mask, input_type_ids: int32 [batch, length]} -> the same.

    Args:
      encoder: An `AlbertEncoder`.
      path, sp_model, **options: As of `export_classifier`.
      pooling: "mean" of the vectors of all tokens, [CLS] and [SEP] included; "cls", the vector of
        [CLS]; or "pooled", `pooled_output`, which pre-training has taught the order of sentences,
        not their meaning.
      layer: Which block's output, as an index into `encoder_outputs`: -1 is the last. For "pooled"
        it must be the last.
      normalize: Whether vectors have length 1, so that their dot product is their cosine.
      seq_length: Longest text in tokens; what exceeds it is cut off. Default: as many as the
        encoder has positions.

    Returns, Raises: As `export_classifier`.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> path = tempfile.mkdtemp() + "/embedder"
    >>> encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    >>> _ = albert_tf.export_embedder(encoder, path, albert_tf.albert_tiny_en.SP_MODEL)
    >>> albert_tf.Predictor(path)(["How old are you?", "Will it snow?"]).shape
    (2, 192)

    Reference: N. Reimers and I. Gurevych, "Sentence-BERT", arXiv 1908.10084, section 3.
    """
    task = embedder_task(encoder, pooling, layer, normalize)
    return export_task(task, path, sp_model, seq_length=seq_length, **options)


def embedder_task(encoder, pooling="mean", layer=-1, normalize=True):
    """The `TaskExport` of `export_embedder`, which describes the arguments."""
    check_model(encoder, AlbertEncoder)
    if pooling not in POOLINGS:
        raise ValueError(f"`pooling` must be one of {', '.join(POOLINGS)}. Received: {pooling!r}.")
    config = encoder.albert_config
    layers = config.num_hidden_layers * config.inner_group_num
    if isinstance(layer, bool) or not isinstance(layer, int) or not -layers <= layer < layers:
        raise ValueError(
            f"`layer` must be an index of the encoder's {layers} layers, from {-layers} to "
            f"{layers - 1}. Received: {layer!r}."
        )
    if pooling == "pooled" and layer % layers != layers - 1:
        raise ValueError(
            "The pooler takes the last layer: with pooling='pooled', `layer` must be -1. Received: "
            f"{layer}. For an earlier layer, take pooling='mean' or 'cls'."
        )

    def answer(embedding):
        return {"embedding": embedding}

    def answer_text(preprocessor, compute, text):
        return answer(compute(pack_to_longest(preprocessor, [preprocessor.tokenize(text)])))

    return TaskExport(
        task="embedding",
        model=_Embedder(encoder, pooling, layer, bool(normalize)),
        text_inputs={"text": 1},
        answer_text=answer_text,
        answer_ids=answer,
        settings={"pooling": pooling, "layer": layer, "normalize": bool(normalize)},
    )


@dataclasses.dataclass(frozen=True)
class _Embedder:
    """An encoder that answers with one vector for each text, in the form of a task model."""

    encoder: AlbertEncoder
    pooling: str
    layer: int
    normalize: bool

    @property
    def rules(self):
        return recorded_rules(self.encoder)

    def weights_by_name(self):
        return self.encoder.weights_by_name()

    def call(self, inputs, training=None):
        word_ids, mask, type_ids = unpack_inputs(inputs)
        outputs = self.encoder.encode(word_ids, mask, type_ids, training, apart=not training)
        layer = outputs["encoder_outputs"][self.layer]
        if self.pooling == "pooled":
            vectors = tf.cast(outputs["pooled_output"], tf.float32)
        elif self.pooling == "cls":
            vectors = tf.cast(layer[:, 0], tf.float32)
        else:
            vectors = mean_of_tokens(layer, mask)
        return tf.math.l2_normalize(vectors, -1) if self.normalize else vectors
