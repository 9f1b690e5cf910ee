"""Leaving padding out: the tokens of a whole batch as the rows of one matrix.

Letters in shapes: B batch, S sequence length, T tokens of the whole batch, L tokens of its longest
row, H width, A attention heads, D = H / A.
"""

import collections

import tensorflow as tf


class HeadsGrid(collections.namedtuple("HeadsGrid", ["masks", "sources", "targets"])):
    """How the tokens of a batch are laid out for attention, in parts of rows of similar length.

    A part has b of the batch's rows, padded to the s tokens of its longest.

    Attributes:
      masks: float32 tensor [b, s] of each part, that keys are masked by.
      sources: int64 tensor [N, 1], for all vectors [3, b, A, s] of all parts, one after the other:
        which of the 3 T A vectors of queries, keys and values it is. At padding, that of token 0.
      targets: int64 tensor [T, A, 1], where the parts' contexts [b, A, s] have each token's.
    """

    def split(self, qkv, num_heads):
        """Each part's queries, keys and values [3, b, A, s, D], from all of them, [3 T A, D]."""
        sizes = [tf.unstack(tf.shape(mask)) for mask in self.masks]
        parts = tf.split(tf.gather_nd(qkv, self.sources), [3 * b * num_heads * s for b, s in sizes])
        return [
            tf.reshape(part, [3, b, num_heads, s, qkv.shape[-1]])
            for part, (b, s) in zip(parts, sizes)
        ]

    def merge(self, contexts):
        """The tokens' vectors [T, A, D], from those of each part, [b, A, s, D]."""
        width = contexts[0].shape[-1]
        vectors = tf.concat([tf.reshape(context, [-1, width]) for context in contexts], 0)
        return tf.gather_nd(vectors, self.targets)


class Unpadding:
    """The way from a padded batch to its tokens and back.

    Everything but attention treats tokens one by one and needs no padding. Attention gets a grid:
    each row's tokens moved to the left, which does not change its result.

    Tokens are the positions whose mask is positive, in any place. Two more kinds of positions stay,
    with their mask, so that outputs equal those of the padded computation: position 0, of which the
    pooled output is made, and all positions of a row without any token, which attends to padding.

    Shapes depend on the mask, so XLA cannot compile it and says so. It could for a fixed set of
    sizes, but which one a batch needs must be known outside of the compiled program: there, batches
    of similar length do the same without this class.

    Args:
      mask: int tensor [B, S], 1 for tokens and 0 for padding.

    Attributes:
      mask: float32 tensor [B, L], the mask with each row's tokens moved to the left.
      places: int64 tensor [T, 2], row and column of each token there.

    Example:

    >>> from albert_tf.layers.unpadding import Unpadding
    >>> import tensorflow as tf
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
        self._lengths = tf.math.count_nonzero(kept, 1)  # int64 [B]
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

    def grid(self, num_heads):
        """The `HeadsGrid` of the tokens, in two parts: the shorter and the longer half of rows.

        Of a single row, the second part is its first token, which nobody uses: ONNX has no tensors
        without elements where shapes are computed.
        """
        rows, columns = tf.unstack(self.places, axis=1)
        B, L = tf.unstack(tf.shape(self.mask, tf.int64))
        tokens = tf.scatter_nd(self.places, tf.range(tf.shape(rows, tf.int64)[0]), [B, L])
        order = tf.argsort(self._lengths)
        heads = tf.range(num_heads, dtype=tf.int64)[:, tf.newaxis]
        thirds = tf.reshape(tf.range(3, dtype=tf.int64), [3, 1, 1, 1])  # Query, key and value.

        masks, sources, starts, widths, end = [], [], [], [], tf.constant(0, tf.int64)
        half, longest = (B + 1) // 2, tf.where(B == 1, tf.ones_like(L), L)
        for part, limit in ((order[:half], L), (order[tf.minimum(half, B - 1) :], longest)):
            b = tf.shape(part, tf.int64)[0]
            s = tf.reduce_max(tf.concat([[0], tf.gather(self._lengths, part)], 0))
            s = tf.minimum(s, limit)
            masks.append(tf.gather(self.mask, part)[:, :s])
            token = tf.gather(tokens, part)[:, tf.newaxis, :s]  # [b, 1, s]
            sources.append(tf.reshape((3 * token + thirds) * num_heads + heads, [-1, 1]))
            starts.append(end + tf.range(b) * num_heads * s)
            widths.append(tf.fill([b], s))
            end += b * num_heads * s
        rank = tf.math.invert_permutation(order)  # Of a row, over both parts.
        start, width = (tf.gather(tf.gather(tf.concat(x, 0), rank), rows) for x in (starts, widths))
        targets = start + heads * width + columns  # [A, T]
        return HeadsGrid(tuple(masks), tf.concat(sources, 0), tf.transpose(targets)[..., None])

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
        self.mask = mask

    def grid(self, num_heads):
        """None: attention has the batch's own rows."""
        return None  # Keras 2 would warn that it cannot convert a function without a statement.

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
