import numpy as np
import pytest
import tensorflow as tf

from albert_tf.layers.attention import SelfAttention
from albert_tf.layers.transformer import Transformer
from albert_tf.layers.unpadding import Unpadding, check_mask_value

# Rows: full, padded, with holes, without any token, without its first one, with odd values.
MASK = np.array(
    [
        [1, 1, 1, 1, 1, 1],
        [1, 1, 0, 0, 0, 0],
        [1, 0, 1, 1, 0, 0],
        [0, 0, 0, 0, 0, 0],
        [0, 0, 1, 1, 0, 0],
        [2, 1, 0, -1, 0, 3],
    ]
)
KEPT = np.array(
    [
        [1, 1, 1, 1, 1, 1],
        [1, 1, 0, 0, 0, 0],
        [1, 0, 1, 1, 0, 0],
        [1, 1, 1, 1, 1, 1],
        [1, 0, 1, 1, 0, 0],
        [1, 1, 0, 0, 0, 1],
    ],
    bool,
)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_there_and_back(dtype):
    x = np.random.default_rng(0).normal(size=[6, 6, 3])
    unpadding = Unpadding(tf.constant(MASK, dtype))
    rows = unpadding.unpad(tf.constant(x))
    np.testing.assert_array_equal(rows, x[KEPT])
    np.testing.assert_array_equal(unpadding.pad(rows), x * KEPT[..., np.newaxis])


def test_grid_is_as_long_as_the_longest_row():
    unpadding = Unpadding(tf.constant(MASK[[1, 2, 4]]))
    np.testing.assert_array_equal(unpadding.mask, [[1, 1, 0], [1, 1, 1], [0, 1, 1]])
    np.testing.assert_array_equal(
        unpadding.places, [[0, 0], [0, 1], [1, 0], [1, 1], [1, 2], [2, 0], [2, 1], [2, 2]]
    )


def test_no_rows():
    unpadding = Unpadding(tf.zeros([0, 5], tf.int32))
    assert unpadding.pad(unpadding.unpad(tf.zeros([0, 5, 4]))).shape == (0, 5, 4)


@pytest.mark.parametrize("mask_value", [-10000.0, -1e9])
@pytest.mark.parametrize("make", [SelfAttention, lambda *a, **k: Transformer(*a, 20, **k)])
def test_layers_give_the_same_without_padding(make, mask_value):
    layer = make(12, 3)
    for attention in (layer, getattr(layer, "self_attention", None)):
        if attention is not None:
            attention.mask_value = mask_value
    x = tf.constant(np.random.default_rng(0).normal(size=[6, 6, 12]), tf.float32)
    unpadding = Unpadding(tf.constant(MASK))
    rows = layer(unpadding.unpad(x), unpadding.mask, grid=unpadding.grid(3))
    expected = layer(x, tf.constant(MASK))
    # A row without any token shifts all scores by -10000, where float32 has steps of 1e-3.
    for row in range(6):
        tolerance = 1e-3 if row == 3 and mask_value == -10000.0 else 1e-5
        kept = KEPT[row]
        np.testing.assert_allclose(
            unpadding.pad(rows)[row][kept], expected[row][kept], atol=tolerance
        )


def test_attention_has_short_and_long_rows_apart():
    grid = Unpadding(tf.constant(MASK[[0, 1, 2, 4]])).grid(num_heads=2)
    np.testing.assert_array_equal(grid.masks[0], [[1, 1, 0], [1, 1, 1]])
    np.testing.assert_array_equal(grid.masks[1], [[0, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1]])
    tokens = 6 + 2 + 3 + 3
    qkv = tf.reshape(tf.range(3 * tokens * 2), [tokens, 3, 2, 1])
    short, long = grid.split(tf.reshape(qkv, [-1, 1]), num_heads=2)
    assert short.shape == (3, 2, 2, 3, 1) and long.shape == (3, 2, 2, 6, 1)
    np.testing.assert_array_equal(short[1, 0, :, :2, 0], tf.transpose(qkv[6:8, 1, :, 0]))
    np.testing.assert_array_equal(long[2, 1, :, :, 0], tf.transpose(qkv[:6, 2, :, 0]))
    np.testing.assert_array_equal(grid.merge([short[0], long[0]]), qkv[:, 0])


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_attention_of_few_rows(rows):
    mask = tf.constant(MASK[:rows])
    x = tf.constant(np.random.default_rng(0).normal(size=[rows, 6, 12]), tf.float32)
    layer, unpadding = SelfAttention(12, 3), Unpadding(mask)
    received = unpadding.pad(layer(unpadding.unpad(x), unpadding.mask, grid=unpadding.grid(3)))
    expected = layer(x, mask) * KEPT[:rows, :, np.newaxis]
    np.testing.assert_allclose(received, expected, atol=1e-5)


def test_no_part_of_a_single_row_is_empty():
    """ONNX takes a size of 0 in a reshape for the input's own."""
    grid = Unpadding(tf.constant(MASK[1:2])).grid(num_heads=3)
    assert [tuple(mask.shape) for mask in grid.masks] == [(1, 2), (1, 1)]
    parts = grid.split(tf.zeros([3 * 2 * 3, 4]), num_heads=3)
    assert [tuple(part.shape) for part in parts] == [(3, 1, 3, 2, 4), (3, 1, 3, 1, 4)]


def test_mask_values_that_let_padding_through():
    check_mask_value(-10000.0)
    with pytest.raises(ValueError, match="at most -1000, .* Received: -5.0. Leave skip_padding"):
        check_mask_value(-5.0)
