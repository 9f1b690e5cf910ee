"""Documents to chunks of consecutive sentences to pairs of segments."""

import bisect

import numpy as np

from albert_tf.data.pretraining.sentence_order import (
    ALONE,
    IN_ORDER,
    RANDOM_SECOND,
    SWAPPED,
    draw_order,
    random_second_segment,
)

# Columns of the table that `draw_segments` returns.
COLUMNS = ("a_begin", "a_end", "b_begin", "b_end", "label", "weight")


def draw_segments(block, options, generator):
    """Cuts all documents of a block into segment pairs, once.

    Sentences are added to a chunk until it has the target length (the longest that fits, shorter
    with `short_seq_prob`) or the document ends. What is too long then is truncated by
    `truncate_segments`.

    Args:
      block: `TokenBlock`.
      options: `PretrainingOptions`.
      generator: `random.Random`.

    Returns:
      int64 [pairs, 6] with COLUMNS: ranges of `block.ids`, the order label (1: swapped or b from
      elsewhere) and its weight (0: there is only a).

    Reference: `create_instances_from_document` in the original's create_pretraining_data.py.
    """
    longest = options.max_seq_length - 3
    per_document = options.recipe == "original"
    offsets, documents = block.sentences.tolist(), block.documents.tolist()
    rows = []
    for document, (sentence, last) in enumerate(zip(documents, documents[1:])):
        target = _draw_target(longest, options, generator)
        while sentence < last:
            if not per_document:
                target = _draw_target(longest, options, generator)
            begin = offsets[sentence]
            until = bisect.bisect_left(offsets, begin + target, sentence + 1, last)
            cut, order = draw_order(until - sentence, options, generator)
            a, b = (begin, offsets[sentence + cut]), (offsets[sentence + cut], offsets[until])
            if order == SWAPPED:
                a, b = b, a
            elif order == RANDOM_SECOND:
                b = random_second_segment(block, document, target - (a[1] - a[0]), generator)
                until = sentence + cut  # What b would have been is used again.
            rows.append((*a, *b, int(order not in (IN_ORDER, ALONE)), int(order != ALONE)))
            sentence = until
    return np.array(rows, np.int64).reshape(-1, len(COLUMNS))


def truncate_segments(table, options, generator):
    """Shortens segments to what fits in a sequence.

    As one token at a time from the longer segment (b if equal), from its front or back at random.

    Args:
      table: int64 [pairs, 6], see `draw_segments`.
      options: `PretrainingOptions`.
      generator: `numpy.random.Generator`.

    Returns:
      int64 [pairs, 6] of the same pairs.

    Reference: `truncate_seq_pair` in the original's create_pretraining_data.py.
    """
    table = table.copy()
    a_begin, a_end, b_begin, b_end, _, weight = table.T
    a, b = a_end - a_begin, b_end - b_begin
    room = options.max_seq_length - 2 - weight  # A pair has a second [SEP].
    excess = np.maximum(a + b - room, 0)
    # First the longer one gives until both are equal, then b and a in turn.
    from_longer = np.minimum(excess, np.abs(a - b))
    in_turn = excess - from_longer
    lost_a = np.where(a > b, from_longer, 0) + in_turn // 2
    lost_b = np.where(a > b, 0, from_longer) + (in_turn + 1) // 2
    lost_b, lost_a = np.where(weight, lost_b, 0), np.where(weight, lost_a, excess)
    for begin, end, lost in ((a_begin, a_end, lost_a), (b_begin, b_end, lost_b)):
        front = generator.binomial(lost, 0.5)
        begin += front
        end -= lost - front
    return table


def _draw_target(longest, options, generator):
    if generator.random() < options.short_seq_prob:
        return 2 + int(generator.random() * (longest - 1))
    return longest
