"""A pre-trained model as a SavedModel from texts with [MASK] to the word pieces that fit there."""

import dataclasses
from typing import Unpack

import tensorflow as tf

from albert_tf._types import Path
from albert_tf.encoder import AlbertEncoder
from albert_tf.heads import MaskedLM
from albert_tf.inputs import unpack_inputs
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.saved_model.arguments import ExportOptions, check_model, check_positive
from albert_tf.saved_model.contract.checklist import Check
from albert_tf.saved_model.tasks import TaskExport, export_task, exporter
from albert_tf.task_record import recorded_rules
from albert_tf.text.given_vocabulary import given_vocabulary
from albert_tf.text.masked_text import MASK, STAND_IN
from albert_tf.text.preprocessor import pack_to_longest
from albert_tf.text.reference import WORD_START
from albert_tf.text.wordpiece_vocabulary import SUFFIX, WordPieceVocabulary


@exporter
def export_fill_mask(
    model: AlbertPretrainer,
    path: Path,
    sp_model: Path | None = None,
    top_k: int = 5,
    seq_length: int | None = None,
    **options: Unpack[ExportOptions],
) -> list[Check]:
    """Writes a SavedModel that fills the masked places of texts.

    Includes tokenizer, encoder and masked LM head, and is reusable, as that of `export_classifier`:
    see there for what programs need that load it. Each [MASK] is one word piece, and is filled
    while the others stay masked, as by `FillMask`.

    Signatures (any batch size), padded to the most masks of a text of the batch:
      serving_default: {text: string [batch]} -> a dict with
        counts: int32 [batch], the number of masks; a text without [MASK] has 0.
        scores: float32 [batch, masks, top_k], the probabilities, best first; padding 0.
        token_ids: int32 [batch, masks, top_k]; padding -1.
        tokens: string [batch, masks, top_k], the word pieces as the vocabulary writes them, with
          "▁" at the start of a word, or, of WordPiece, "##" where a word goes on; padding "".
        sequences: string [batch, masks, top_k], the text with the piece in it, as the tokenizer
          normalizes it: lower-cased and without accents; other masks are [MASK]; padding "".
      ids: {input_word_ids, input_mask, input_type_ids: int32 [batch, length]} -> counts, scores,
        token_ids, and positions: int32 [batch, masks], where the masks are; padding 0.

    A text of which a mask would be cut off is an error.

    Args:
      model: An `AlbertPretrainer` with a masked LM head.
      path, sp_model, **options: As of `export_classifier`.
      top_k: Number of word pieces for each mask.
      seq_length: As of `export_embedder`.

    Returns, Raises: As `export_classifier`.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> path = tempfile.mkdtemp() + "/fill_mask"
    >>> model = albert_tf.AlbertPretrainer.from_checkpoint("albert_tiny_en")
    >>> _ = albert_tf.export_fill_mask(model, path, albert_tf.albert_tiny_en.SP_MODEL, top_k=3)
    >>> [len(mask) for mask in albert_tf.Predictor(path)("she [MASK] at [MASK] .")]
    [3, 3]

    Reference: arXiv 1909.11942, section 3; `FillMaskPipeline` of Hugging Face transformers.
    """
    vocabulary = given_vocabulary(
        sp_model, options.pop("vocab_file", None), options.pop("do_lower_case", None)
    )
    task = fill_mask_task(model, vocabulary, top_k)
    return export_task(task, path, vocabulary, seq_length=seq_length, **options)


def fill_mask_task(model, vocabulary, top_k=5):
    """The `TaskExport` of `export_fill_mask`, which describes the arguments."""
    check_model(model, AlbertPretrainer)
    if model.masked_lm is None:
        raise ValueError(
            "Filling masks needs a masked LM head. Received: an AlbertPretrainer without one. Take "
            "a checkpoint of pre-training; `albert-tf inspect` tells what a checkpoint holds."
        )
    check_positive(top_k=top_k)
    vocabulary = given_vocabulary(vocabulary)
    if top_k > vocabulary.vocab_size:
        raise ValueError(
            f"`top_k` must be at most the {vocabulary.vocab_size} pieces of the vocabulary. "
            f"Received: {top_k}."
        )
    fillings = _fillings(vocabulary)
    suffix = SUFFIX if isinstance(vocabulary, WordPieceVocabulary) else None
    mask_id = vocabulary.special_ids["mask_id"]

    def answer(outputs):
        counts, logits = outputs["counts"], outputs["mlm_logits"]
        scores, token_ids = tf.math.top_k(tf.nn.softmax(logits), top_k)
        exists = tf.sequence_mask(counts, tf.shape(logits)[1])[:, :, tf.newaxis]
        return {
            "counts": counts,
            "scores": tf.where(exists, scores, 0.0),
            "token_ids": tf.where(exists, token_ids, -1),
        }

    def answer_ids(outputs):
        return {**answer(outputs), "positions": outputs["positions"]}

    def answer_text(preprocessor, compute, text):
        tokens, normalized = preprocessor.tokenize.tokenize_masked(text)
        inputs = pack_to_longest(preprocessor, [tokens])
        check = tf.debugging.assert_equal(
            tf.math.count_nonzero(inputs["input_word_ids"] == mask_id),
            tf.math.count_nonzero(tokens.values == mask_id),
            f"Every {MASK} must be within the first {preprocessor.seq_length} tokens of its text, "
            "[CLS] and [SEP] included. Keep what is near the mask.",
        )
        with tf.control_dependencies([check] if check is not None else []):
            inputs = {name: tf.identity(x) for name, x in inputs.items()}
        result = answer(compute(inputs))
        exists = result["token_ids"] >= 0
        index = tf.maximum(result["token_ids"], 0)
        sequences = _filled(normalized, tf.gather(tf.constant(fillings), index), suffix)
        return {
            **result,
            "tokens": tf.where(exists, tf.gather(tf.constant(vocabulary.pieces), index), ""),
            "sequences": tf.where(exists, sequences, ""),
        }

    return TaskExport(
        task="fill_mask",
        model=_MaskFiller(model.encoder, model.masked_lm, mask_id, recorded_rules(model)),
        text_inputs={"text": 1},
        answer_text=answer_text,
        answer_ids=answer_ids,
        settings={"top_k": top_k},
    )


def _fillings(vocabulary):
    """What each piece is in a text, list of str: special pieces nothing, spaces before words."""
    special = set(vocabulary.special_ids.values())
    if isinstance(vocabulary, WordPieceVocabulary):
        fillings = [f" {piece}" if piece else "" for piece in vocabulary.pieces]
    else:
        fillings = [piece.replace(WORD_START, " ") for piece in vocabulary.pieces]
    return ["" if i in special else filling for i, filling in enumerate(fillings)]


def _filled(texts, fillings, suffix):
    """Each text with each of the fillings in the place of its mask.

    Args:
      texts: string [batch], as `tokenize_masked` returns them, with `STAND_IN` for the masks.
      fillings: string [batch, masks, top_k]; masks beyond those of a text mean nothing.
      suffix: What joins a piece with the one before, or None where none does.

    Returns:
      string [batch, masks, top_k].
    """
    parts = tf.strings.split(texts, STAND_IN)  # [batch, (1 + masks)]
    lengths = parts.with_values(tf.strings.length(parts.values)).to_tensor(0)
    lengths = lengths[:, : tf.shape(fillings)[1]]
    size = len(STAND_IN.encode())
    starts = tf.cumsum(lengths + size, 1) - size  # [batch, masks], in bytes.
    # Of a text with fewer masks: somewhere in it.
    starts = tf.minimum(starts, tf.strings.length(texts)[:, tf.newaxis])
    texts = tf.broadcast_to(texts[:, tf.newaxis], tf.shape(starts))

    def part(start, length):
        return tf.strings.regex_replace(tf.strings.substr(texts, start, length), STAND_IN, MASK)

    # A space before a mask is the masked piece's.
    before = tf.strings.regex_replace(part(tf.zeros_like(starts), starts), " $", "")
    after_starts = tf.minimum(starts + size, tf.strings.length(texts))
    after = part(after_starts, tf.strings.length(texts) - after_starts)
    shape = tf.shape(fillings)
    before, after = (tf.broadcast_to(x[:, :, tf.newaxis], shape) for x in (before, after))
    filled = tf.strings.strip(tf.strings.join([before, fillings, after]))
    return filled if suffix is None else tf.strings.regex_replace(filled, f" {suffix}", "")


@dataclasses.dataclass(frozen=True)
class _MaskFiller:
    """Encoder and masked LM head that find the masks in the ids, in the form of a task model."""

    encoder: AlbertEncoder
    masked_lm: MaskedLM
    mask_id: int
    rules: str | None

    def weights_by_name(self):
        return {**self.encoder.weights_by_name(), **self.masked_lm.weights_by_name()}

    def call(self, inputs, training=None):
        ids, mask, types = unpack_inputs(inputs)
        masked = (ids == self.mask_id) & (mask > 0)
        indices = tf.where(masked)  # [all masks, 2]
        positions = tf.RaggedTensor.from_value_rowids(
            tf.cast(indices[:, 1], tf.int32), indices[:, 0], tf.shape(ids, tf.int64)[0], False
        ).to_tensor(0)
        outputs = self.encoder.encode(ids, mask, types, training, positions, apart=not training)
        table = self.encoder.embeddings.word_embeddings.table()
        return {
            "counts": tf.math.count_nonzero(masked, 1, dtype=tf.int32),
            "mlm_logits": self.masked_lm(outputs["position_output"], None, table),
            "positions": positions,
        }
