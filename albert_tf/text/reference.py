"""The original's tokenizer in plain Python, with offsets: no TensorFlow needed.

Training data is made with these rules; the in-graph rules "original" give the same ids.
"""

import unicodedata
from collections.abc import Iterable

from albert_tf._types import Path
from albert_tf.text.characters import clusters
from albert_tf.text.sentencepiece_model import SentencePieceModel

WORD_START = "▁"  # U+2581, how SentencePiece writes the space before a word.


def preprocess_text(text, lower=True, remove_space=True):
    """Normalizes text as the original does before it tokenizes.

    Does not include SentencePiece's own normalization, which follows it.

    Args:
      text: str.
      lower: Whether to lower-case, by `str.lower` (final sigma included, sharp s kept).
      remove_space: Whether to strip white space and reduce each run of it to one space.

    Returns:
      str: NFKD without characters of non-zero combining class.

    Raises:
      TypeError: If `text` is not a str.
      ValueError: If it contains a lone surrogate.

    Example:
      >>> from albert_tf.text.reference import preprocess_text
      >>> preprocess_text("  Zürich  is GREAT ")
      'zurich is great'

    Reference: `preprocess_text` in the original's tokenization.py.
    """
    check_text(text)
    if remove_space:
        text = " ".join(text.split())
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in text if not unicodedata.combining(c))
    return text.lower() if lower else text


def check_text(text):
    """Raises unless `text` is a str that UTF-8 can hold."""
    if not isinstance(text, str):
        raise TypeError(f"Text must be a str. Received: {text!r} of type {type(text).__name__}.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                "Text must be valid Unicode. "
                f"Received: a lone surrogate {text[error.start]!r} at character {error.start}. "
                "Decode the bytes with errors='replace' instead of 'surrogateescape'."
            ) from None


def encode_pieces(processor, text):
    """Splits text into pieces by SentencePiece and the original's digit-comma rule.

    The rule: a piece that ends with a digit and a comma ("▁2010,") is split again without "▁" and
    without the comma ("▁2010"), then "," follows. As in the original under Python 3, a "▁" that the
    second split puts in front stays, even where the piece had none.

    Args:
      processor: `sentencepiece.SentencePieceProcessor`.
      text: str, taken as it is: no lower-casing.

    Returns:
      list of str. A run of characters unknown to the model is one piece.

    Reference: `encode_pieces` in the original's tokenization.py.
    """
    check_text(text)
    pieces = []
    for piece in processor.EncodeAsPieces(text):
        pieces.extend(split_digit_comma(processor, piece) or (piece,))
    return pieces


def split_digit_comma(processor, piece):
    """The pieces that the digit-comma rule makes of one piece, or None if it does not apply."""
    if len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit():
        return processor.EncodeAsPieces(piece[:-1].replace(WORD_START, "")) + [","]
    return None


def source_spans(text, lengths, content_length):
    """Where in a text pieces came from, by counting characters of content in both.

    Args:
      text: str, before normalization.
      lengths: Iterable of int, the characters of content that each piece has.
      content_length: Function from a cluster (see `clusters`) to that of what it turns into.

    Returns:
      `(starts, limits)`, two lists of int.
    """
    ends, position = [], 0  # For each character of content, the cluster it came from.
    for cluster in clusters(text):
        start, position = position, position + len(cluster)
        ends.extend([(start, position)] * content_length(cluster))
    ends.append((len(text), len(text)))
    starts, limits, position = [], [], 0
    for length in lengths:
        first = min(position, len(ends) - 1)
        position += length
        last = min(position, len(ends) - 1) - 1
        starts.append(ends[first][0])
        limits.append(ends[last][1] if last >= first else ends[first][0])
    return starts, limits


class ReferenceTokenizer:
    """Text to pieces, ids and offsets by the original's Python rules.

    `preprocess_text(text, lower)`, SentencePiece and the digit-comma rule, as all of the original's
    data code applies them. Adds no [CLS] and [SEP]; special pieces in the text are ordinary text.

    Args:
      sp_model: Path of the SentencePiece model, or a `SentencePieceModel`.
      lower: Whether to lower-case; all published English models need it.

    Attributes:
      rules: "original", whose ids these are.
      special_ids: dict {padding_id, unknown_id, start_of_sequence_id, end_of_segment_id, mask_id}.
      vocab_size: Number of pieces.

    Example:
      >>> import albert_tf
      >>> from albert_tf import albert_tiny_en
      >>> tokenizer = albert_tf.ReferenceTokenizer(albert_tiny_en.SP_MODEL)
      >>> tokenizer.tokenize("The dog, 12 cats")
      ['▁the', '▁dog', ',', '▁', '12', '▁cat', 's']

    Reference: `FullTokenizer` in the original's tokenization.py.
    """

    rules = "original"

    def __init__(self, sp_model: Path | SentencePieceModel, lower: bool = True) -> None:
        model = SentencePieceModel.read(sp_model)
        self._processor = model.processor
        self._content_lengths = {}
        self.lower = lower
        self.special_ids = dict(model.special_ids)
        self.vocab_size = model.vocab_size

    def tokenize(self, text: str) -> list[str]:
        """Pieces of a str, list of str."""
        return encode_pieces(self._processor, preprocess_text(text, self.lower))

    def encode(self, text: str) -> list[int]:
        """Ids of a str, list of int."""
        return self.pieces_to_ids(self.tokenize(text))

    def pieces_to_ids(self, pieces: Iterable[str]) -> list[int]:
        """Ids of pieces, list of int; that of <unk> for what the vocabulary lacks."""
        return [self._processor.PieceToId(piece) for piece in pieces]

    def ids_to_pieces(self, ids: Iterable[int]) -> list[str]:
        """Pieces of ids, list of str."""
        return [self._processor.IdToPiece(int(i)) for i in ids]

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[int], list[int]]:
        """Ids with the place in `text` that each came from.

        `text[start:limit]` is what became the piece: without the space that "▁" stands for, with
        accents that were dropped, and with the whole character where one was expanded ("½", "ﬁ").
        A lone "▁" is empty, at the start of what follows.

        Args:
          text: str, before normalization.

        Returns:
          `(ids, starts, limits)`, three lists of int; offsets count characters.
        """
        pieces = self.tokenize(text)
        spans = source_spans(text, map(_content_length, pieces), self._content_length)
        return self.pieces_to_ids(pieces), *spans

    def normalize(self, text: str) -> str:
        """A str as it is before SentencePiece."""
        return preprocess_text(text, self.lower)

    @staticmethod
    def is_blank(piece: str) -> bool:
        """Whether a piece stands for no text: the lone "▁"."""
        return piece == WORD_START

    def _content_length(self, cluster):
        """Characters of pieces, without "▁", that a cluster turns into."""
        if cluster not in self._content_lengths:
            pieces = self._processor.EncodeAsPieces(preprocess_text(cluster, self.lower))
            self._content_lengths[cluster] = sum(map(_content_length, pieces))
        return self._content_lengths[cluster]


def _content_length(piece):
    return len(piece) - piece.count(WORD_START)
