"""Masked n-grams of whole words, for many sequences at a time."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Words:
    """The words of a batch of sequences, which n-grams are made of.

    Positions count tokens without [CLS] and [SEP], so that an n-gram that runs over [SEP] has the
    right length.

    Attributes:
      begins: int32 [batch, words + 1], where each word begins; then the number of tokens, repeated.
      counts: int32 [batch], number of words.
      limits: int32 [batch, words], the word before which n-grams that begin at this word end.
      of_token: int32 [batch, length], the word of each token; anything for special tokens.
    """

    begins: np.ndarray
    counts: np.ndarray
    limits: np.ndarray
    of_token: np.ndarray


def find_words(word_starts, a_lengths, b_lengths, options):
    """Finds the words of sequences [CLS] a [SEP] b [SEP].

    Args:
      word_starts: bool [batch, length], whether a token starts a word.
      a_lengths, b_lengths: int [batch], tokens of the segments. b may be empty.
      options: `PretrainingOptions`. Recipe "paper": a segment starts a word and ends an n-gram.

    Returns:
      `Words`.
    """
    batch, length = word_starts.shape
    positions = np.arange(length, dtype=np.int32)
    a, b = (np.asarray(lengths, np.int32)[:, None] for lengths in (a_lengths, b_lengths))
    in_a = (positions >= 1) & (positions <= a)
    in_b = (positions >= a + 2) & (positions <= a + b + 1)
    content = in_a | in_b
    starts = content & word_starts if options.do_whole_word_mask else content.copy()
    starts |= (positions == 1) & content
    if options.recipe == "paper":
        starts |= in_b & (positions == a + 2)
    of_token = np.cumsum(starts, axis=1, dtype=np.int32) - 1
    counts = of_token[:, -1] + 1
    width = max(int(counts.max(initial=0)), 1)
    begins = np.repeat(a + b, width + 1, axis=1)
    rows, columns = np.nonzero(starts)
    after_a = columns > a[rows, 0]
    begins[rows, of_token[rows, columns]] = columns - 1 - after_a
    words = np.arange(width, dtype=np.int32)
    limits = np.repeat(counts[:, None], width, axis=1)
    if options.recipe == "paper":
        words_of_a = (starts & in_a).sum(axis=1, dtype=np.int32)[:, None]
        limits = np.where(words < words_of_a, words_of_a, limits)
    return Words(begins, counts, limits, np.maximum(of_token, 0))


def choose_ngrams(words, budgets, options, generator, taken=None):
    """Chooses words to mask, n-gram by n-gram at random, until the budget is spent.

    Words are tried in random order, each as the begin of an n-gram whose length is drawn with
    `options.ngram_probabilities()`. One that is longer than the rest of the budget is shortened by
    whole words; one that does not fit even so, or touches a chosen one, is dropped.

    Args:
      words: `Words`.
      budgets: int [batch], tokens to choose at most.
      options: `PretrainingOptions`.
      generator: `numpy.random.Generator`.
      taken: bool [batch, words], words that must not be chosen.

    Returns:
      bool [batch, words].

    Reference: arXiv 1909.11942, section 4.1; `create_masked_lm_predictions` of the original.
    """
    batch, width = words.limits.shape
    chosen = np.zeros((batch, width), bool)
    blocked = np.zeros((batch, width), bool) if taken is None else taken.copy()
    keys = generator.random((batch, width), np.float32)
    keys[np.arange(width) >= words.counts[:, None]] = 2  # Words that are not there come last.
    order = np.argsort(keys, axis=1).astype(np.int32)
    cumulative = np.cumsum(options.ngram_probabilities())[:-1]
    left = np.asarray(budgets, np.int32).copy()
    rows = np.arange(batch)
    for step in range(width):
        rows = rows[(left[rows] > 0) & (step < words.counts[rows])]
        if not len(rows):
            break
        first = order[rows, step]
        drawn = np.searchsorted(cumulative, generator.random(len(rows)), side="right") + 1
        drawn = np.minimum(drawn, words.limits[rows, first] - first)
        begin, room = words.begins[rows, first], left[rows]
        size, tokens = np.zeros(len(rows), np.int32), np.zeros(len(rows), np.int32)
        free = np.ones(len(rows), bool)
        for n in range(1, int(drawn.max()) + 1):
            wanted = n <= drawn
            length = words.begins[rows, np.minimum(first + n, width)] - begin
            fits = wanted & (length <= room)
            free &= ~(fits & blocked[rows, np.minimum(first + n - 1, width - 1)])
            size[fits], tokens[fits] = n, length[fits]
        accepted = free & (size > 0)
        for n in range(1, int(size.max(initial=0)) + 1):
            part = accepted & (n <= size)
            chosen[rows[part], first[part] + n - 1] = True
            blocked[rows[part], first[part] + n - 1] = True
        left[rows] -= np.where(accepted, tokens, 0)
    return chosen


def mask_tokens(ids, chosen, mask_id, random_ids, generator):
    """Replaces 80 % of the chosen tokens by [MASK], 10 % by random ones and leaves 10 %.

    Args:
      ids: int [batch, length].
      chosen: bool [batch, length].
      mask_id: Id of [MASK].
      random_ids: int [n], the ids to draw replacements from.
      generator: `numpy.random.Generator`.

    Returns:
      int [batch, length].
    """
    masked = ids.copy()
    where = np.nonzero(chosen)
    draw = generator.random(len(where[0]))
    replacements = random_ids[generator.integers(len(random_ids), size=len(draw))]
    masked[where] = np.where(draw < 0.8, mask_id, np.where(draw < 0.9, ids[where], replacements))
    return masked


def permute_tokens(ids, chosen, generator):
    """Shuffles the chosen tokens of each sequence among themselves: int [batch, length]."""
    permuted = ids.copy()
    rows, columns = np.nonzero(chosen)
    source = columns[np.lexsort((generator.random(len(rows)), rows))]
    permuted[rows, columns] = ids[rows, source]
    return permuted
