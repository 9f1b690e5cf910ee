"""The original's digit-comma rule in graph, as a table over the vocabulary."""

import numpy as np
import tensorflow as tf

from albert_tf.text.reference import WORD_START, split_digit_comma


class DigitCommaTable:
    """What the digit-comma rule turns each id into.

    Which pieces the rule applies to, and what they become, depends on the piece alone, so that a
    table made once from the vocabulary is exact.

    Args:
      model: `SentencePieceModel`.

    Raises:
      ValueError: If "," is no piece of the vocabulary: the rule would then depend on the text.

    Reference: `albert_tf.text.reference.encode_pieces`.
    """

    def __init__(self, model):
        processor = model.processor
        if model.pieces[processor.PieceToId(",")] != ",":
            raise ValueError(
                'rules="original" need "," as a piece of the vocabulary. '
                f'Received: {model.path} without it. Use rules="tfhub".'
            )
        self._keys, self._counts, self._ids, self._lengths = [], [], [], []
        for i, piece in enumerate(model.pieces):
            if processor.IsControl(i) or processor.IsUnknown(i):
                continue
            if split := split_digit_comma(processor, piece):
                self._keys.append(i)
                self._counts.append(len(split))
                self._ids.extend(map(processor.PieceToId, split))
                self._lengths.extend(len(p.replace(WORD_START, "").encode()) for p in split)
        self._applies = np.isin(np.arange(len(model.pieces)), self._keys)

    def expand(self, tokens, lengths=None):
        """Applies the rule to a batch.

        Args:
          tokens: int32 RaggedTensor [batch, (tokens)].
          lengths: None, or int32 RaggedTensor like `tokens`: bytes of each piece without "▁".

        Returns:
          RaggedTensor of ids; with `lengths` given, a pair of it and the new lengths.
        """
        flat = [tokens.values] if lengths is None else [tokens.values, lengths.values]
        if self._keys:
            applies = tf.gather(tf.constant(self._applies), tokens.values)
            # Most batches of most texts have no such piece.
            *flat, splits = tf.cond(
                tf.reduce_any(applies),
                lambda: self._expand(applies, tokens.row_splits, *flat),
                lambda: [*flat, tokens.row_splits],
            )
            tokens = tf.RaggedTensor.from_row_splits(flat[0], splits, validate=False)
        return tokens if lengths is None else (tokens, tokens.with_values(flat[1]))

    def _expand(self, applies, row_splits, ids, lengths=None):
        keys, counts = tf.constant(self._keys), tf.constant(self._counts)
        slot = tf.minimum(tf.searchsorted(keys, ids), len(self._keys) - 1)
        count = tf.where(applies, tf.gather(counts, slot), 1)
        ends = tf.concat([[0], tf.cumsum(count)], 0)
        parent = tf.repeat(tf.range(tf.size(count)), count)
        applies, slot = tf.gather(applies, parent), tf.gather(slot, parent)
        entry = tf.gather(tf.cumsum(counts, exclusive=True), slot)
        entry += tf.range(tf.size(parent)) - tf.gather(ends, parent)

        def replaced(values, table):
            return tf.where(
                applies, tf.gather(tf.constant(table), entry), tf.gather(values, parent)
            )

        flat = [replaced(ids, self._ids)]
        if lengths is not None:
            flat.append(replaced(lengths, self._lengths))
        return [*flat, tf.cast(tf.gather(ends, row_splits), row_splits.dtype)]
