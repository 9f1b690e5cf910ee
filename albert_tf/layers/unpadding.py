"""Leaving padding out: the tokens of a whole batch as the rows of one matrix.

Letters in shapes: B batch, S sequence length, T tokens of the whole batch, L tokens of its longest
row, H width.
"""

import tensorflow as tf


class Unpadding:
    """The way from a padded batch to its tokens and back.

    Everything but attention treats tokens one by one and needs no padding. Attention gets a grid
    [B, L]: each row's tokens moved to the left, which does not change its result.

    Tokens are the positions whose mask is positive, in any place. Two more kinds of positions stay,
    with their mask, so that outputs equal those of the padded computation: position 0, of which the
    pooled output is made, and all positions of a row without any token, which attends to padding.

    Shapes depend on the mask, so XLA cannot compile it and says so. It could for a fixed set of
    sizes, but which one a batch needs must be known outside of the compiled program: there, batches
    of similar length do the same without this class.

    Args:
      mask: int tensor [B, S], 1 for tokens and 0 for padding.

    Attributes:
      mask: float32 tensor [B, L], the mask that attention needs on its grid.
      places: int64 tensor [T, 2], row and column of each token on the grid.

    Example:

    >>> unpadding = Unpadding(tf.constant([[1, 1, 0], [1, 0, 0]]))
    >>> x = unpadding.unpad(tf.constant([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]]))
    >>> x.numpy().tolist()
    [[1.0], [2.0], [4.0]]
    >>> unpadding.pad(x)[:, :, 0].numpy().tolist()
    [[1.0, 2.0, 0.0], [4.0, 0.0, 0.0]]

    Reference: https://arxiv.org/abs/2210.03052, the padding-free algorithm.
    """

    def __init__(self, mask):
        self._static_shape = mask.shape
        self._shape = tf.shape(mask, tf.int64)
        is_token = mask > 0
        is_first = tf.range(self._shape[1]) == 0
        kept = is_token | is_first | ~tf.reduce_any(is_token, 1, keepdims=True)
        self._positions = tf.where(kept)  # [T, 2], row by row.
        columns = tf.cumsum(tf.cast(kept, tf.int64), 1, exclusive=True)
        columns = tf.gather_nd(columns, self._positions)
        self.places = tf.stack([self._positions[:, 0], columns], 1)
        longest = tf.reduce_max(tf.concat([[0], columns], 0)) + 1
        # XLA needs all shapes before it compiles; its error will name this scope.
        with tf.name_scope("skip_padding_does_not_run_under_XLA"):
            self.mask = tf.scatter_nd(
                self.places,
                tf.cast(tf.gather_nd(mask, self._positions), tf.float32),
                tf.stack([self._shape[0], longest]),
            )

    def unpad(self, x):
        """The rows [T, H] of a tensor [B, S, H] that belong to tokens."""
        return tf.gather_nd(x, self._positions)

    def pad(self, x):
        """A tensor [B, S, H] of the rows [T, H] of tokens, zero elsewhere."""
        width = x.shape[-1]
        y = tf.scatter_nd(self._positions, x, tf.concat([self._shape, [width]], 0))
        return tf.ensure_shape(y, self._static_shape.concatenate([width]))


class Padded:
    """All positions of a padded batch as the rows of one matrix, with the methods of `Unpadding`.

    Args:
      mask: int tensor [B, S], 1 for tokens and 0 for padding.
    """

    def __init__(self, mask):
        self.mask, self.places = mask, None

    def unpad(self, x):
        """A tensor [B, S, H] as the matrix [B S, H]."""
        return tf.reshape(x, [-1, x.shape[-1]])

    def pad(self, x):
        """The matrix [B S, H] as a tensor [B, S, H]."""
        y = tf.reshape(x, tf.concat([tf.shape(self.mask), [x.shape[-1]]], 0))
        return tf.ensure_shape(y, self.mask.shape.concatenate([x.shape[-1]]))


def check_mask_value(value):
    """Raises a ValueError unless the attention to padding is exactly zero with this mask value."""
    # float32: exp(-104) is zero; scores of trained models stay within some hundreds.
    if value > -1000.0:
        raise ValueError(
            "`skip_padding` needs an `attention_mask_value` of at most -1000, with which padding "
            f"gets no attention at all. Received: {value}. Leave skip_padding out."
        )
