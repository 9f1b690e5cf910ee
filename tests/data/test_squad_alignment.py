import random

import numpy as np
import pytest

from albert_tf.data.tasks.squad_alignment import align, piece_offsets
from albert_tf.text.reference import preprocess_text


def table_alignment(text, joined):
    """The original's rules written down plainly, cell by cell."""
    n, m = len(text), len(joined)
    distance = abs(n - m) + 5
    for band in (distance, 2 * distance):
        lengths, moves = {}, {}
        for i, character in enumerate(preprocess_text(c, remove_space=False) for c in text):
            for j in range(max(0, i - band), min(m, i + band)):
                best, move = (lengths.get((i - 1, j), 0), "up") if i else (0, None)
                if lengths.get((i, j - 1), 0) > best:
                    best, move = lengths[i, j - 1], "left"
                if character == joined[j] and lengths.get((i - 1, j - 1), 0) + 1 > best:
                    best, move = lengths.get((i - 1, j - 1), 0) + 1, "match"
                lengths[i, j], moves[i, j] = best, move
        matched = lengths[n - 1, m - 1]
        if matched > 0.8 * n:
            break
    pairs, i, j = [], n - 1, m - 1
    while moves.get((i, j)):
        if moves[i, j] == "match":
            pairs.append((i, j))
        i, j = i - (moves[i, j] != "left"), j - (moves[i, j] != "up")
    return pairs if pairs and matched >= 0.8 * n else None


def damaged(text, rng):
    characters = list(preprocess_text(text))
    for _ in range(rng.choice([0, 1, 2, 5])):
        place = rng.randrange(len(characters) + 1)
        characters[place : place + rng.randrange(3)] = rng.choices("abc ", k=rng.randrange(3))
    return "".join(characters)


def test_equals_the_plain_table():
    rng = random.Random(1)
    aligned = 0
    for _ in range(1500):
        text = "".join(rng.choices(rng.choice(["ab", "abcdef", "áÁéß½ﬁ ab"]), k=rng.randint(1, 25)))
        joined = damaged(text, rng) if rng.random() < 0.9 else "".join(rng.choices("abc", k=9))
        if joined:
            expected = table_alignment(text, joined)
            assert align(text, joined) == expected, (text, joined)
            aligned += expected is not None
    assert 500 < aligned < 1400  # Both outcomes are common.


def test_offsets_leave_out_what_was_dropped():
    text = "A  cafe\u0301, 5½ miles away"
    offsets = piece_offsets(text, ["▁a", "▁cafe", ",", "▁5", "1", "⁄2", "▁miles", "▁away"])
    spans = [text[s : e + 1].strip() for s, e in zip(offsets.starts, offsets.ends)]
    assert spans == ["A", "cafe", ",", "5", "½", "½", "miles", "away"]
    assert offsets.starting_piece[3] == 1 and offsets.ending_piece[6] == 1
    assert offsets.starting_piece[11] == 4 and offsets.ending_piece[11] == 5
    assert offsets.starts.dtype == np.int32


@pytest.mark.parametrize("text, pieces", [("", []), ("abc", []), ("ﷺ" * 5 + "a", ["▁a"])])
def test_what_cannot_be_aligned_is_none(text, pieces):
    assert piece_offsets(text, pieces) is None
