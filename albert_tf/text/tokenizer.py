"""The tokenizer as TensorFlow operations."""

import copy
import re

import tensorflow as tf

from albert_tf._types import Path, Tensor, TensorLike
from albert_tf.text.digit_comma import DigitCommaTable
from albert_tf.text.masked_text import MASK, STAND_IN, place_masks
from albert_tf.text.normalize import normalize
from albert_tf.text.offsets import source_offsets
from albert_tf.text.reference import WORD_START
from albert_tf.text.rules import rules_for
from albert_tf.text.sentencepiece_model import SentencePieceModel
from albert_tf.text.tensorflow_text import import_tensorflow_text, sentencepiece_tokenizer


class Tokenizer(tf.Module):
    """Batches of UTF-8 text to ragged batches of ids, eagerly, in tf.function and in tf.data.

    Normalizes (lower case, no accents), applies SentencePiece and, by the rules "original", the
    digit-comma rule. Adds no [CLS] and [SEP]; "[MASK]" in the text is ordinary text.

    Args:
      sp_model: Path of the SentencePiece model, or a `SentencePieceModel`.
      rules: "original" for the ids of Google's Python tokenizer, with which ALBERT was trained;
        "tfhub" for those of tensorflow/albert_en_preprocess/3 (see `normalize`). Default: what
        task.json beside `sp_model` says, or else "original".

    Attributes:
      rules: "tfhub" or "original".

    Raises:
      ImportError: If tensorflow-text is missing.
      FileNotFoundError, ValueError: For a wrong `sp_model` or unknown `rules`.

    Example:
      >>> from albert_tf import albert_tiny_en
      >>> from albert_tf.text.tokenizer import Tokenizer
      >>> tokenizer = Tokenizer(albert_tiny_en.SP_MODEL, rules="original")
      >>> tokenizer(["She LOOKED at him."]).to_list()
      [[33, 185, 39, 46, 9]]
    """

    def __init__(self, sp_model: Path | SentencePieceModel, rules: str | None = None) -> None:
        super().__init__()
        import_tensorflow_text()  # Before anything else: without it, there is nothing to do.
        self._model = SentencePieceModel.read(sp_model)
        rules = rules_for(self._model.path, rules)
        self._sentencepiece = sentencepiece_tokenizer(self._model.proto)
        self._digit_comma = DigitCommaTable(self._model) if rules == "original" else None
        self.rules = rules

    def __call__(
        self, inputs: TensorLike, training: bool = False, mask: None = None
    ) -> tf.RaggedTensor:
        """Tokenizes.

        Args:
          inputs: string [batch], UTF-8: a tensor, an array or a list of str.
          training: Not used; for `hub.KerasLayer`.
          mask: Not used; for `hub.KerasLayer`.

        Returns:
          int32 RaggedTensor [batch, (tokens)] with int64 row_splits.
        """
        del training, mask
        tokens = self._sentencepiece.tokenize(normalize(string_batch(inputs), self.rules))
        return self._digit_comma.expand(tokens) if self._digit_comma else tokens

    def tokenize_with_offsets(
        self, inputs: TensorLike
    ) -> tuple[tf.RaggedTensor, tf.RaggedTensor, tf.RaggedTensor]:
        """Tokenizes, and tells where in the source each token came from.

        `source[start:limit]` is what became the token: without the space that "▁" stands for, with
        accents that were dropped, and with the whole character where one was expanded ("ß", "ﬁ").
        A lone "▁" is empty, at the start of what follows.

        Args:
          inputs: string [batch], UTF-8: a tensor, an array or a list of str.

        Returns:
          `(tokens, starts, limits)`, RaggedTensors [batch, (tokens)]: int32 ids as from the call,
          int64 offsets into the source, in bytes (see `byte_to_character_offsets`).
        """
        inputs = string_batch(inputs)
        normalized = normalize(inputs, self.rules)
        tokens = self._sentencepiece.tokenize(normalized)
        lengths = self._content_lengths(normalized)
        if self._digit_comma:
            tokens, lengths = self._digit_comma.expand(tokens, lengths)
        starts, limits = source_offsets(inputs, lengths, self._cluster_lengths)
        return tokens, starts, limits

    def tokenize_masked(self, inputs: TensorLike) -> tuple[tf.RaggedTensor, Tensor]:
        """Tokenizes texts in which each [MASK] is one token; otherwise as the call.

        Args:
          inputs: string [batch], UTF-8: a tensor, an array or a list of str.

        Returns:
          `(tokens, normalized)`: int32 RaggedTensor [batch, (tokens)], and string [batch], the
          texts as they were tokenized, with U+FDD0 for each mask.

        Raises:
          tf.errors.InvalidArgumentError: A text holds U+FDD0, which Unicode excludes from texts.

        Reference: `albert_tf.text.masked_text.tokenize_masked`, the same in plain Python.
        """
        inputs = tf.strings.regex_replace(masked_batch(inputs), re.escape(MASK), STAND_IN)
        normalized = normalize(inputs, self.rules)
        ids = self._sentencepiece.tokenize(normalized)
        tokens = place_masks(ids, self._pieces(normalized), self._model.special_ids)
        return (self._digit_comma.expand(tokens) if self._digit_comma else tokens), normalized

    def detokenize(self, inputs: TensorLike) -> Tensor:
        """Turns ids back into normalized text; special pieces vanish.

        Args:
          inputs: int32 [batch, (tokens)]: a RaggedTensor, a tensor, or a list of lists.

        Returns:
          string [batch].
        """
        return self._sentencepiece.detokenize(id_rows(inputs))

    def get_special_tokens_dict(self) -> dict[str, Tensor]:
        """Scalar int32 tensors: vocab_size and the ids of the special pieces.

        Returns:
          dict {vocab_size, padding_id, start_of_sequence_id, end_of_segment_id, mask_id}.
        """
        return special_tokens_dict(self._model)

    def normalize(self, strings: Tensor) -> Tensor:
        """Strings as they are before SentencePiece."""
        return normalize(strings, self.rules)

    @property
    def vocabulary(self) -> SentencePieceModel:
        """The `SentencePieceModel`."""
        return self._model

    sp_model = vocabulary

    def _pieces(self, normalized):
        """The pieces as strings, RaggedTensor [batch, (tokens)], before the digit-comma rule."""
        # A copy shares the model; as an attribute it would be saved as a second one.
        tokenizer = copy.copy(self._sentencepiece)
        tokenizer.out_type = tf.string
        return tokenizer.tokenize(normalized)

    def _content_lengths(self, normalized):
        """Bytes of each piece without "▁", int32 RaggedTensor [batch, (tokens)]."""
        pieces = self._pieces(normalized)
        return pieces.with_values(
            tf.strings.length(tf.strings.regex_replace(pieces.values, WORD_START, ""))
        )

    def _cluster_lengths(self, clusters):
        """Bytes of pieces, without "▁", that each of some clusters (string [n]) turns into."""
        return tf.reduce_sum(self._content_lengths(normalize(clusters, self.rules)), axis=1)


def masked_batch(inputs):
    """`string_batch` of texts that do not hold what stands for [MASK]."""
    inputs = string_batch(inputs)
    check = tf.debugging.Assert(
        ~tf.reduce_any(tf.strings.regex_full_match(inputs, f"(?s).*{STAND_IN}.*")),
        ["A text must not hold U+FDD0, which Unicode excludes from texts. Remove it."],
    )
    with tf.control_dependencies([check] if check is not None else []):
        return tf.identity(inputs)


def special_tokens_dict(vocabulary):
    """A vocabulary's size and special ids but the unknown one, as scalar int32 tensors."""
    ids = {k: v for k, v in vocabulary.special_ids.items() if k != "unknown_id"}
    ids["vocab_size"] = vocabulary.vocab_size
    return {name: tf.constant(value, tf.int32) for name, value in ids.items()}


def id_rows(inputs):
    """Converts what `detokenize` is given to a tensor or RaggedTensor [batch, (tokens)]."""
    if not isinstance(inputs, tf.RaggedTensor):
        inputs = tf.convert_to_tensor(inputs, tf.int32)
    if inputs.shape.rank != 2:
        raise ValueError(
            "detokenize takes ids of shape [batch, (tokens)]. "
            f"Received: shape {inputs.shape}. Wrap a single text's ids in a list."
        )
    return inputs


def string_batch(inputs):
    """Converts to a string tensor [batch], or raises a ValueError that says what was given."""
    rule = 'Text inputs must be a batch of strings, such as tf.constant(["some text"]).'
    if isinstance(inputs, tf.RaggedTensor):
        raise ValueError(f"{rule} Received: a RaggedTensor of shape {inputs.shape}.")
    if not tf.is_tensor(inputs):
        try:
            inputs = tf.convert_to_tensor(inputs, tf.string)
        except (TypeError, ValueError) as error:
            kind = type(inputs).__name__
            raise ValueError(f"{rule} Received: {kind} that is not of strings: {error}") from None
    if inputs.dtype != tf.string or inputs.shape.rank not in (1, None):
        raise ValueError(
            f"{rule} Received: dtype {inputs.dtype.name} and shape {inputs.shape}. "
            "Wrap a single string in a list; flatten other shapes with tf.reshape(x, [-1])."
        )
    return tf.ensure_shape(inputs, [None])
