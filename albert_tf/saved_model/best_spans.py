"""From scores of starts and ends to the best answers of each example, in graph.

Letters in shapes: B examples, W windows of all of them, S positions of a window, M candidates of a
window, N best spans.
"""

import tensorflow as tf

from albert_tf.saved_model.character_offsets import character_offsets

_FORBIDDEN = -1e30
NO_SPAN_SCORE = -1e6  # What the original gives if there is no span at all.


def independent_candidates(outputs, windows, max_answer_length):
    """All spans of up to `max_answer_length` tokens, scored by the simple head.

    The original looks at the 20 best starts and ends only; the best span of all is never worse.

    Args:
      outputs: dict {start_logits, end_logits} of float32 [W, S].
      windows: `Windows`.
      max_answer_length: int.

    Returns:
      `(scores, starts, ends)`, [W, M] each: float32, int32 positions.
    """
    longest = max_answer_length
    start = tf.where(windows.is_best, outputs["start_logits"], _FORBIDDEN)
    end = tf.where(windows.is_text, outputs["end_logits"], _FORBIDDEN)
    end = tf.pad(end, [[0, 0], [0, longest]], constant_values=_FORBIDDEN)
    starts = tf.range(tf.shape(start)[1])[:, tf.newaxis] + tf.zeros([1, longest], tf.int32)
    ends = starts + tf.range(longest)
    scores = start[:, :, tf.newaxis] + tf.gather(end, ends, axis=1)  # [W, S, longest]

    ends = tf.minimum(ends, tf.shape(start)[1] - 1)  # Those beyond the window are forbidden.

    shape = [tf.shape(scores)[0], tf.size(starts)]
    starts, ends = (tf.broadcast_to(tf.reshape(x, [1, -1]), shape) for x in (starts, ends))
    return tf.reshape(scores, shape), starts, ends


def conditional_candidates(outputs, windows, max_answer_length):
    """The spans that the head of SQuAD 2.0 has followed up.

    Args:
      outputs: dict of the predictions of an `AlbertSpanLabeler(version_2=True)`, [W, ...].
      windows: `Windows`.
      max_answer_length: int, in tokens.

    Returns:
      `(scores, starts, ends)`, [W, M] each: float32, int32 positions.
    """
    ends = outputs["end_top_index"]
    ends_per_start = tf.shape(ends)[1] // tf.shape(outputs["start_top_index"])[1]
    starts = tf.repeat(outputs["start_top_index"], ends_per_start, 1)
    scores = tf.repeat(outputs["start_top_log_probs"], ends_per_start, 1)
    scores += outputs["end_top_log_probs"]
    allowed = (
        tf.gather(windows.is_best, starts, batch_dims=1)
        & tf.gather(windows.is_text, ends, batch_dims=1)
        & (starts <= ends)
        & (ends < starts + max_answer_length)
    )
    return tf.where(allowed, scores, _FORBIDDEN), starts, ends


def best_spans(candidates, windows, text, byte_starts, byte_limits, n_best):
    """The best spans of each example over all of its windows.

    Args:
      candidates: `(scores, starts, ends)`, [W, M] each.
      windows: `Windows`.
      text: string [B].
      byte_starts, byte_limits: int64 RaggedTensors [B, (tokens)], where in `text` its tokens are.
      n_best: Number of spans, N.

    Returns:
      dict, best span first:
        answers: string [B, N], the text of the span.
        scores: float32 [B, N].
        probabilities: float32 [B, N], softmax of the scores; they sum to 1.
        byte_starts, byte_ends, char_starts, char_ends: int32 [B, N], the span in `text`.
      Texts differ: of spans with the same text, the best counts. Where there are fewer: "",
      NO_SPAN_SCORE, the probability 0, and -1 for the offsets.
    """
    scores, starts, ends = candidates

    def byte_offsets(offsets, positions):
        # The extra entry is for positions that hold no token of the text.
        by_token = tf.concat([tf.cast(offsets.values, tf.int32), [0]], 0)
        return tf.gather(tf.gather(by_token, windows.tokens), positions, batch_dims=1)

    begin, limit = byte_offsets(byte_starts, starts), byte_offsets(byte_limits, ends)
    scores = tf.where(begin < limit, scores, _FORBIDDEN)  # A lone "▁" is no answer.
    # First within windows, which have many candidates each. More than asked for, because the same
    # text can be found several times.
    pool = 4 * n_best
    scores, (begin, limit) = _top(scores, [begin, limit], pool)

    def by_example(x, default):
        ragged = tf.RaggedTensor.from_row_lengths(tf.reshape(x, [-1]), windows.counts * pool)
        return ragged.to_tensor(default)

    scores = by_example(scores, _FORBIDDEN)
    begin, limit = by_example(begin, 0), by_example(limit, 0)
    scores, (begin, limit) = _top(scores, [begin, limit], pool)
    begin, limit = _existing(scores, begin, 0), _existing(scores, limit, 0)
    answers = tf.strings.substr(tf.repeat(text[:, tf.newaxis], pool, 1), begin, limit - begin)
    scores = tf.where(_is_repeated(answers), _FORBIDDEN, scores)
    scores, (begin, limit, answers) = _top(scores, [begin, limit, answers], n_best)

    def characters(offsets):
        ragged = tf.RaggedTensor.from_tensor(tf.cast(offsets, tf.int64))
        return tf.reshape(character_offsets(text, ragged).values, tf.shape(offsets))

    return {
        "answers": _existing(scores, answers, ""),
        "scores": _existing(scores, scores, NO_SPAN_SCORE),
        "probabilities": _existing(scores, tf.nn.softmax(scores), 0.0),
        "byte_starts": _existing(scores, begin, -1),
        "byte_ends": _existing(scores, limit, -1),
        "char_starts": _existing(scores, characters(begin), -1),
        "char_ends": _existing(scores, characters(limit), -1),
    }


def _existing(scores, values, otherwise):
    """`values` where the score is one of a span, else `otherwise`."""
    return tf.where(scores > 0.5 * _FORBIDDEN, values, otherwise)


def _is_repeated(strings):
    """Whether the same string is further left in the row, bool [B, N]."""
    equal = strings[:, :, tf.newaxis] == strings[:, tf.newaxis, :]
    count = tf.shape(strings)[1]
    left = tf.range(count)[tf.newaxis, :] < tf.range(count)[:, tf.newaxis]
    return tf.reduce_any(equal & left, -1)


def _top(scores, others, n):
    """The n best of a row and the same entries of other tensors, filled up with forbidden ones."""
    scores = tf.pad(scores, [[0, 0], [0, n]], constant_values=_FORBIDDEN)
    scores, index = tf.math.top_k(scores, n)
    index = tf.minimum(index, tf.maximum(tf.shape(others[0])[1] - 1, 0))
    return scores, [tf.gather(x, index, batch_dims=1) for x in others]
