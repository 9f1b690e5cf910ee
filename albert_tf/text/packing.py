"""Ragged segments to the fixed-length inputs of the encoder."""

import numbers

import tensorflow as tf


def pack(segments, seq_length, special_ids, skip_empty_second=False):
    """Packs one or two segments a row: [CLS] a [SEP] (b [SEP]) <pad>...

    A row too long is cut as the published preprocessor does it: both segments keep as many tokens,
    the first one more if the number is odd, unless one needs less. (The original's way, popping the
    end of the longer one, keeps the very same tokens.)

    Args:
      segments: list of one or two int RaggedTensors, [batch, (tokens)] or
        [batch, (words), (tokens)].
      seq_length: Length of the rows, int or int32 scalar tensor.
      special_ids: dict with ints padding_id, start_of_sequence_id, end_of_segment_id.
      skip_empty_second: What a row with an empty second segment becomes: [CLS] a [SEP], as in the
        original, or [CLS] a [SEP] [SEP], as in the published preprocessor.

    Returns:
      dict {input_word_ids, input_mask, input_type_ids} of int32 [batch, seq_length].

    Raises:
      ValueError: For segments of another kind, or a `seq_length` below the number of special
        tokens; tf.errors.InvalidArgumentError where only the graph knows it.

    Reference: tensorflow_text.RoundRobinTrimmer, combine_segments and pad_model_inputs;
    `convert_single_example` in the original's classifier_utils.py.
    """
    segments = _checked_segments(segments)
    seq_length = checked_seq_length(seq_length, minimum=len(segments) + 1)
    if len(segments) == 1:
        word_ids, used = _pack_single(*segments, seq_length, special_ids)
        type_ids = tf.zeros_like(word_ids)
    else:
        word_ids, used, second = _pack_pair(*segments, seq_length, special_ids, skip_empty_second)
        type_ids = tf.cast(second, tf.int32)
    return {
        "input_word_ids": word_ids,
        "input_mask": tf.cast(used, tf.int32),
        "input_type_ids": type_ids,
    }


def _pack_single(tokens, seq_length, special_ids):
    """`_pack_pair` without b, at less than half of its cost."""
    keep = tf.minimum(_column(tokens.row_lengths()), seq_length - 2)
    body = tokens.to_tensor(special_ids["padding_id"], shape=tf.stack([-1, seq_length - 1]))
    start = tf.fill([tf.shape(body)[0], 1], special_ids["start_of_sequence_id"])
    position = tf.range(seq_length)[tf.newaxis, :]
    word_ids = tf.concat([start, body], 1)
    word_ids = tf.where(position == keep + 1, special_ids["end_of_segment_id"], word_ids)
    return word_ids, position < keep + 2


def _pack_pair(a, b, seq_length, special_ids, skip_empty_second):
    length_a, length_b = _column(a.row_lengths()), _column(b.row_lengths())
    has_b = tf.cast(length_b > 0, tf.int32) if skip_empty_second else 1
    budget = seq_length - 2 - has_b
    keep_a = tf.minimum(length_a, tf.maximum((budget + 1) // 2, budget - length_b))
    keep_b = tf.minimum(length_b, budget - keep_a)
    begin_b = keep_a + 2
    total = begin_b + (keep_b + 1) * has_b

    # Each output position is an index into one flat list: special ids, a's tokens, b's tokens.
    padding, start, end = range(3)
    specials = [special_ids[f"{k}_id"] for k in ("padding", "start_of_sequence", "end_of_segment")]
    flat = tf.concat([specials, a.values, b.values], 0)
    first_a = _column(a.row_starts()) + len(specials)
    first_b = _column(b.row_starts()) + len(specials) + tf.size(a.values)
    position = tf.range(seq_length)[tf.newaxis, :]
    index = tf.where(position < begin_b - 1, position - 1 + first_a, end)
    in_b = (position >= begin_b) & (position < total - 1)
    index = tf.where(in_b, position - begin_b + first_b, index)
    index = tf.where(position == 0, start, index)
    used = position < total
    index = tf.where(used, index, padding)
    return tf.gather(flat, index), used, used & (position >= begin_b)


def _column(values):
    return tf.cast(values, tf.int32)[:, tf.newaxis]


def checked_seq_length(seq_length, minimum):
    """Returns seq_length, or raises if the special tokens need more (a tensor: in graph)."""
    rule = (
        "seq_length must be an integer of at least 2 for one segment ([CLS] a [SEP]) "
        "and 3 for two ([CLS] a [SEP] b [SEP])."
    )
    if tf.is_tensor(seq_length):
        if seq_length.shape.rank != 0 or not seq_length.dtype.is_integer:
            raise ValueError(f"{rule} Received: {seq_length}.")
        seq_length = tf.saturate_cast(seq_length, tf.int32)
        check = tf.debugging.Assert(seq_length >= minimum, [rule + " Received:", seq_length])
        with tf.control_dependencies([check] if check is not None else []):
            return tf.identity(seq_length)
    integer = isinstance(seq_length, numbers.Integral) and not isinstance(seq_length, bool)
    if not integer or seq_length < minimum:
        raise ValueError(f"{rule} Received: {seq_length!r}.")
    return int(seq_length)


def _as_int32(segment):
    """A RaggedTensor of ids in int32, which they must fit: nothing wraps around."""
    if segment.dtype == tf.int32:
        return segment
    ids = tf.cast(segment.values, tf.int32)
    check = tf.debugging.assert_equal(
        tf.cast(ids, segment.dtype), segment.values, "Ids must fit int32: they index a vocabulary."
    )
    with tf.control_dependencies([check] if check is not None else []):
        return segment.with_values(tf.identity(ids))


def _checked_segments(segments):
    rule = "bert_pack_inputs takes a list of 1 or 2 RaggedTensors [batch, (tokens)] of int32 ids."
    if not isinstance(segments, (list, tuple)) or len(segments) not in (1, 2):
        size = f" of length {len(segments)}" if isinstance(segments, (list, tuple)) else ""
        raise ValueError(f"{rule} Received: {type(segments).__name__}{size}.")
    for s in segments:
        if not isinstance(s, tf.RaggedTensor) or s.shape.rank not in (2, 3):
            kind = f"{type(s).__name__} of shape {getattr(s, 'shape', None)}"
            raise ValueError(f"{rule} Received: {kind}. Use the output of `tokenize`.")
        if not s.dtype.is_integer:
            raise ValueError(f"{rule} Received: dtype {s.dtype.name}.")
    segments = [_as_int32(s if s.shape.rank == 2 else s.merge_dims(1, 2)) for s in segments]
    if len(segments) == 2:
        rows = [s.nrows() for s in segments]
        check = tf.debugging.assert_equal(*rows, "Both segments must have as many rows.")
        with tf.control_dependencies([check] if check is not None else []):
            segments = [s.with_values(tf.identity(s.values)) for s in segments]
    return segments
