"""`AlbertEncoder(skip_padding=True)`: the same answers, for the work of the tokens alone."""

import math

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import KERAS_3, keras, tf_variable
from albert_tf.encoder import AlbertEncoder
from tests.conftest import GOLDENS
from tests.layers.test_unpadding import KEPT, MASK

SMALL = dict(
    vocab_size=50,
    embedding_width=8,
    hidden_size=16,
    num_layers=3,
    num_attention_heads=2,
    max_sequence_length=12,
    intermediate_size=24,
    dropout_rate=0.0,
    attention_dropout_rate=0.0,
    initializer=0.3,
)
NAMES = ("input_word_ids", "input_mask", "input_type_ids")


def encoders(**kwargs):
    """A dense encoder and one that skips padding, with the same weights."""
    dense, packed = (AlbertEncoder(**{**SMALL, **kwargs}, skip_padding=s) for s in (False, True))
    packed.set_weights(dense.get_weights())
    return dense, packed


def inputs(mask, seed=0):
    random = np.random.default_rng(seed)
    mask = np.asarray(mask, "int32")
    ids, types = (random.integers(0, n, mask.shape).astype("int32") for n in (50, 2))
    return dict(zip(NAMES, (ids, mask, types)))


def lengths(counts, length):
    return np.arange(length) < np.array(counts)[:, np.newaxis]


# === Numbers ===


# The other rows shift all their scores by multiples of the mask value, which costs float32 digits;
# with -1e9 all of them.
ORDINARY = [0, 1, 2, 4]


@pytest.mark.parametrize(("mask_value", "tolerance"), [(-10000.0, 5e-3), (-1e9, 1e-5)])
def test_equals_the_dense_encoder_at_tokens_and_is_zero_elsewhere(mask_value, tolerance):
    dense, packed = encoders(attention_mask_value=mask_value)
    x = inputs(MASK)
    expected, received = dense(x), packed(x)
    np.testing.assert_allclose(received["pooled_output"], expected["pooled_output"], atol=tolerance)
    np.testing.assert_array_equal(received["encoder_outputs"][-1], received["sequence_output"])
    assert len(received["encoder_outputs"]) == 3
    for a, b in zip(received["encoder_outputs"], expected["encoder_outputs"]):
        a, b = np.array(a), np.array(b)
        np.testing.assert_allclose(a[KEPT], b[KEPT], atol=tolerance)
        np.testing.assert_allclose(a[ORDINARY], (b * KEPT[..., np.newaxis])[ORDINARY], atol=1e-5)
        assert not a[~KEPT].any() and b[~KEPT].any(-1).all()


@pytest.mark.parametrize("golden", ["tiny", "tiny_groups"])
@pytest.mark.parametrize("group", ["", "len64/", "zeromask/"])
def test_equals_the_original(golden, group):
    recorded = np.load(GOLDENS / golden / "golden.npz")
    encoder = AlbertEncoder.from_checkpoint(GOLDENS / golden, skip_padding=True)
    tensors = [recorded[group + n] for n in ("input_ids", "input_mask", "segment_ids")]
    pooled, sequence = encoder(tensors)
    tolerance = 2e-4 if group == "zeromask/" else 1e-5
    np.testing.assert_allclose(pooled, recorded[f"{group}pooled_output"], atol=tolerance, rtol=0)
    kept = np.array(sequence).any(-1)
    assert (kept >= (tensors[1] > 0)).all()
    expected = recorded[f"{group}sequence_output"] * kept[..., np.newaxis]
    np.testing.assert_allclose(sequence, expected, atol=tolerance, rtol=0)


def test_equal_gradients():
    x = inputs(MASK[ORDINARY])
    weight = KEPT[ORDINARY][..., np.newaxis].astype("float32")
    results = []
    for encoder in encoders():
        variables = [tf_variable(w) for w in encoder.trainable_weights]

        @tf.function
        def gradients(encoder=encoder, variables=variables):
            with tf.GradientTape() as tape:
                outputs = encoder(x, training=True)
                loss = tf.reduce_sum(outputs["pooled_output"] ** 2)
                loss += tf.add_n([tf.reduce_sum(y**3 * weight) for y in outputs["encoder_outputs"]])
            return tape.gradient(loss, variables)

        results.append(gradients())
    assert len(results[0]) == 25
    for a, b in zip(*results):
        # Clipping sees the same: sparse for the word embeddings only.
        assert type(a) is type(b)
        a, b = tf.convert_to_tensor(a), tf.convert_to_tensor(b)
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3 * np.abs(a).max() + 1e-4)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 0.01), ("bfloat16", 0.08)])
def test_half_precision(tiny_checkpoint, dtype, tolerance):
    recorded = np.load(tiny_checkpoint / "golden.npz")
    encoder = AlbertEncoder.from_checkpoint(
        tiny_checkpoint, dtype=f"mixed_{dtype}", skip_padding=True
    )
    pooled, sequence = encoder([recorded[n] for n in ("input_ids", "input_mask", "segment_ids")])
    assert pooled.dtype == sequence.dtype == dtype
    real = recorded["input_mask"][..., np.newaxis] > 0
    difference = np.abs(np.float32(sequence) - recorded["sequence_output"]) * real
    assert difference.max() < tolerance


# === Work ===


def products(monkeypatch, encoder, x):
    """Multiplications of all matrix products of a call, by the shapes of what was multiplied."""
    counted = []
    matmul = tf.matmul

    def counting(a, b, **kwargs):
        result = matmul(a, b, **kwargs)
        counted.append(math.prod(result.shape) * a.shape[-1])
        return result

    with monkeypatch.context() as patch:
        patch.setattr(tf, "matmul", counting)
        encoder(x)
    return sum(counted)


def test_work_goes_with_the_number_of_tokens(monkeypatch):
    dense, packed = encoders()
    L, E, H, F = 3, 8, 16, 24
    for counts in ([3, 5, 1, 4], [12] * 4, [1] * 4):
        tokens, batch, half = sum(counts), len(counts), sorted(counts)[: len(counts) // 2]
        a_layer = tokens * (H * 3 * H + H * H + 2 * H * F)
        # Rows attend in two halves, each padded to its longest row.
        attention = 2 * (batch // 2) * (max(half) ** 2 + max(counts) ** 2) * H
        expected = tokens * E * H + L * (a_layer + attention) + batch * H * H
        for padded in (12, 30):
            x = inputs(lengths(counts, padded))
            assert products(monkeypatch, packed, x) == expected
    assert products(monkeypatch, dense, inputs(lengths([12] * 4, 12))) == products(
        monkeypatch, packed, inputs(lengths([12] * 4, 12))
    )


def test_one_graph_for_all_batches_and_lengths():
    keras.utils.set_random_seed(0)  # Optimized graphs round otherwise than eager code.
    _, packed = encoders()
    traces = []

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)] * 3)
    def call(*tensors):
        traces.append(1)
        return packed(list(tensors))

    for counts, length in (([3, 5], 5), ([2], 30), ([0, 1, 7], 9), ([], 4)):
        x = list(inputs(lengths(counts, length) if counts else np.zeros([0, length])).values())
        pooled, sequence = call(*x)
        np.testing.assert_allclose(pooled, packed(x)[0], atol=1e-5)
        assert sequence.shape == (len(counts), length, 16)
    assert len(traces) == 1


def test_the_dense_graph_has_none_of_it():
    ops = []
    for encoder in encoders():
        call = tf.function(lambda *x, e=encoder: e(list(x)))
        graph = call.get_concrete_function(*[tf.TensorSpec([None, None], tf.int32)] * 3).graph
        ops.append({op.type for op in graph.get_operations()})
    added = {"Where", "GatherNd", "ScatterNd", "Cumsum"}
    assert not added & ops[0] and added <= ops[1]


# === Use ===


def test_static_shapes():
    _, packed = encoders()

    @tf.function
    def call(ids):
        outputs = packed(dict(zip(NAMES, (ids, tf.ones_like(ids), tf.zeros_like(ids)))))
        assert outputs["sequence_output"].shape == (4, 10, 16)
        assert outputs["pooled_output"].shape == (4, 16)
        return outputs["pooled_output"]

    call(tf.ones([4, 10], tf.int32))


def test_functional_model_trains_saves_and_loads(tmp_path):
    encoder = AlbertEncoder(**{**SMALL, "dropout_rate": 0.1}, skip_padding=True, recompute=True)
    tensors = [keras.Input((6,), dtype="int32") for _ in range(3)]
    pooled, sequence = encoder(tensors)
    logits = keras.layers.Dense(2)(keras.layers.Concatenate()([pooled, sequence[:, 1]]))
    model = keras.Model(tensors, logits)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    x, y = list(inputs(MASK).values()), np.arange(6) % 2
    history = model.fit(x, y, batch_size=4, epochs=8, verbose=0).history["loss"]
    assert history[-1] < history[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    (again,) = [layer for layer in loaded.layers if isinstance(layer, AlbertEncoder)]
    assert again.skip_padding and again.recompute
    if KERAS_3:
        # "auto" compiles with XLA on GPUs otherwise.
        assert encoder.supports_jit is False and AlbertEncoder(**SMALL).supports_jit


def test_dropout_in_training():
    _, packed = encoders(dropout_rate=0.5, attention_dropout_rate=0.5)
    x = inputs(MASK)
    a, b = (np.array(packed(x, training=True)["sequence_output"]) for _ in range(2))
    assert (a != b).any(-1)[KEPT].all() and not a[~KEPT].any()


def test_padding_may_lie_beyond_the_position_table():
    dense, packed = encoders()
    x = inputs(lengths([12, 3], 20))
    np.testing.assert_allclose(packed(x)["pooled_output"], dense(x)["pooled_output"], atol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="longer than max_sequence_length=12"):
        packed(inputs(lengths([13, 3], 20)))


# Static or not, the whole batch or none of it padding: never a wrong answer.
@pytest.mark.parametrize("shape", [[None, None], [6, 6]])
def test_xla_says_why_not(shape):
    _, packed = encoders()
    compiled = tf.function(
        lambda *x: packed(list(x)),
        input_signature=[tf.TensorSpec(shape, tf.int32)] * 3,
        jit_compile=True,
        autograph=False,
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="skip_padding_does_not_run_under_XLA"):
        compiled(*inputs(MASK).values())


def test_configuration():
    config = AlbertEncoder(**SMALL, skip_padding=True, recompute=True).get_config()
    again = AlbertEncoder.from_config(config)
    assert again.get_config() == config and again.skip_padding and again.recompute
    config = AlbertEncoder(**SMALL).albert_config
    assert AlbertEncoder.from_albert_config(config, skip_padding=True).skip_padding
    with pytest.raises(ValueError, match="`skip_padding` needs an `attention_mask_value` of at"):
        AlbertEncoder(**SMALL, attention_mask_value=-10.0, skip_padding=True)


def test_recompute_gives_the_same_gradients():
    x, results = inputs(MASK[:3]), []
    plain = AlbertEncoder(**SMALL, num_hidden_groups=3)
    for kwargs in ({}, {"recompute": True}, {"recompute": True, "skip_padding": True}):
        encoder = AlbertEncoder(**SMALL, num_hidden_groups=3, **kwargs)
        encoder.set_weights(plain.get_weights())

        @tf.function
        def gradients(encoder=encoder):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(encoder(x, training=True)["pooled_output"] ** 2)
            variables = [tf_variable(w) for w in encoder.trainable_weights]
            return [tf.convert_to_tensor(g) for g in tape.gradient(loss, variables)]

        results.append(gradients())
    for expected, *others in zip(*results):
        for received in others:
            np.testing.assert_allclose(received, expected, rtol=1e-3, atol=1e-4)
