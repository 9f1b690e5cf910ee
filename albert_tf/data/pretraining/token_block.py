"""Documents as flat arrays of piece ids: what segments and masks are cut from."""

import dataclasses
import itertools

import numpy as np

from albert_tf.text.reference import encode_pieces, preprocess_text, split_digit_comma
from albert_tf.text.sentencepiece_model import SentencePieceModel
from albert_tf.text.word_starts import starts_word

_SENTENCES_AT_ONCE = 2048  # Bounds the memory of SentencePiece's Python lists.


@dataclasses.dataclass(frozen=True)
class TokenBlock:
    """Some tokenized documents.

    Attributes:
      ids: int32 [tokens], all sentences in a row.
      word_starts: bool [tokens], whether each piece starts a word.
      sentences: int64 [sentences + 1], where each sentence starts in `ids`, and the end.
      documents: int64 [documents + 1], where each document starts in `sentences`, and the end.
    """

    ids: np.ndarray
    word_starts: np.ndarray
    sentences: np.ndarray
    documents: np.ndarray


class BlockEncoder:
    """Tokenizes many sentences at a time, with the ids of `ReferenceTokenizer`.

    Args:
      sp_model: Path of the SentencePiece model, or a `SentencePieceModel`.
      lower: Whether to lower-case.

    Example:
      >>> from albert_tf import albert_tiny_en
      >>> from albert_tf.data.pretraining.token_block import BlockEncoder
      >>> encoder = BlockEncoder(albert_tiny_en.SP_MODEL)
      >>> block = encoder.encode([["He was here.", "She was not."]])
      >>> block.sentences.tolist(), block.documents.tolist()
      ([0, 4, 8], [0, 2])
    """

    def __init__(self, sp_model, lower=True):
        model = SentencePieceModel.read(sp_model)
        self.special_ids = model.special_ids
        self.vocab_size = model.vocab_size
        self._processor = model.processor
        self._lower = lower
        self._word_starts = np.array([starts_word(piece) for piece in model.pieces])
        # Sentences with such a piece are tokenized again, piece by piece: the digit-comma rule may
        # change it, and whether an unknown piece starts a word depends on its text.
        self._needs_pieces = np.array(
            [split_digit_comma(self._processor, piece) is not None for piece in model.pieces]
        )
        self._needs_pieces[model.special_ids["unknown_id"]] = True

    def encode(self, documents):
        """Tokenizes documents, a list of lists of str; sentences without pieces are left out.

        Returns:
          `TokenBlock`. Documents without pieces are left out too.
        """
        texts = (preprocess_text(text, self._lower) for text in itertools.chain(*documents))
        ids, starts, lengths = [], [], []
        while batch := list(itertools.islice(texts, _SENTENCES_AT_ONCE)):
            for target, values in zip((ids, starts, lengths), self._encode_batch(batch)):
                target.append(values)
        if not ids:
            ids, starts, lengths = [np.zeros(0, np.int32)], [np.zeros(0, bool)], [[]]
        lengths = np.concatenate(lengths).astype(np.int64)
        # Of which document each sentence is, so that empty ones can go.
        owner = np.repeat(np.arange(len(documents)), [len(document) for document in documents])
        counts = np.bincount(owner[lengths > 0], minlength=len(documents))
        return TokenBlock(
            np.concatenate(ids),
            np.concatenate(starts),
            _starts_of(lengths[lengths > 0]),
            _starts_of(counts[counts > 0]),
        )

    def _encode_batch(self, texts):
        """-> ids, word starts, lengths of the sentences."""
        encoded = self._processor.encode(texts, out_type=int, num_threads=1)
        lengths = np.array([len(sentence) for sentence in encoded], np.int64)
        ids = np.fromiter(itertools.chain.from_iterable(encoded), np.int32, lengths.sum())
        indices = np.flatnonzero(self._needs_pieces[ids])
        if not len(indices):
            return ids, self._word_starts[ids], lengths
        bounds = _starts_of(lengths)
        id_parts = np.split(ids, bounds[1:-1])
        start_parts = np.split(self._word_starts[ids], bounds[1:-1])
        for index in np.unique(np.searchsorted(bounds, indices, side="right") - 1).tolist():
            pieces = encode_pieces(self._processor, texts[index])
            id_parts[index] = np.array([self._processor.PieceToId(p) for p in pieces], np.int32)
            start_parts[index] = np.array([starts_word(p) for p in pieces], bool)
            lengths[index] = len(pieces)
        return np.concatenate(id_parts), np.concatenate(start_parts), lengths


def _starts_of(lengths):
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
