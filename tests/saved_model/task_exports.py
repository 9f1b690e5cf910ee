"""Shared by the tests of task exports: a small encoder, and how to look at answers."""

import numpy as np
import tensorflow as tf

from albert_tf._keras import keras
from albert_tf.encoder import AlbertEncoder

TEXTS = ["The licence, as is.", "Zürich", "", "a much longer text than all the others of the batch"]


def small_encoder():
    """One block, with the vocabulary of the fixture `sp_model`."""
    keras.utils.set_random_seed(3)
    return AlbertEncoder(
        vocab_size=1000,
        embedding_width=8,
        hidden_size=16,
        num_layers=1,
        num_attention_heads=2,
        max_sequence_length=64,
        intermediate_size=32,
        initializer=0.5,
    )


def load(path):
    """The loaded object and its signature `serving_default`."""
    loaded = tf.saved_model.load(str(path))
    return loaded, loaded.signatures["serving_default"]


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def decoded(array):
    return [x.decode() for x in np.asarray(array).tolist()]
