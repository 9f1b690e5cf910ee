"""A tagger as a SavedModel: text in, tagged words or pieces out, with their places in the text."""

from collections.abc import Sequence
from typing import Unpack

import tensorflow as tf

from albert_tf._types import Path
from albert_tf.saved_model.arguments import (
    ExportOptions,
    check_model,
    check_positive,
    checked_labels,
)
from albert_tf.saved_model.character_offsets import character_offsets
from albert_tf.saved_model.contract.checklist import Check
from albert_tf.saved_model.tasks import TaskExport, export_task, exporter
from albert_tf.saved_model.windows import sliding_windows
from albert_tf.tasks.token_classifier import AlbertTokenClassifier
from albert_tf.text.tensorflow_text import import_tensorflow_text

UNITS = ("words", "pieces")


@exporter
def export_token_classifier(
    model: AlbertTokenClassifier,
    path: Path,
    sp_model: Path | None = None,
    labels: Sequence[str] | None = None,
    seq_length: int = 128,
    stride: int = 64,
    units: str = "words",
    **options: Unpack[ExportOptions],
) -> list[Check]:
    """Writes a SavedModel that tags the words of a text.

    Includes tokenizer, encoder and head, and is reusable, as that of `export_classifier`: see there
    for what programs need that load it. A text that is too long is read in overlapping windows;
    each word is tagged where it has most context.

    Signatures (any batch size):
      serving_default: {text: string [batch]} -> a dict, padded to the longest text of the batch:
        tokens: string [batch, n], the words or pieces as they stand in the text; padding "".
        tags: string [batch, n], the label of each; "" for padding, and for a word without such a
          piece, because normalization drops its characters.
        scores: float32 [batch, n], the probability of the tag; 0 where there is none.
        counts: int32 [batch], how many of n are real.
        byte_starts, byte_ends, char_starts, char_ends: int32 [batch, n], where in the text each
          is, in bytes of UTF-8 and in characters; -1 for padding.
      ids: {input_word_ids, input_mask, input_type_ids: int32 [batch, length]} ->
        {probabilities: float32 [batch, length, classes]}; those at padding mean nothing.

    Args:
      model: An `AlbertTokenClassifier`.
      path, sp_model, **options: As of `export_classifier`.
      labels: Names of the classes, in order, such as "O", "B-PER". Default: `model.labels`, or else
        "0", "1", ...
      seq_length: Longest window in tokens.
      stride: Distance of windows in tokens.
      units: "words" for what stands between white space, each tagged as its first piece that is not
        a lone "▁", as in training; "pieces" for every piece. A model that learned from CoNLL
        expects punctuation to stand apart.

    Returns, Raises: As `export_classifier`.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> import tensorflow as tf
    >>> import tensorflow_text
    >>> encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    >>> model = albert_tf.AlbertTokenClassifier(encoder, num_classes=2)
    >>> path = tempfile.mkdtemp() + "/names"
    >>> _ = albert_tf.export_token_classifier(model, path, albert_tf.albert_tiny_en.SP_MODEL,
    ...                                       labels=["O", "B-PER"])
    >>> serve = tf.saved_model.load(path).signatures["serving_default"]
    >>> serve(text=tf.constant(["Ann sang ."]))["tokens"].numpy().tolist()
    [[b'Ann', b'sang', b'.']]
    """
    task = token_classifier_task(model, labels, stride, units)
    return export_task(task, path, sp_model, seq_length=seq_length, **options)


def token_classifier_task(model, labels=None, stride=64, units="words"):
    """The `TaskExport` of `export_token_classifier`, which describes the arguments."""
    check_model(model, AlbertTokenClassifier)
    check_positive(stride=stride)
    names = checked_labels(model.labels if labels is None else labels, model.num_classes)
    if units not in UNITS:
        raise ValueError(f"`units` must be one of {', '.join(UNITS)}. Received: {units!r}.")
    split = _words if units == "words" else _pieces

    def answer_text(preprocessor, compute, text):
        tokens, first_token, starts, limits = split(preprocessor, text)
        special_ids = preprocessor.tokenize.vocabulary.special_ids
        windows = sliding_windows(tokens, preprocessor.seq_length, stride, special_ids)
        probabilities = tf.nn.softmax(compute(windows.inputs))
        # One row for each token, from the window that knows it best; the last is for "no token".
        slots = tf.where(windows.is_best, windows.tokens, tf.size(tokens.values))
        probabilities = tf.math.unsorted_segment_max(
            tf.reshape(probabilities, [-1, model.num_classes]),
            tf.reshape(slots, [-1]),
            tf.size(tokens.values) + 1,
        )
        by_unit = tf.gather(probabilities, first_token)
        has_tag = first_token < tf.size(tokens.values)
        tags = tf.gather(tf.constant(names), tf.argmax(by_unit, -1))
        sources = tf.gather(text, starts.value_rowids())

        def dense(x, padding):
            x = x if isinstance(x, tf.RaggedTensor) else starts.with_values(x)
            return x.to_tensor(padding)

        def offsets(x):
            return dense(tf.cast(x, tf.int32), -1)

        return {
            "tokens": dense(
                tf.strings.substr(sources, starts.values, (limits - starts).values), ""
            ),
            "tags": dense(tf.where(has_tag, tags, ""), ""),
            "scores": dense(tf.where(has_tag, tf.reduce_max(by_unit, -1), 0.0), 0.0),
            "counts": tf.cast(starts.row_lengths(), tf.int32),
            "byte_starts": offsets(starts),
            "byte_ends": offsets(limits),
            "char_starts": offsets(character_offsets(text, starts)),
            "char_ends": offsets(character_offsets(text, limits)),
        }

    return TaskExport(
        task="token_classification",
        model=model,
        text_inputs={"text": 1},
        answer_text=answer_text,
        answer_ids=lambda logits: {"probabilities": tf.nn.softmax(logits)},
        labels=names,
        settings={"stride": stride, "units": units},
    )


def _words(preprocessor, text):
    """Splits at white space and tokenizes word by word, as data for training is.

    Args:
      preprocessor: `Preprocessor`.
      text: string [batch].

    Returns:
      tokens: int32 RaggedTensor [batch, (tokens)].
      first_token: int32 [all words], index into `tokens.values`; its size for a word without.
      starts, limits: int64 RaggedTensors [batch, (words)] of byte offsets.
    """
    splitter = import_tensorflow_text().WhitespaceTokenizer()
    words, starts, limits = splitter.tokenize_with_offsets(text)
    starts, limits = (words.with_values(tf.cast(x.values, tf.int64)) for x in (starts, limits))
    pieces = preprocessor.tokenize(words.values)  # [all words, (pieces)]
    blank_id = preprocessor.tokenize.vocabulary.blank_id
    is_content = pieces.values != (-1 if blank_id is None else blank_id)
    # As in training, words without any other piece take no part.
    has_content = tf.reduce_any(pieces.with_values(is_content), 1)
    keep = tf.gather(has_content, pieces.value_rowids())
    pieces = tf.ragged.boolean_mask(pieces, pieces.with_values(keep))
    count = tf.size(pieces.values)
    number = tf.where(tf.boolean_mask(is_content, keep), tf.range(count), count)
    first_token = tf.minimum(tf.reduce_min(pieces.with_values(number), 1), count)
    return words.with_values(pieces).merge_dims(1, 2), first_token, starts, limits


def _pieces(preprocessor, text):
    """Every piece is a unit; returns what `_words` does."""
    tokens, starts, limits = preprocessor.tokenize_with_offsets(text)
    return tokens, tf.range(tf.size(tokens.values)), starts, limits
