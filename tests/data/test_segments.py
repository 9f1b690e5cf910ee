import random

import numpy as np
import pytest

from albert_tf.data.pretraining.options import PretrainingOptions
from albert_tf.data.pretraining.segments import draw_segments, truncate_segments
from albert_tf.data.pretraining.token_block import TokenBlock


def block_of(documents):
    """A block of documents, lists of the lengths of their sentences."""
    lengths = np.concatenate(documents)
    ids = np.arange(lengths.sum(), dtype=np.int32)
    sentences = np.concatenate([[0], np.cumsum(lengths)])
    ends = np.concatenate([[0], np.cumsum([len(document) for document in documents])])
    return TokenBlock(ids, np.ones(len(ids), bool), sentences, ends)


@pytest.fixture(scope="module")
def block():
    generator = np.random.default_rng(1)
    documents = [generator.integers(1, 30, generator.integers(1, 40)) for _ in range(100)]
    return block_of(documents)


def options_of(**changes):
    return PretrainingOptions(**{"max_seq_length": 64, **changes})


def test_paper_uses_every_token_once_and_stays_in_the_document(block):
    table = draw_segments(block, options_of(short_seq_prob=0.3), random.Random(1))
    ranges = sorted([tuple(row[:2]) for row in table] + [tuple(row[2:4]) for row in table])
    ranges = [(begin, end) for begin, end in ranges if begin < end]
    assert ranges[0][0] == 0 and ranges[-1][1] == len(block.ids)
    assert all(end == begin for (_, end), (begin, _) in zip(ranges, ranges[1:]))
    documents = block.sentences[block.documents]
    for a_begin, a_end, b_begin, b_end, label, weight in table:
        first, last = min(a_begin, b_begin), max(a_end, b_end)
        document = np.searchsorted(documents, first, "right")
        assert document == np.searchsorted(documents, last, "left")
        if weight:
            assert (b_end == a_begin) if label else (a_end == b_begin)
        else:
            assert b_begin == b_end and label == 0


def test_paper_labels_are_even_and_single_sentences_have_no_weight(block):
    generator = random.Random(1)
    table = np.concatenate([draw_segments(block, options_of(), generator) for _ in range(20)])
    paired = table[table[:, 5] == 1]
    assert abs(paired[:, 4].mean() - 0.5) < 4.5 * 0.5 / np.sqrt(len(paired))
    alone = table[table[:, 5] == 0]
    assert 0 < len(alone) < len(table) / 4
    starts = block.sentences.tolist()
    for begin, end, *_ in alone:
        assert starts.index(end) == starts.index(begin) + 1


@pytest.mark.parametrize("recipe", ["paper", "original"])
def test_short_sequences(recipe):
    block = block_of([[1] * 100_000])
    options = options_of(recipe=recipe, short_seq_prob=0.1)
    lengths = []
    for seed in range(1 if recipe == "paper" else 200):
        table = draw_segments(block, options, random.Random(seed))
        sizes = table[:-1, 1] - table[:-1, 0] + table[:-1, 3] - table[:-1, 2]
        lengths.extend(sizes if recipe == "paper" else [sizes[0]])
    lengths = np.array(lengths)
    short = (lengths < 61).mean()
    expected = 0.1 * 59 / 60  # Of 2, 3, ..., 61.
    assert abs(short - expected) < 4.5 * np.sqrt(expected / len(lengths))
    assert lengths.min() >= 2 and lengths.max() == 61


def test_original_gives_single_sentences_another_document(block):
    table = draw_segments(block, options_of(recipe="original"), random.Random(1))
    assert (table[:, 5] == 1).all()
    documents = block.sentences[block.documents]
    owner_a, owner_b = (np.searchsorted(documents, table[:, c], "right") for c in (0, 2))
    assert (table[owner_a != owner_b, 4] == 1).all()
    assert (owner_a != owner_b).any()


def test_original_next_sentence_uses_again_what_b_would_have_been():
    block = block_of([[10] * 6, [7] * 3])
    options = options_of(recipe="original", random_next_sentence=True, short_seq_prob=0.0)
    for seed in range(20):
        table = draw_segments(block, options, random.Random(seed))
        first = table[table[:, 0] < 60]
        expected = 0
        for a_begin, a_end, _, b_end, label, _ in first:
            assert a_begin == expected
            expected = a_end if label else b_end
        assert expected == 60


def truncate_one_by_one(a, b, room):
    while a + b > room:
        if a > b:
            a -= 1
        else:
            b -= 1
    return a, b


def test_truncation_is_that_of_one_token_at_a_time():
    sizes = np.array([(a, b) for a in range(1, 40) for b in range(1, 40)])
    table = np.zeros((len(sizes), 6), np.int64)
    table[:, 0], table[:, 1] = 100, 100 + sizes[:, 0]
    table[:, 2], table[:, 3], table[:, 5] = 200, 200 + sizes[:, 1], 1
    options = options_of(max_seq_length=33)
    cut = truncate_segments(table, options, np.random.default_rng(1))
    lengths = np.stack([cut[:, 1] - cut[:, 0], cut[:, 3] - cut[:, 2]], axis=1)
    expected = [truncate_one_by_one(a, b, 30) for a, b in sizes.tolist()]
    np.testing.assert_array_equal(lengths, expected)
    assert (cut[:, 0] >= 100).all() and (cut[:, 1] <= table[:, 1]).all()
    fronts = (cut[:, [0, 2]] - table[:, [0, 2]]).sum()
    lost = (sizes - lengths).sum()
    assert abs(fronts - lost / 2) < 4.5 * np.sqrt(lost) / 2


def test_a_single_segment_has_room_for_one_token_more():
    table = np.array([[0, 100, 0, 0, 0, 0]])
    cut = truncate_segments(table, options_of(), np.random.default_rng(1))
    assert cut[0, 1] - cut[0, 0] == 62
