import random

import numpy as np
import pytest

from albert_tf.data.pretraining.options import PretrainingOptions
from albert_tf.data.pretraining.sentence_order import (
    ALONE,
    IN_ORDER,
    RANDOM_SECOND,
    SWAPPED,
    draw_order,
    random_second_segment,
)
from albert_tf.data.pretraining.token_block import TokenBlock

PAPER = PretrainingOptions()
ORIGINAL = PretrainingOptions(recipe="original")
NEXT_SENTENCE = PretrainingOptions(recipe="original", random_next_sentence=True)


def draw(options, sentences, times=4000):
    generator = random.Random(1)
    return [draw_order(sentences, options, generator) for _ in range(times)]


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        (PAPER, {IN_ORDER, SWAPPED}),
        (ORIGINAL, {IN_ORDER, SWAPPED}),
        (NEXT_SENTENCE, {IN_ORDER, RANDOM_SECOND}),
    ],
)
def test_half_of_the_chunks_are_in_order(options, kinds):
    drawn = draw(options, 4)
    assert {order for _, order in drawn} == kinds
    in_order = sum(order == IN_ORDER for _, order in drawn)
    assert abs(in_order - 2000) < 4.5 * np.sqrt(4000 / 4)
    cuts = np.bincount([cut for cut, _ in drawn])
    assert cuts[0] == 0 and len(cuts) == 4
    assert (abs(cuts[1:] - 4000 / 3) < 4.5 * np.sqrt(4000 * 2 / 9)).all()


def test_two_sentences_are_cut_between():
    assert {cut for cut, _ in draw(PAPER, 2, 50)} == {1}


def test_a_single_sentence():
    assert set(draw(PAPER, 1, 50)) == {(1, ALONE)}
    assert set(draw(ORIGINAL, 1, 50)) == {(1, RANDOM_SECOND)}
    assert set(draw(NEXT_SENTENCE, 1, 50)) == {(1, RANDOM_SECOND)}


def test_random_second_segment():
    # Three documents of 2, 3 and 1 sentences of 5 tokens.
    sentences, documents = np.arange(0, 31, 5), np.array([0, 2, 5, 6])
    block = TokenBlock(np.arange(30), np.ones(30, bool), sentences, documents)
    generator = random.Random(1)
    found = {random_second_segment(block, 0, 8, generator) for _ in range(300)}
    assert found == {(10, 20), (15, 25), (20, 25), (25, 30)}
    begin, end = random_second_segment(block, 0, -3, generator)
    assert begin >= 10 and end == begin + 5
