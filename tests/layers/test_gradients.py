"""Our own gradients of GELU and layer normalization: right, lean, and known to tapes alone."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

import albert_tf
from albert_tf._keras import keras, tf_variable
from albert_tf.layers.activations import gelu_in_training
from albert_tf.layers.layer_norm import LayerNorm, normalize
from albert_tf.training.losses import SparseCrossEntropy
from albert_tf.training.optimizers import AdamW
from albert_tf.training.train_step import TrainStep

FUNCTIONS = [gelu_in_training, normalize]


def random(*shape):
    return tf.constant(np.random.default_rng(len(shape)).normal(size=shape), tf.float32)


def traced(function):
    """The function as one graph, traced where no tape records: with the operations' gradients."""
    return tf.function(function, autograph=False).get_concrete_function(random(3, 8))


def first_and_second(function, x):
    """Gradients, and gradients of these, through nested and persistent tapes."""
    upstream = tf.cos(x)
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = function(x)
        first = inner.gradient(y, x, upstream)
    return first, outer.gradient(y, x, upstream), outer.gradient(first, x, upstream)


@pytest.mark.parametrize("in_graph", [False, True])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_same_gradients_as_of_the_operations(function, in_graph):
    x, plain = random(3, 8), traced(function)
    both = [lambda f=f: first_and_second(f, x) for f in (function, plain)]
    received, expected = [tf.function(f)() if in_graph else f() for f in both]
    for a, b in zip(received, expected):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_same_gradients_in_forward_mode(function):
    x, products = random(3, 8), []
    for f in (function, traced(function)):
        with tf.autodiff.ForwardAccumulator(x, tf.cos(x)) as accumulator:
            y = f(x)
        products.append(accumulator.jvp(y))
    np.testing.assert_allclose(*products, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [[6, 8], [2, 3, 8]])
def test_layer_norm(shape):
    layer = LayerNorm(8)
    layer(tf.zeros(shape))
    layer.set_weights([random(8), random(8)])
    x, upstream = random(*shape), tf.cos(random(*shape))
    plain = tf.function(lambda x: layer(x), autograph=False)
    plain.get_concrete_function(x)
    results = []
    for function in (layer, plain):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        gamma, beta = map(tf_variable, (layer.gamma, layer.beta))
        results.append([y, *tape.gradient(y, [x, gamma, beta], upstream)])
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("recorded", [True, False])
def test_layer_norm_keeps_one_tensor(recorded):
    gamma = tf.constant(random(8).numpy())
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [4, 8])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = normalize(x) * gamma.numpy()
        forward = set(graph.get_operations())
        tape.gradient(y, x) if recorded else tf.gradients(y, x)
        backward = [op for op in graph.get_operations() if op not in forward]
        kept = {tensor for op in backward for tensor in op.inputs if tensor.op in forward}
    assert sum(tensor.shape == x.shape for tensor in kept) == (1 if recorded else 2)


# === What a training leaves behind ===


def model():
    encoder = albert_tf.AlbertEncoder(50, 8, 16, 2, 2, intermediate_size=24)
    return albert_tf.AlbertClassifier(encoder)


IDS = {name: np.ones([2, 4], "int32") for name in ("input_word_ids", "input_mask")}
IDS["input_type_ids"] = np.zeros([2, 4], "int32")


def fit():
    trained = model()
    trained.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    trained.fit(IDS, np.zeros(2), verbose=0)


def train_step():
    step = TrainStep(model(), {"labels": SparseCrossEntropy()}, AdamW())
    data = tf.data.Dataset.from_tensors((IDS, np.zeros(2, "int32"))).repeat()
    step(iter(data), 1, 0)


@pytest.mark.parametrize("train", [fit, train_step])
def test_the_graph_of_a_training_is_freed(train, monkeypatch):
    call, graphs = albert_tf.AlbertEncoder.encode, []

    def encode(self, *args, **kwargs):
        graph = tf.compat.v1.get_default_graph()
        graphs.append(weakref.ref(graph))
        return call(self, *args, **kwargs)

    monkeypatch.setattr(albert_tf.AlbertEncoder, "encode", encode)
    train()
    keras.backend.clear_session()
    gc.collect()
    assert graphs and not any(graph() for graph in graphs)
