"""Which pieces start a word, for masking whole words."""

import string

from albert_tf.text.reference import WORD_START

# What a word goes on with. The apostrophe, digits and = are not among them, so each piece with one
# starts a word; neither is what is not English.
_CONTINUING = frozenset(string.ascii_letters + string.punctuation) - frozenset("'=<>")
_PUNCTUATION = _CONTINUING - frozenset(string.ascii_letters)


def starts_word(piece):
    """Whether a piece starts a word, as the original decides it.

    A piece does if it starts with "▁" or "<", is a punctuation mark of its own, or has a character
    that is neither an English letter nor one of those marks.

    Args:
      piece: str, as SentencePiece writes it. A run of unknown characters counts by its text.

    Example:
      >>> from albert_tf.text.word_starts import starts_word
      >>> starts_word("▁play"), starts_word("ing"), starts_word("."), starts_word("'s")
      (True, False, True, True)

    Reference: `_is_start_piece_sp` in the original's create_pretraining_data.py.
    """
    return (
        piece.startswith((WORD_START, "<"))
        or piece in _PUNCTUATION
        or not _CONTINUING.issuperset(piece)
    )
