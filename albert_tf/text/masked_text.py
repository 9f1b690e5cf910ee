"""Texts with [MASK] in them: to word pieces and back."""

import re
import reprlib

from albert_tf.text.reference import WORD_START, check_text
from albert_tf.text.sentencepiece_model import SPECIAL_PIECES
from albert_tf.text.wordpiece import WordPieceReferenceTokenizer
from albert_tf.text.wordpiece_vocabulary import SUFFIX

MASK = SPECIAL_PIECES["mask_id"]
# Stands for [MASK] while the text is tokenized. Unicode keeps this code point free for programs.
_STAND_IN = "\ufdd0"


def tokenize_masked(tokenizer, text):
    """Pieces of a text in which each [MASK] is one piece.

    The rest is tokenized as ever. What follows a mask without a space goes on where the mask ends,
    as where pre-training masks a piece: "[MASK]." is a mask and ".". Hugging Face's tokenizers take
    what follows a mask for a new word (some of them except for punctuation); so does this function
    with a WordPiece tokenizer.

    Args:
      tokenizer: `ReferenceTokenizer` or `WordPieceReferenceTokenizer`.
      text: str with one [MASK] or more.

    Returns:
      list of str; a mask is "▁[MASK]" at the start of a word and "[MASK]" elsewhere.

    Raises:
      TypeError: If `text` is not a str.
      ValueError: If it has no [MASK], a lone surrogate, or the noncharacter U+FDD0.

    Example:
      >>> from albert_tf import ReferenceTokenizer, albert_tiny_en
      >>> from albert_tf.text.masked_text import tokenize_masked
      >>> tokenize_masked(ReferenceTokenizer(albert_tiny_en.SP_MODEL), "Is the [MASK]ing [MASK]?")
      ['▁is', '▁the', '▁[MASK]', 'ing', '▁[MASK]', '?']
    """
    check_masked(text)
    pieces = []
    if isinstance(tokenizer, WordPieceReferenceTokenizer):
        for i, part in enumerate(text.split(MASK)):
            pieces += [MASK] * (i > 0) + tokenizer.tokenize(part)
        return pieces
    for piece in tokenizer.tokenize(text.replace(MASK, _STAND_IN)):
        # No vocabulary has the stand-in: it is a piece of its own, or in a run of unknowns.
        for part in filter(None, re.split(f"({_STAND_IN})", piece)):
            if part == _STAND_IN:
                # A space before the mask is the masked piece's, not a piece of its own.
                space = pieces.pop() if pieces and pieces[-1] == WORD_START else ""
                part = space + MASK
            pieces.append(part)
    return pieces


def check_masked(text):
    """Raises what `tokenize_masked` raises."""
    check_text(text)
    if MASK not in text:
        raise ValueError(
            f"A text must have {MASK} where a word piece is to be found. Received: "
            f"{reprlib.repr(text)}."
        )
    if _STAND_IN in text:
        raise ValueError(
            "A text must not hold U+FDD0, which Unicode excludes from texts. Received: "
            f"{reprlib.repr(text)}. Remove it."
        )


def is_mask(piece):
    """Whether a piece of `tokenize_masked` is a mask."""
    return piece.removeprefix(WORD_START) == MASK


def join_pieces(pieces, tokenizer):
    """Text of pieces: as SentencePiece decodes them, but unknown characters as they were.

    Of WordPiece, words with spaces between them, Chinese characters too, as Hugging Face has it.
    """
    if isinstance(tokenizer, WordPieceReferenceTokenizer):
        return " ".join(filter(None, pieces)).replace(f" {SUFFIX}", "")
    return "".join(pieces).replace(WORD_START, " ").strip()
