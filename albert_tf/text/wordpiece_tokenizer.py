"""The WordPiece tokenizer as TensorFlow operations."""

import functools

import tensorflow as tf

from albert_tf._types import Path, Tensor, TensorLike
from albert_tf.text.characters import regex_class
from albert_tf.text.masked_text import MASK, STAND_IN
from albert_tf.text.normalize import lower_case
from albert_tf.text.offsets import source_offsets
from albert_tf.text.rules import rules_for
from albert_tf.text.tensorflow_text import import_tensorflow_text
from albert_tf.text.tokenizer import id_rows, masked_batch, special_tokens_dict, string_batch
from albert_tf.text.wordpiece import (
    LONGEST_WORD,
    UNKNOWN,
    is_chinese,
    is_dropped,
    is_mark,
    is_punctuation,
    is_space,
)
from albert_tf.text.wordpiece_vocabulary import SUFFIX, WordPieceVocabulary


class WordPieceTokenizer(tf.Module):
    """Batches of UTF-8 text to ragged batches of ids, eagerly, in tf.function and in tf.data.

    Does what `Tokenizer` does, with the same methods, for models that have a vocab.txt instead of a
    SentencePiece model; the ids are those of Google's `FullTokenizer`. Words are not kept apart:
    rows of ids have rank 2, while those of TF Hub's BERT preprocessors have rank 3.

    Of tensorflow-text it uses the WordPiece operation. Cleaning and splitting are patterns made of
    the same predicates as the Python tokenizer's, because its `BertTokenizer` differs from the
    original: in full-width characters, control characters and the longest word.

    Args:
      vocab_file: Path of the vocabulary, or a `WordPieceVocabulary`.
      do_lower_case: Whether to lower-case and remove accents; see `WordPieceVocabulary.read`.
      rules: "original" or None.

    Attributes:
      rules: "original".
      vocabulary: The `WordPieceVocabulary`.

    Raises:
      ImportError: If tensorflow-text is missing.
      FileNotFoundError, ValueError: For a wrong `vocab_file` or other `rules`.
    """

    def __init__(
        self,
        vocab_file: Path | WordPieceVocabulary,
        do_lower_case: bool | None = None,
        rules: str | None = None,
    ) -> None:
        super().__init__()
        text = import_tensorflow_text()
        self.vocabulary = WordPieceVocabulary.read(vocab_file, do_lower_case)
        self.rules = rules_for(self.vocabulary.path, rules)
        if self.rules != "original":
            raise ValueError(
                "With a WordPiece vocabulary, rules must be 'original', those of Google's "
                f"FullTokenizer. Received: {self.rules!r}. Leave rules out."
            )
        pieces = self.vocabulary.pieces
        free = (c for c in map(chr, range(0xFDD0, 0xFDF0)) if c not in pieces)
        self._unspellable = next(free)
        self._wordpiece = text.FastWordpieceTokenizer(
            # The operation refuses empty pieces. No word has them, nor a space.
            vocab=[f" {i}" if piece in ("", SUFFIX) else piece for i, piece in enumerate(pieces)],
            suffix_indicator=SUFFIX,
            max_bytes_per_word=4 * LONGEST_WORD,
            token_out_type=tf.int32,
            unknown_token=UNKNOWN,
            no_pretokenization=True,
            support_detokenization=True,
        )

    def __call__(
        self, inputs: TensorLike, training: bool = False, mask: None = None
    ) -> tf.RaggedTensor:
        """Tokenizes; see `Tokenizer.__call__`."""
        del training, mask
        return self._tokens_and_lengths(string_batch(inputs))[0]

    def tokenize_with_offsets(
        self, inputs: TensorLike
    ) -> tuple[tf.RaggedTensor, tf.RaggedTensor, tf.RaggedTensor]:
        """Tokens with byte offsets into the source; see `Tokenizer.tokenize_with_offsets`.

        `source[start:limit]` is what became the token, with accents that were dropped; of an
        unknown word, all of it.
        """
        inputs = string_batch(inputs)
        tokens, lengths = self._tokens_and_lengths(inputs)
        # A NUL, at which some operations end, is dropped as any control character is.
        source = tf.strings.regex_replace(inputs, r"\x00", "\x01")
        starts, limits = source_offsets(source, lengths, self._cluster_lengths)
        return tokens, starts, limits

    def tokenize_masked(self, inputs: TensorLike) -> tuple[tf.RaggedTensor, Tensor]:
        """Tokenizes texts in which each [MASK] is one token; see `Tokenizer.tokenize_masked`.

        Args:
          inputs: string [batch], UTF-8: a tensor, an array or a list of str.

        Returns:
          `(tokens, joined)`: int32 RaggedTensor [batch, (tokens)], and string [batch], their pieces
          with spaces between them and U+FDD0 for each mask.
        """
        parts = tf.strings.split(masked_batch(inputs), MASK)  # [batch, (1 + masks)]
        tokens = self(parts.values)
        mask_id = self.vocabulary.special_ids["mask_id"]
        # A mask before each part, but none before the first.
        masks = tf.fill([tf.size(parts.values), 1], mask_id)
        tokens = parts.with_values(tf.concat([masks, tokens], 1)).merge_dims(1, 2)[:, 1:]
        pieces = tf.gather(tf.constant(self.vocabulary.pieces), tokens.values)
        pieces = tf.where(tokens.values == mask_id, STAND_IN, pieces)
        joined = tf.strings.reduce_join(tokens.with_values(pieces), 1, separator=" ")
        return tokens, joined

    def detokenize(self, inputs: TensorLike) -> Tensor:
        """Ids back to normalized text, with spaces between words; special pieces but [UNK] vanish.

        See `Tokenizer.detokenize`.
        """
        rows = id_rows(inputs)
        if not isinstance(rows, tf.RaggedTensor):
            rows = tf.RaggedTensor.from_tensor(rows)
        special = [i for name, i in self.vocabulary.special_ids.items() if name != "unknown_id"]
        is_text = tf.reduce_all(rows.values[:, tf.newaxis] != tf.constant(special), axis=1)
        return self._wordpiece.detokenize(tf.ragged.boolean_mask(rows, rows.with_values(is_text)))

    def get_special_tokens_dict(self) -> dict[str, Tensor]:
        """The ids of the special pieces; see `Tokenizer.get_special_tokens_dict`."""
        return special_tokens_dict(self.vocabulary)

    def normalize(self, strings: Tensor) -> Tensor:
        """Strings as they are: all normalization is part of the tokenizer."""
        return strings

    def _tokens_and_lengths(self, strings):
        """Ids, and the bytes of normalized text that each stands for; both [batch, (tokens)]."""
        words = tf.strings.split(self._words(strings))  # [batch, (words)]
        too_long = tf.strings.length(words.values, unit="UTF8_CHAR") > LONGEST_WORD
        spelled = tf.where(too_long, self._unspellable, words.values)
        tokens, starts, limits = self._wordpiece.tokenize_with_offsets(spelled)
        # A word that is too long is one unknown token.
        tokens = words.with_values(tokens)
        row = limits.value_rowids()
        lengths = tf.cast(limits.values - starts.values, tf.int32)
        lengths = tf.where(
            tf.gather(too_long, row), tf.gather(tf.strings.length(words.values), row), lengths
        )
        tokens = tokens.merge_dims(1, 2)
        return tokens, tokens.with_values(lengths)

    def _words(self, strings):
        """Normalized text with spaces around every word that is none by itself."""
        text = import_tensorflow_text()
        dropped, space, chinese, mark, punctuation = _classes()
        strings = tf.strings.unicode_transcode(strings, "UTF-8", "UTF-8")  # Bad bytes: U+FFFD.
        strings = tf.strings.regex_replace(strings, f"[{dropped}]", "")
        strings = tf.strings.regex_replace(strings, f"[{space}]", " ")
        strings = tf.strings.regex_replace(strings, f"([{chinese}])", r" \1 ")
        if self.vocabulary.do_lower_case:
            strings = text.normalize_utf8(lower_case(strings), "NFD")
            strings = tf.strings.regex_replace(strings, f"[{mark}]", "")
        return tf.strings.regex_replace(strings, f"([{punctuation}])", r" \1 ")

    def _cluster_lengths(self, clusters):
        """Bytes of normalized text that each of some clusters (string [n]) turns into."""
        return tf.strings.length(tf.strings.regex_replace(self._words(clusters), " ", ""))


@functools.cache
def _classes():
    """RE2 classes of what is dropped, ends words, is Chinese, is a mark, is punctuation."""
    return (
        regex_class(is_dropped),
        regex_class(lambda c: c != " " and is_space(c) and not is_dropped(c)),
        regex_class(is_chinese),
        regex_class(is_mark),
        regex_class(is_punctuation),
    )
