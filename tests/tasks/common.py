"""Shared by the tests of task models: the original's recorded heads, and what every model does."""

import functools

import numpy as np
import tensorflow as tf

from albert_tf._keras import keras
from albert_tf.encoder import AlbertEncoder
from tests.conftest import GOLDENS

TOLERANCE = 1e-5


@functools.cache
def recorded():
    """Inputs, head weights and outputs of the original, on the checkpoint `tiny`."""
    with np.load(GOLDENS / "heads_golden.npz") as file:
        return dict(file)


def recorded_inputs():
    g = recorded()
    return {
        "input_word_ids": g["input_ids"],
        "input_mask": g["input_mask"],
        "input_type_ids": g["segment_ids"],
    }


def set_head(model, head):
    """Gives a model the original's recorded weights of `head`, through the table of names."""
    weights = model.weights_by_name()
    count = 0
    for row in model.head_weight_names:
        value = recorded()[f"{head}/var/{row.original}"]
        weights[row.name].assign(value.T if row.original_transposed else value)
        count += 1
    assert count == sum(key.startswith(f"{head}/var/") for key in recorded())
    assert list(weights)[-count:] == [row.name for row in model.head_weight_names]


def assert_close(received, expected, tolerance=TOLERANCE):
    np.testing.assert_allclose(received, expected, rtol=tolerance, atol=tolerance)


def small_encoder(**kwargs):
    keras.utils.set_random_seed(1)
    # A wide initializer, so that a few steps are enough to learn something.
    kwargs = {"initializer": 0.2, "dropout_rate": 0.0, "attention_dropout_rate": 0.0, **kwargs}
    return AlbertEncoder(
        vocab_size=40,
        embedding_width=8,
        hidden_size=16,
        num_layers=1,
        num_attention_heads=2,
        max_sequence_length=16,
        intermediate_size=32,
        **kwargs,
    )


def small_inputs(batch=8, length=6, choices=None):
    """Inputs of which token 1 tells the label, which is returned too."""
    rng = np.random.RandomState(0)
    shape = (batch, length) if choices is None else (batch, choices, length)
    ids = rng.randint(5, 20, shape).astype(np.int32)
    ids[..., 0] = 2
    labels = (np.arange(batch) % 2).astype(np.int32)
    if choices is None:
        ids[:, 1] = 30 + labels
    else:
        ids[np.arange(batch), labels, 1] = 30
    types = np.zeros(shape, np.int32)
    types[..., length // 2 :] = 1
    inputs = {
        "input_word_ids": ids,
        "input_mask": np.ones(shape, np.int32),
        "input_type_ids": types,
    }
    return inputs, labels


def fits(model, inputs, labels, **compile_arguments):
    """Trains with plain compile and fit; asserts that the loss falls."""
    model.compile(keras.optimizers.Adam(1e-2), **compile_arguments)
    history = model.fit(inputs, labels, batch_size=4, epochs=12, verbose=0)
    losses = history.history["loss"]
    assert losses[-1] < 0.8 * losses[0], losses
    return losses


def saves_and_loads(model, inputs, path):
    """Saves as .keras and loads, compiled state included; asserts equal outputs and names."""
    expected = model(inputs)
    model.save(path)
    loaded = keras.models.load_model(path)
    assert type(loaded) is type(model)
    assert list(loaded.weights_by_name()) == list(model.weights_by_name())
    tf.nest.map_structure(lambda a, b: assert_close(a, b), expected, loaded(inputs))
    return loaded


def functional(layer, shape, names=("input_word_ids", "input_mask", "input_type_ids")):
    """A functional model of one call of `layer` on integer inputs of `shape`, by name."""
    inputs = {name: keras.Input(shape, dtype="int32", name=name) for name in names}
    return keras.Model(inputs, layer(inputs))
