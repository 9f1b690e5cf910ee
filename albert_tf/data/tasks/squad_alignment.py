"""Which characters of a text each of its pieces came from, found as the original finds it.

Pieces are made of normalized text, which has other characters than the original one. The original
aligns both by a longest common subsequence near the diagonal and takes the neighbors' places for
characters without a partner. This gives the same places, bit-parallel: a row of the table is one
integer, whose bits are the increments of the subsequence's length.
"""

import dataclasses

import numpy as np

from albert_tf.text.reference import WORD_START, preprocess_text


@dataclasses.dataclass(frozen=True)
class PieceOffsets:
    """Places of pieces in their text.

    Attributes:
      starts, ends: int32 [pieces], indices of the first and of the last character of each piece.
      starting_piece, ending_piece: int32 [characters], the piece that a span of the text begins or
        ends with if it begins or ends at a character.
    """

    starts: np.ndarray
    ends: np.ndarray
    starting_piece: np.ndarray
    ending_piece: np.ndarray


def piece_offsets(text, pieces, lower=True):
    """Aligns pieces with the text that they were made of.

    Args:
      text: str, before normalization.
      pieces: list of str, the text's pieces.
      lower: Whether the pieces are of lower-cased text.

    Returns:
      `PieceOffsets`; or None if less than 80 % of the text's characters find a partner, in which
      case the original leaves the text out.

    Reference: `convert_examples_to_features` in the original's squad_utils.py.
    """
    joined = "".join(pieces).replace(WORD_START, " ")
    pairs = align(text, joined, lower)
    if pairs is None:
        return None
    in_text, in_joined = np.array(pairs).T
    joined_to_text = np.full(len(joined), -1)
    text_to_joined = np.full(len(text), -1)
    joined_to_text[in_joined], text_to_joined[in_text] = in_text, in_joined

    lengths = [len(piece) for piece in pieces]
    piece_of = np.repeat(np.arange(len(pieces), dtype=np.int32), lengths)
    first = np.cumsum(lengths) - lengths
    starts, ends = _fill_gaps(joined_to_text, len(text))
    from_start, from_end = _fill_gaps(text_to_joined)
    return PieceOffsets(
        starts[first].astype(np.int32),
        ends[first + lengths - 1].astype(np.int32),
        piece_of[from_start],
        piece_of[from_end],
    )


def exact_offsets(length, starts, limits):
    """`PieceOffsets` of pieces whose places are known, as those of a WordPiece tokenizer are.

    Args:
      length: Characters of the text, int.
      starts, limits: Where each piece begins, and the character after it; lists of int.

    Returns:
      `PieceOffsets`; or None without any piece. A span that begins between pieces begins with the
      next one, and one that ends there ends with the one before it.
    """
    if not starts:
        return None
    starts, ends = np.array(starts, np.int32), np.array(limits, np.int32) - 1
    positions, last = np.arange(length), len(starts) - 1
    # Pieces of one character, such as of an expanded one, share a place: all of them count.
    starting = np.minimum(np.searchsorted(ends, positions, "left"), last)
    ending = np.maximum(np.searchsorted(starts, positions, "right") - 1, 0)
    return PieceOffsets(starts, ends, starting.astype(np.int32), ending.astype(np.int32))


def align(text, joined, lower=True):
    """Pairs of equal characters of two strings, each in order: a longest common subsequence.

    Among the longest ones it is the original's: of ties the one that leaves out the last
    characters of `text` first, then those of `joined`. Pairs may be as far off the diagonal as the
    lengths differ, plus 5; twice that if less than 80 % of `text` is matched.

    Args:
      text: str; a character equals another if its normal form does.
      joined: str, normalized.
      lower: Whether the normal form is lower-cased.

    Returns:
      list of (index in text, index in joined) from the end; None if less than 80 % is matched.
    """
    distance = abs(len(text) - len(joined)) + 5
    for band in (distance, 2 * distance):
        rows = _table(text, joined, lower, band)
        matched = len(joined) - rows[-1].bit_count()
        if matched > 0.8 * len(text):
            break
    if matched == 0 or matched < 0.8 * len(text):
        return None
    return _trace(rows, len(joined) - 1, matched, band)


def _table(text, joined, lower, band):
    """Rows of the table: bit j of row i is 0 where joined[j] makes the subsequence longer.

    Row i belongs to the first i characters of `text`; only pairs (i, j) with
    -band <= j - i < band count.
    """
    width = len(joined)
    positions = {}
    for j, character in enumerate(joined):
        positions[character] = positions.get(character, 0) | 1 << j
    equal = {c: positions.get(preprocess_text(c, lower, remove_space=False), 0) for c in set(text)}
    inside, window = (1 << width) - 1, (1 << 2 * band) - 1
    rows = [inside]
    for i, character in enumerate(text):
        near = window << i - band if i > band else window >> band - i
        row = rows[-1]
        matches = row & equal[character] & near
        rows.append((row + matches | row - matches) & inside)
    return rows


def _trace(rows, j, length, band):
    """Walks the table back from its end, with the original's choices where paths tie."""
    pairs = []
    i = len(rows) - 1
    while length:
        above = 0
        if j - (i - 1) < band - 1:  # Outside of the band the original's table holds zeros.
            above = j + 1 - (rows[i - 1] & (2 << j) - 1).bit_count()
        left = length - (not rows[i] >> j & 1)
        if length > max(above, left):
            pairs.append((i - 1, j))
            i, j, length = i - 1, j - 1, length - 1
        elif left > above:
            j, length = j - 1, left
        else:
            i, length = i - 1, above
    return pairs


def _fill_gaps(partners, size=None):
    """Partners for positions without one, if a span starts, and if it ends there.

    A span that starts in a gap starts just after the partner before it, one that ends in a gap ends
    just before the partner after it. `size` limits them; without it, positions behind the last
    partner get that one.

    Args:
      partners: int [n], increasing but for -1 where there is none.
      size: Length of the partners' side, int.
    """
    missing = partners < 0
    before = np.maximum.accumulate(partners)
    after = np.minimum.accumulate(np.where(missing, np.iinfo(np.int64).max, partners)[::-1])[::-1]
    last = partners.max()
    behind = before == last
    starts = np.where(missing, before + 1, partners)
    ends = np.where(missing, np.maximum(after - 1, 0), partners)
    tail = missing & behind
    starts[tail] = last if size is None else min(last + 1, size - 1)
    ends[tail] = last if size is None else size - 1
    return starts, ends
