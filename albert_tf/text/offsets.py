"""Where in the source each token came from, in graph."""

import tensorflow as tf

from albert_tf.text.characters import CLUSTER_PATTERN
from albert_tf.text.tensorflow_text import import_tensorflow_text


def source_offsets(source, token_lengths, cluster_lengths_fn):
    """Maps tokens of normalized text to the source.

    Splits the source into clusters (a character and all that combines with it), whose normal forms,
    one after the other, are the normalized text. Counting content (bytes of pieces without "▁") in
    both then tells which clusters a token spans. White space and dropped characters have none.

    Args:
      source: string [batch], before normalization.
      token_lengths: int32 RaggedTensor [batch, (tokens)], the tokens' content in bytes.
      cluster_lengths_fn: Function from clusters, string [n], to their content in bytes, int32 [n].

    Returns:
      `(starts, limits)`, int64 RaggedTensors [batch, (tokens)] of byte offsets into `source`.
    """
    text = import_tensorflow_text()
    # The op ends a string at its first NUL; any other one-byte character keeps the offsets.
    clusters, begins, ends = text.regex_split_with_offsets(
        tf.strings.regex_replace(source, r"\x00", "0"), CLUSTER_PATTERN, CLUSTER_PATTERN
    )
    distinct, which = tf.unique(clusters.values)
    content_ends = tf.cumsum(tf.gather(cluster_lengths_fn(distinct), which))
    rows = token_lengths.value_rowids()
    position_ends = _row_cumsum(token_lengths) + tf.gather(
        tf.gather(tf.concat([[0], content_ends], 0), clusters.row_splits), rows
    )
    last_of_row = tf.gather(clusters.row_splits, rows + 1) - 1

    def cluster_at(position, side):
        found = tf.searchsorted(content_ends, position, side, out_type=tf.int64)
        return tf.minimum(found, last_of_row)

    first = cluster_at(position_ends - token_lengths.values, "right")
    last = cluster_at(position_ends, "left")
    starts = tf.gather(begins.values, first)
    limits = tf.where(token_lengths.values > 0, tf.gather(ends.values, last), starts)
    return token_lengths.with_values(starts), token_lengths.with_values(limits)


def _row_cumsum(lengths):
    """Inclusive sums of a RaggedTensor's values within each row, as flat values."""
    total = tf.cumsum(lengths.values)
    before = tf.gather(tf.concat([[0], total], 0), lengths.row_splits)
    return total - tf.gather(before, lengths.value_rowids())
