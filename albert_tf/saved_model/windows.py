"""Long texts as overlapping windows, in graph.

Letters in shapes: B examples, W windows of all of them, S positions of a window.
"""

import dataclasses

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Windows:
    """Encoder inputs for windows of text, and where their tokens come from.

    Attributes:
      inputs: dict {input_word_ids, input_mask, input_type_ids} of int32 [W, S].
      examples: int32 [W], the example that a window belongs to, ascending.
      counts: int32 [B], windows of an example, at least 1.
      tokens: int32 [W, S], index into `text.values` of the token of the text at each position; its
        size where there is none.
      is_text: bool [W, S], positions that hold a token of the text.
      is_best: bool [W, S], those of them that no other window shows with more context: each token
        of a text has exactly one.
    """

    inputs: dict
    examples: tf.Tensor
    counts: tf.Tensor
    tokens: tf.Tensor
    is_text: tf.Tensor
    is_best: tf.Tensor


def sliding_windows(text, seq_length, stride, special_ids, prefix=None):
    """Packs each text into as many windows as it needs: [CLS] (prefix [SEP]) part [SEP].

    A window begins `stride` tokens after the one before it. Nothing is left out. Rows are as long
    as the longest needs, at most `seq_length`.

    Args:
      text: int32 RaggedTensor [B, (tokens)].
      seq_length: Longest window, int.
      stride: Distance of windows in tokens, int.
      special_ids: dict with ints padding_id, start_of_sequence_id, end_of_segment_id.
      prefix: int32 RaggedTensor [B, (tokens)] to put before each window of the text, such as a
        question: segment 0, the text being segment 1. It must leave room for the text.

    Returns:
      `Windows`.

    Reference: `convert_examples_to_features` and `_check_is_max_context` in the original's
    squad_utils.py.
    """
    lengths = tf.cast(text.row_lengths(), tf.int32)  # [B]
    begin = tf.ones_like(lengths)  # Position of the first token of the text.
    if prefix is not None:
        begin += tf.cast(prefix.row_lengths(), tf.int32) + 1
    capacity = seq_length - begin - 1
    step = tf.minimum(capacity, stride)
    counts = 1 + (tf.maximum(lengths - capacity, 0) + step - 1) // step  # [B]

    examples = tf.repeat(tf.range(tf.size(counts)), counts)  # [W]
    number = tf.range(tf.size(examples)) - tf.gather(tf.cumsum(counts, exclusive=True), examples)
    start = number * tf.gather(step, examples)  # First token of the text in the window.
    size = tf.minimum(tf.gather(capacity, examples), tf.gather(lengths, examples) - start)

    def column(x):
        return x[:, tf.newaxis]

    begin = column(tf.gather(begin, examples))
    end = begin + column(size)  # Position of the last [SEP].
    width = tf.reduce_max(tf.concat([[3], tf.reshape(end, [-1]) + 1], 0))
    position = tf.range(width)[tf.newaxis]  # [1, S]
    is_text = (position >= begin) & (position < end)
    first_token = tf.gather(tf.cast(text.row_starts(), tf.int32), examples) + start
    tokens = tf.where(is_text, position - begin + column(first_token), tf.size(text.values))

    # Every position is an index into one flat list: special ids, text, prefixes.
    names = ("padding_id", "start_of_sequence_id", "end_of_segment_id")
    flat = [tf.constant([special_ids[name] for name in names]), text.values]
    index = tf.where(is_text, len(names) + tokens, tf.where(position <= end, 2, 0))
    if prefix is not None:
        flat.append(prefix.values)
        before = len(names) + tf.size(text.values)
        before += column(tf.gather(tf.cast(prefix.row_starts(), tf.int32), examples))
        index = tf.where(position < begin - 1, before + position - 1, index)
    index = tf.where(position == 0, 1, index)
    is_used = position <= end
    segment_1 = is_used & (position >= begin) & (prefix is not None)
    return Windows(
        inputs={
            "input_word_ids": tf.gather(tf.concat(flat, 0), index),
            "input_mask": tf.cast(is_used, tf.int32),
            "input_type_ids": tf.cast(segment_1, tf.int32),
        },
        examples=examples,
        counts=counts,
        tokens=tokens,
        is_text=is_text,
        is_best=is_text & _has_most_context(tokens, position - begin, column(size), text),
    )


def _has_most_context(tokens, left, size, text):
    """Whether no other window has more context for a token, and no earlier one as much."""
    # The original's min(left, right) + 0.01 size, in whole numbers.
    context = 100 * tf.minimum(left, size - 1 - left) + size  # [W, S]
    slots = tf.size(text.values) + 1  # The last one is for positions without a token.
    most = tf.math.unsorted_segment_max(context, tokens, slots)
    window = tf.range(tf.shape(tokens)[0])[:, tf.newaxis] + tf.zeros_like(tokens)
    candidate = tf.where(context == tf.gather(most, tokens), window, tf.int32.max)
    return window == tf.gather(tf.math.unsorted_segment_min(candidate, tokens, slots), tokens)
