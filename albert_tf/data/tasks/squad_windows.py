"""Windows over paragraphs that are longer than a model's input."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Window:
    """A part of one question's context that makes one row.

    Attributes:
      example: Index of the question in its set.
      index: Number of the window among the question's.
      start: Index of its first piece in the context.
      length: Number of its pieces.
    """

    example: int
    index: int
    start: int
    length: int


def windows(pieces, length, stride):
    """Starts and lengths of the windows over a context.

    Args:
      pieces: Number of pieces of the context.
      length: Most pieces of a window, at least 1.
      stride: Pieces from one start to the next; a longer one than `length` counts as `length`.

    Returns:
      list of (start, length); the last window ends with the context. Empty for no pieces.
    """
    spans, start = [], 0
    while start < pieces:
        spans.append((start, min(length, pieces - start)))
        if start + spans[-1][1] == pieces:
            break
        start += min(spans[-1][1], stride)
    return spans


def best_windows(spans):
    """For each piece of a context the window that shows most of its surroundings.

    That is the one with the highest min(pieces left of it, pieces right of it) + 0.01 * length, and
    the first of equal ones.

    Args:
      spans: list of (start, length), from `windows`.

    Returns:
      int [pieces], indices in `spans`.

    Reference: `_check_is_max_context` in the original's squad_utils.py.
    """
    starts, lengths = np.array(spans).T[:, :, np.newaxis]
    positions = np.arange(spans[-1][0] + spans[-1][1])
    left, right = positions - starts, starts + lengths - 1 - positions
    scores = np.minimum(left, right) + 0.01 * lengths
    return np.argmax(np.where((left < 0) | (right < 0), -np.inf, scores), axis=0)
