"""Batches of token ids: one row, many rows, several lengths."""

import numpy as np

from albert_tf.inputs import INPUT_NAMES


def batch(rows, length, vocab_size=1000):
    """`INPUT_NAMES` as int32 arrays [rows, length]; rows of all lengths, in two segments."""
    lengths = np.linspace(length, 1, rows).astype(int)[:, np.newaxis]
    mask = np.arange(length) < lengths
    ids = np.random.default_rng(length).integers(5, vocab_size, mask.shape) * mask
    types = mask & (np.arange(length) > lengths // 2)
    return {name: x.astype(np.int32) for name, x in zip(INPUT_NAMES, (ids, mask, types))}


BATCHES = [(1, 1), (1, 7), (6, 7), (9, 20)]
