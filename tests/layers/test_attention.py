import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import keras, tf_variable
from albert_tf.layers.attention import SelfAttention
from albert_tf.layers.dense import Dense
from albert_tf.layers.layer_norm import LayerNorm
from albert_tf.layers.transformer import Transformer


def transcription(layer, x, mask):
    """Multi-head attention head by head, in float64."""
    q, k, v, out = (
        (np.float64(d.kernel.numpy()), np.float64(d.bias.numpy()))
        for d in (layer.query, layer.key, layer.value, layer.attention_output)
    )
    result = np.zeros(x.shape)
    for head in range(layer.num_attention_heads):
        query, key, value = (x @ w[:, head] + b[head] for w, b in (q, k, v))
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(layer.head_size)
        scores += (1.0 - mask[:, np.newaxis, :]) * layer.mask_value
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        result += weights @ value @ out[0][head]
    return result + out[1]


def test_self_attention_equals_its_transcription():
    layer = SelfAttention(12, 3, initializer="glorot_uniform")
    x = np.random.default_rng(0).normal(size=[2, 5, 12])
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 1, 0]])
    output = layer(tf.constant(x, tf.float32), tf.constant(mask))
    np.testing.assert_allclose(output, transcription(layer, x, mask), atol=1e-5)


def test_ready_parameters_give_the_same():
    block = Transformer(hidden_size=12, num_attention_heads=3, intermediate_size=20)
    x, mask = tf.random.normal([2, 5, 12]), tf.ones([2, 5], tf.int32)
    expected = block(x, mask)
    np.testing.assert_array_equal(block(x, mask, block.parameters(tf.float32)), expected)


@pytest.mark.parametrize("shape", [[3, 8], [2, 3, 8], [0, 3, 8]])
def test_dense_multiplies_the_last_axis(shape):
    layer = Dense([8], [2, 4], "glorot_uniform")
    x = tf.random.normal(shape)
    kernel = layer(x) is not None and layer.kernel.numpy().reshape(8, 8)
    np.testing.assert_allclose(layer(x), x.numpy() @ kernel, atol=1e-5)


def test_layer_norm_has_the_originals_epsilon():
    layer = LayerNorm(4)
    # A variance of 1e-12 is as large as epsilon: the output is smaller by sqrt(2).
    x = tf.constant([[1e-6, -1e-6, 1e-6, -1e-6]])
    np.testing.assert_allclose(layer(x)[0, 0], np.sqrt(0.5), rtol=1e-4)
    assert layer(tf.cast(x, tf.float16)).dtype == tf.float16


@pytest.mark.parametrize(
    "layer",
    [
        Dense([8], [2, 4], "zeros"),
        LayerNorm(8),
        SelfAttention(8, 2, dropout_rate=0.1),
        Transformer(8, 2, 16, activation="relu"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_configuration_round_trip(layer):
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


def test_layers_work_in_a_functional_model():
    x = keras.Input((5, 8))
    mask = keras.Input((5,), dtype="int32")
    model = keras.Model([x, mask], Transformer(8, 2, 16)(x, mask))
    assert model.output_shape == (None, 5, 8)
    assert len(model.trainable_weights) == 16
