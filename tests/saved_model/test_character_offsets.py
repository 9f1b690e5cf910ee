import numpy as np
import tensorflow as tf

from albert_tf.saved_model.character_offsets import character_offsets
from albert_tf.text.characters import byte_to_character_offsets


def test_equals_the_python_function():
    texts = ["", "plain", "Zürich, 北京 and 😀!", "e\u0301a"]
    offsets, expected = [], []
    for text in texts:
        starts = np.cumsum([0] + [len(character.encode()) for character in text])
        offsets.append(starts.tolist())
        expected.append(byte_to_character_offsets(text, starts))
    ragged = tf.ragged.constant(offsets, dtype=tf.int64, row_splits_dtype=tf.int64)
    assert character_offsets(tf.constant(texts), ragged).to_list() == expected


def test_empty_batch():
    empty = tf.ragged.constant([], ragged_rank=1, dtype=tf.int64, row_splits_dtype=tf.int64)
    assert character_offsets(tf.constant([], tf.string), empty).to_list() == []
