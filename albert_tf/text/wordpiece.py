"""Google's WordPiece tokenizer in plain Python, with offsets: no TensorFlow needed."""

import unicodedata
from collections.abc import Iterable

from albert_tf._types import Path
from albert_tf.text.reference import check_text, source_spans
from albert_tf.text.wordpiece_vocabulary import (
    SUFFIX,
    WORDPIECE_SPECIAL_PIECES,
    WordPieceVocabulary,
)

LONGEST_WORD = 200  # Characters; a longer word is unknown.
UNKNOWN = WORDPIECE_SPECIAL_PIECES["unknown_id"]
# The blocks whose characters are words of their own.
_CHINESE = (
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF), (0x2F800, 0x2FA1F),
)  # fmt: skip


def is_dropped(character):
    """Whether a character has no part in the text: a control or format character, or U+FFFD."""
    if character in "\t\n\r":
        return False
    return character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cf")


def is_space(character):
    """Whether a character that is not dropped ends a word."""
    return character.isspace()


def is_chinese(character):
    """Whether a character is a word of its own wherever it stands."""
    return any(first <= ord(character) <= last for first, last in _CHINESE)


def is_mark(character):
    """Whether lower-casing drops a character, once accents stand apart."""
    return unicodedata.category(character) == "Mn"


def is_punctuation(character):
    """Whether a character is a word of its own after normalization; so are all ASCII symbols."""
    if character.isascii():
        return not character.isalnum() and " " < character < "\x7f"
    return unicodedata.category(character)[0] == "P"


def basic_words(text, lower=True):
    """Splits text into normalized words; punctuation and Chinese characters are words.

    Args:
      text: str.
      lower: Whether to lower-case, by `str.lower`, and to remove accents.

    Returns:
      list of str.

    Raises:
      TypeError: If `text` is not a str.
      ValueError: If it contains a lone surrogate.

    Example:
      >>> from albert_tf.text.wordpiece import basic_words
      >>> basic_words("Zürich在哪里?")
      ['zurich', '在', '哪', '里', '?']

    Reference: `BasicTokenizer` in the original's tokenization.py.
    """
    check_text(text)
    text = text.translate(_CLEANED)
    if lower:
        text = unicodedata.normalize("NFD", text.lower()).translate(_WITHOUT_MARKS)
    return text.translate(_PUNCTUATION_APART).split()


def word_pieces(word, ids):
    """Splits a word into its longest pieces from the left, or none if that fails.

    Args:
      word: str without white space.
      ids: dict with the pieces as keys; those that go on with a word have "##" in front.

    Returns:
      list of str; [] for a word that the vocabulary cannot spell or that is too long.

    Reference: `WordpieceTokenizer` in the original's tokenization.py.
    """
    pieces, start = [], 0
    while start < len(word) <= LONGEST_WORD:
        prefix = SUFFIX if start else ""
        for end in range(len(word), start, -1):
            if (piece := prefix + word[start:end]) in ids:
                break
        else:
            return []
        pieces.append(piece)
        start = end
    return pieces


class WordPieceReferenceTokenizer:
    """Text to pieces, ids and offsets by the rules of Google's WordPiece tokenizer.

    Does what `ReferenceTokenizer` does, with the same methods, for models that have a vocab.txt
    instead of a SentencePiece model. Adds no [CLS] and [SEP]; special pieces in the text are
    ordinary text.

    Args:
      vocab_file: Path of the vocabulary, or a `WordPieceVocabulary`.
      do_lower_case: Whether to lower-case and remove accents; see `WordPieceVocabulary.read`.

    Attributes:
      rules: "original", whose ids these are.
      lower: Whether it lower-cases.
      special_ids: dict {padding_id, unknown_id, start_of_sequence_id, end_of_segment_id, mask_id}.
      vocab_size: Number of pieces.

    Example:
      >>> import pathlib, tempfile
      >>> import albert_tf
      >>> path = pathlib.Path(tempfile.mkdtemp()) / "vocab.txt"
      >>> pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "我", "爱", "play", "##ing", "!"]
      >>> _ = path.write_text("\\n".join(pieces), encoding="utf-8")
      >>> tokenizer = albert_tf.WordPieceReferenceTokenizer(path)
      >>> tokenizer.tokenize("我爱Playing!")
      ['我', '爱', 'play', '##ing', '!']
      >>> tokenizer.encode("我爱你")
      [5, 6, 1]

    Reference: `FullTokenizer` with `vocab_file` in the original's tokenization.py.
    """

    rules = "original"

    def __init__(
        self, vocab_file: Path | WordPieceVocabulary, do_lower_case: bool | None = None
    ) -> None:
        vocabulary = WordPieceVocabulary.read(vocab_file, do_lower_case)
        self.lower = vocabulary.do_lower_case
        self.special_ids: dict[str, int] = dict(vocabulary.special_ids)
        self.vocab_size = vocabulary.vocab_size
        self._ids, self._pieces = vocabulary.ids, vocabulary.pieces
        self._content_lengths = {}

    def tokenize(self, text: str) -> list[str]:
        """Pieces of a str, list of str."""
        return [piece for piece, _ in self._with_lengths(text)]

    def encode(self, text: str) -> list[int]:
        """Ids of a str, list of int."""
        return self.pieces_to_ids(self.tokenize(text))

    def pieces_to_ids(self, pieces: Iterable[str]) -> list[int]:
        """Ids of pieces, list of int; that of [UNK] for what the vocabulary lacks."""
        return [self._ids.get(piece, self.special_ids["unknown_id"]) for piece in pieces]

    def ids_to_pieces(self, ids: Iterable[int]) -> list[str]:
        """Pieces of ids, list of str."""
        return [self._pieces[int(i)] for i in ids]

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[int], list[int]]:
        """Ids with the place in `text` that each came from.

        `text[start:limit]` is what became the piece, with accents that were dropped; of an unknown
        word, all of it.

        Args:
          text: str, before normalization.

        Returns:
          `(ids, starts, limits)`, three lists of int; offsets count characters.
        """
        pieces = self._with_lengths(text)
        spans = source_spans(text, (length for _, length in pieces), self._content_length)
        return self.pieces_to_ids(piece for piece, _ in pieces), *spans

    def normalize(self, text: str) -> str:
        """A str as it is: all normalization is part of the tokenizer."""
        return text

    @staticmethod
    def is_blank(piece: str) -> bool:
        """Whether a piece stands for no text: none does."""
        return False

    def _with_lengths(self, text):
        """[(piece, characters of normalized text that it stands for), ...]"""
        found = []
        for word in basic_words(text, self.lower):
            pieces = word_pieces(word, self._ids)
            found.extend((p, len(p) - (len(SUFFIX) if i else 0)) for i, p in enumerate(pieces))
            if not pieces:
                found.append((UNKNOWN, len(word)))
        return found

    def _content_length(self, cluster):
        """Characters of normalized text that a cluster turns into."""
        if cluster not in self._content_lengths:
            words = basic_words(cluster, self.lower)
            self._content_lengths[cluster] = sum(map(len, words))
        return self._content_lengths[cluster]


class _Replacement(dict):
    """What `str.translate` puts for each code point, found when it first occurs."""

    def __init__(self, replace):
        super().__init__()
        self._replace = replace

    def __missing__(self, code):
        self[code] = self._replace(chr(code))
        return self[code]


def _cleaned(character):
    if is_dropped(character):
        return ""
    if is_space(character):
        return " "
    return f" {character} " if is_chinese(character) else character


_CLEANED = _Replacement(_cleaned)
_WITHOUT_MARKS = _Replacement(lambda c: "" if is_mark(c) else c)
_PUNCTUATION_APART = _Replacement(lambda c: f" {c} " if is_punctuation(c) else c)
