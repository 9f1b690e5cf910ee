import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import build, tf_variable
from albert_tf.layers import activations
from albert_tf.layers.dropout import dropout, dropout_seed
from albert_tf.layers.recomputation import recompute_block
from albert_tf.layers.transformer import Transformer

X = np.random.default_rng(0).normal(size=[2, 5, 12]).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


def make_block(**kwargs):
    block = Transformer(12, 3, 20, **kwargs)
    build(block)
    return block


def gradients(block, layers=3, call=recompute_block):
    """Of `layers` calls in turn: with respect to the input and to all weights."""
    x, mask = tf.constant(X), tf.constant(MASK)
    variables = [tf_variable(weight) for weight in block.trainable_weights]
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x
        parameters = block.parameters(x.dtype)
        for _ in range(layers):
            y = call(block, y, mask, parameters, True)
        loss = tf.reduce_sum(y**3)
    return tape.gradient(loss, [x, *variables])


def plain(block, x, mask, parameters, training):
    return block(x, mask, parameters, training=training)


@pytest.mark.parametrize("in_graph", [False, True])
def test_same_gradients(in_graph):
    block = make_block()
    both = [lambda c=c: gradients(block, call=c) for c in (recompute_block, plain)]
    received, expected = [tf.function(f)() if in_graph else f() for f in both]
    assert len(received) == 17
    for a, b in zip(received, expected):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("in_graph", [False, True])
def test_drops_the_same_elements_again(in_graph, monkeypatch):
    block = make_block(dropout_rate=0.3, attention_dropout_rate=0.3)

    def seeded():
        with dropout_seed(tf.constant([1, 2])):
            return gradients(block)

    received = tf.function(seeded)() if in_graph else seeded()
    # The same computation, kept instead of repeated.
    monkeypatch.setattr(tf, "recompute_grad", lambda function: function)
    for a, b in zip(received, seeded()):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


class _Drop:
    """Stands in for a block: its gradient is what it dropped."""

    def __call__(self, x, mask, parameters, training, grid):
        return dropout(x, 0.5, training)

    def next_seed(self, training):
        return Transformer(4, 1, 4, dropout_rate=0.5).next_seed(training)


def test_drops_the_same_elements_again_without_a_seed():
    @tf.function
    def twice():
        x = tf.ones([40])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = [recompute_block(_Drop(), x, None, {}, True) for _ in range(2)]
        return y[0], tape.gradient(y[0], x), y[1]

    kept, gradient, other = twice()
    np.testing.assert_array_equal(kept, gradient)
    assert set(np.unique(kept)) == {0.0, 2.0} and np.any(kept != other)


def test_keeps_no_inner_results(monkeypatch):
    inner = []

    def activation(x):
        y = tf.nn.relu(x)
        inner.append(weakref.ref(y))
        return y * 1.0

    monkeypatch.setitem(activations.ACTIVATIONS, "relu", activation)
    block = make_block(activation="relu")
    alive = {}
    for call in (plain, recompute_block):
        inner.clear()
        with tf.GradientTape(persistent=True) as tape:
            y = tf.constant(X)
            tape.watch(y)
            for _ in range(3):
                y = call(block, y, tf.constant(MASK), block.parameters(y.dtype), True)
        gc.collect()
        alive[call] = sum(reference() is not None for reference in inner)
        assert len(inner) == 3
    assert alive == {plain: 3, recompute_block: 0}


def test_nothing_is_recomputed_without_training(monkeypatch):
    monkeypatch.setattr(tf, "recompute_grad", None)
    block = make_block()
    for training in (False, None):
        y = recompute_block(block, X, MASK, block.parameters(tf.float32), training)
        np.testing.assert_array_equal(y, block(X, MASK))
