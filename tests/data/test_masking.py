import numpy as np
import pytest

from albert_tf.data.pretraining.masking import (
    choose_ngrams,
    find_words,
    mask_tokens,
    permute_tokens,
)
from albert_tf.data.pretraining.options import PretrainingOptions


def options_of(**changes):
    return PretrainingOptions(**{"max_seq_length": 64, **changes})


def test_words_of_two_segments():
    #                 CLS a  -  b  -  SEP -  c  -  SEP pad
    starts = np.array([[1, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0]], bool)
    words = find_words(starts, [4], [3], options_of())
    assert words.counts.tolist() == [4]
    assert words.begins.tolist() == [[0, 2, 4, 5, 7]]
    assert words.limits.tolist() == [[2, 2, 4, 4]]
    assert words.of_token[0, [1, 2, 3, 4, 6, 7, 8]].tolist() == [0, 0, 1, 1, 2, 3, 3]
    # In the original the first piece of b goes on with the last word of a.
    words = find_words(starts, [4], [3], options_of(recipe="original"))
    assert words.begins.tolist() == [[0, 2, 5, 7]]
    assert words.limits.tolist() == [[3, 3, 3]]
    assert words.of_token[0, [1, 2, 3, 4, 6, 7, 8]].tolist() == [0, 0, 1, 1, 1, 2, 2]
    words = find_words(starts, [4], [3], options_of(do_whole_word_mask=False))
    assert words.begins.tolist() == [[0, 1, 2, 3, 4, 5, 6, 7]]


@pytest.fixture(scope="module")
def long_words():
    """Long sequences of one-piece words, so that n-grams seldom meet."""
    starts = np.ones((300, 512), bool)
    return find_words(starts, np.full(300, 250), np.full(300, 259), options_of())


@pytest.mark.parametrize("favor_shorter", [True, False])
@pytest.mark.parametrize("ngram", [1, 2, 3, 4])
def test_lengths_of_ngrams(long_words, ngram, favor_shorter):
    # With room for just the longest, all is in one run if the first draw is the longest. It is too
    # if later n-grams happen to be next to the first: in about one of a hundred. How often each
    # length comes is tested against the recorded statistics, in test_original_statistics.py.
    options = options_of(ngram=ngram, favor_shorter_ngram=favor_shorter)
    generator = np.random.default_rng(1)
    single = 0
    for _ in range(30):
        chosen = choose_ngrams(long_words, np.full(300, ngram), options, generator)
        assert (chosen.sum(axis=1) == ngram).all()
        edges = np.diff(np.pad(chosen, ((0, 0), (1, 1))).astype(int), axis=1)
        single += ((edges == 1).sum(axis=1) == 1).sum()
    longest = options.ngram_probabilities()[-1]
    assert longest - 0.02 < single / (30 * 300) < longest + 0.04


def test_budget_is_spent_and_not_exceeded():
    generator = np.random.default_rng(2)
    starts = generator.random((200, 64)) < 0.6
    a, b = generator.integers(5, 30, 200), generator.integers(5, 30, 200)
    words = find_words(starts, a, b, options_of())
    budgets = generator.integers(1, 12, 200)
    chosen = choose_ngrams(words, budgets, options_of(), generator)
    sizes = np.diff(words.begins, axis=1)
    taken = (chosen * sizes).sum(axis=1)
    assert (taken <= budgets).all()
    assert (taken == budgets).mean() > 0.95
    assert not chosen[np.arange(chosen.shape[1]) >= words.counts[:, None]].any()


def test_words_that_are_taken_stay_free_of_ngrams():
    generator = np.random.default_rng(3)
    words = find_words(np.ones((50, 64), bool), np.full(50, 30), np.full(50, 31), options_of())
    taken = generator.random((50, words.limits.shape[1])) < 0.5
    chosen = choose_ngrams(words, np.full(50, 10), options_of(), generator, taken)
    assert chosen.any(axis=1).all() and not (chosen & taken).any()


def test_every_word_is_as_likely(long_words):
    generator = np.random.default_rng(4)
    options = options_of(ngram=1)
    chosen = sum(choose_ngrams(long_words, np.full(300, 77), options, generator) for _ in range(20))
    counts = chosen.sum(axis=0)
    expected = 20 * 300 * 77 / 509
    assert abs(counts - expected).max() < 5 * np.sqrt(expected)


def test_80_10_10():
    generator = np.random.default_rng(5)
    ids = np.full((100, 1000), 7)
    chosen = generator.random(ids.shape) < 0.5
    random_ids = np.arange(100, 200)
    masked = mask_tokens(ids, chosen, 4, random_ids, generator)
    assert (masked[~chosen] == 7).all()
    values, total = masked[chosen], chosen.sum()
    for found, expected in (
        ((values == 4).sum(), 0.8),
        ((values == 7).sum(), 0.1),
        ((values >= 100).sum(), 0.1),
    ):
        assert abs(found / total - expected) < 4.5 * np.sqrt(expected * (1 - expected) / total)
    assert set(values.tolist()) == {4, 7, *random_ids.tolist()}


def test_permutation_keeps_the_tokens_and_the_places():
    generator = np.random.default_rng(6)
    ids = generator.permuted(np.tile(np.arange(50), (20, 1)), axis=1)
    chosen = generator.random(ids.shape) < 0.3
    permuted = permute_tokens(ids, chosen, generator)
    np.testing.assert_array_equal(permuted[~chosen], ids[~chosen])
    assert (permuted != ids).any()
    np.testing.assert_array_equal(np.sort(permuted, axis=1), np.sort(ids, axis=1))
