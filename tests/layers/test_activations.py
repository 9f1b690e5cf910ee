import contextlib

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.layers import activations

X = np.concatenate([np.linspace(-12.0, 12.0, 101), [-1e4, 1e4]])


def test_gelu():
    """Against numpy in float64."""
    expected = 0.5 * X * (1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (X + 0.044715 * X**3)))
    for training in (False, True):
        y = activations.activate("gelu", tf.constant(X, tf.float32), training)
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.05)])
def test_same_gradient_in_training(dtype, tolerance):
    x, upstream = tf.constant(X), tf.constant(np.linspace(1.0, 2.0, X.size))
    gradients = []
    for training, kind in ((False, "float64"), (True, dtype)):
        z = tf.cast(x, kind)
        with tf.GradientTape() as tape:
            tape.watch(z)
            y = activations.activate("gelu", z, training)
        gradients.append(tf.cast(tape.gradient(y, z, tf.cast(upstream, kind)), tf.float64))
    assert np.isfinite(gradients[0][:-2]).all()
    np.testing.assert_allclose(gradients[1], gradients[0], atol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.05)])
def test_the_same_compiled(dtype, tolerance):
    def value_and_gradient(x, upstream):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = activations.activate("gelu", x, True)
        return y, tape.gradient(y, x, upstream)

    x, upstream = tf.constant(X, dtype), tf.constant(np.linspace(1.0, 2.0, X.size), dtype)
    def compiled_value_and_gradient(x, upstream):
        with activations.compiled_gelu():
            return value_and_gradient(x, upstream)

    plain = tf.function(value_and_gradient)(x, upstream)
    compiled = tf.function(compiled_value_and_gradient)(x, upstream)
    for a, b in zip(compiled, plain):
        np.testing.assert_allclose(tf.cast(a, tf.float64), tf.cast(b, tf.float64), atol=tolerance)


def test_compiles_where_asked_and_static_shapes_alone():
    def compiles(shape, context=activations.compiled_gelu, around=contextlib.nullcontext):
        def gelu(x):
            with context():
                return activations.gelu_in_training(x)

        with around():
            graph = tf.function(gelu).get_concrete_function(tf.TensorSpec(shape)).graph
        functions = graph.as_graph_def().library.function
        return any(function.attr["_XlaMustCompile"].b for function in functions)

    assert compiles([4, 8]) and not compiles([None, 8])
    assert not compiles([4, 8], contextlib.nullcontext)
    # Not in a function that is traced inside the block: no tape in it knows the gradient.
    assert not compiles([4, 8], contextlib.nullcontext, around=activations.compiled_gelu)


@pytest.mark.parametrize("context", [contextlib.nullcontext, activations.compiled_gelu])
def test_float16_does_not_overflow_in_training(context):
    x = tf.constant([-200.0, -100.0, 100.0, 200.0], tf.float16)
    with context(), tf.GradientTape() as tape:
        tape.watch(x)
        y = activations.activate("gelu", x, True)
    np.testing.assert_array_equal(tape.gradient(y, x), [0.0, 0.0, 1.0, 1.0])


@pytest.mark.parametrize("context", [contextlib.nullcontext, activations.compiled_gelu])
@pytest.mark.parametrize("training", [False, True])
def test_keeps_its_input_only_in_training(training, context):
    """What operations of the gradient take from the forward pass must stay in memory for them."""
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [4, 8])
        with context(), tf.GradientTape() as tape:
            tape.watch(x)
            y = activations.activate("gelu", x, training)
        forward = set(graph.get_operations())
        tape.gradient(y, x)
        backward = [op for op in graph.get_operations() if op not in forward]
        kept = {tensor for op in backward for tensor in op.inputs if tensor.op in forward}
    kept = [tensor for tensor in kept if tensor.shape == x.shape]
    # Two: the gradient of the sum also asks for the output's shape.
    assert (len(kept) <= 2) is training, kept
