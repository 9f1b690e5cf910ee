"""Byte offsets, which TensorFlow counts, as character offsets, which Python counts; in graph."""

import tensorflow as tf


def character_offsets(text, byte_offsets):
    """Converts byte offsets at the borders of characters.

    Args:
      text: string [batch], UTF-8.
      byte_offsets: int64 RaggedTensor [batch, (offsets)], each from 0 to the number of bytes.

    Returns:
      int32 RaggedTensor [batch, (offsets)].
    """
    _, starts = tf.strings.unicode_decode_with_offsets(text, "UTF-8")  # int64 [batch, (characters)]
    # One search for all rows: every row has a range of numbers of its own.
    row_range = tf.reduce_max(tf.concat([[0], tf.strings.length(text)], 0)) + 1
    row_range = tf.cast(row_range, tf.int64)
    sought_rows = byte_offsets.value_rowids()
    found = tf.searchsorted(
        starts.value_rowids() * row_range + starts.values,
        sought_rows * row_range + byte_offsets.values,
        out_type=tf.int64,
    )
    found -= tf.gather(starts.row_starts(), sought_rows)
    return byte_offsets.with_values(tf.cast(found, tf.int32))
