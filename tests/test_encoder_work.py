"""What nobody asks for is not computed: the last block at the positions that are used, alone."""

import math

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import tf_variable
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.saved_model.encoder import export_encoder
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.tasks.multiple_choice import AlbertMultipleChoice

B, S, P, L, E, H, F, V = 4, 10, 3, 3, 8, 16, 24, 50
TOKENS = B * S
ATTENTION = 2 * S * H  # Of one query.
BLOCK = TOKENS * (4 * H * H + 2 * H * F + ATTENTION)
EARLIER = TOKENS * E * H + (L - 1) * BLOCK


def last_block_at(positions):
    """Multiplications where only so many positions of each row ask."""
    return TOKENS * 3 * H * H + B * positions * (H * H + 2 * H * F + ATTENTION)


def encoder(**kwargs):
    options = {"intermediate_size": F, "dropout_rate": 0.0, "attention_dropout_rate": 0.0}
    options |= {"max_sequence_length": 12, "initializer": 0.3}
    return AlbertEncoder(V, E, H, L, 2, **{**options, **kwargs})


def inputs(seed=0, padding=True):
    random = np.random.default_rng(seed)
    ids = random.integers(0, V, [B, S])
    mask = np.arange(S) < np.array([[10], [3], [1], [7]]) if padding else np.ones([B, S])
    positions = [[1, 2, 0], [2, 1, 1], [0, 0, 0], [6, 3, 0]]
    return [tf.constant(x, tf.int32) for x in (ids, mask, ids % 2, positions)]


def work(output):
    """Multiplications of all matrix products that a tensor of a graph needs."""
    needed, waiting = set(), [output.op]
    while waiting:
        op = waiting.pop()
        if op not in needed:
            needed.add(op)
            waiting += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
    total = 0
    for op in needed:
        if op.type in ("MatMul", "BatchMatMulV2"):
            transposed = op.get_attr("transpose_a" if op.type == "MatMul" else "adj_x")
            inner = op.inputs[0].shape[-2 if transposed else -1]
            total += math.prod(op.outputs[0].shape) * inner
    return total


def traced(call):
    """The outputs of a function in its graph, before TensorFlow takes anything out of it."""
    kept = []

    @tf.function(autograph=False)
    def function(*tensors):
        outputs = call(*tensors)
        kept.append(outputs)
        return tf.nest.flatten(outputs)

    specs = [tf.TensorSpec([B, S], tf.int32)] * 3 + [tf.TensorSpec([B, P], tf.int32)]
    function.get_concrete_function(*specs)
    return kept[0]


def test_what_each_output_needs():
    model = encoder()
    outputs = traced(lambda *x: model.encode(*x[:3], positions=x[3], apart=True))
    type_vectors = TOKENS * 2 * E
    assert work(outputs["sequence_output"]) == type_vectors + EARLIER + BLOCK
    pooler = B * H * H
    wanted = type_vectors + EARLIER + last_block_at(1 + P)
    assert work(outputs["position_output"]) == wanted
    assert work(outputs["pooled_output"]) == wanted + pooler
    outputs = traced(lambda *x: model.encode(*x[:3], apart=True))
    assert work(outputs["pooled_output"]) == wanted + pooler + last_block_at(1) - last_block_at(4)


def test_what_models_need():
    classifier, pretrainer = AlbertClassifier(encoder()), AlbertPretrainer(encoder())
    full = work(traced(lambda *x: classifier.encoder.encode(*x[:3]))["sequence_output"])
    assert work(traced(lambda *x: classifier(list(x[:3])))) < full - BLOCK / 2
    choices = AlbertMultipleChoice(classifier.encoder)
    logits = traced(lambda *x: choices([tensor[tf.newaxis] for tensor in x[:3]]))
    assert work(logits) < full - BLOCK / 2
    head = B * P * (H * E + E * V)
    mlm_logits = traced(lambda *x: pretrainer(list(x)))["mlm_logits"]
    assert work(mlm_logits) - head < full - BLOCK / 4


@pytest.mark.parametrize("skip_padding", [False, True])
def test_same_numbers_as_in_the_sequence(skip_padding):
    model = encoder(skip_padding=skip_padding)
    *x, positions = inputs()
    outputs = model.encode(*x, positions=positions, apart=True)
    sequence = outputs["sequence_output"]
    expected = tf.tanh(model.pooler_transform(sequence[:, 0]))
    np.testing.assert_allclose(outputs["pooled_output"], expected, atol=1e-5)
    expected = tf.gather(sequence, positions, batch_dims=1)
    np.testing.assert_allclose(outputs["position_output"], expected, atol=1e-5)
    assert "position_output" not in model.encode(*x)


def test_a_row_without_tokens():
    model, packed = encoder(), encoder(skip_padding=True)
    packed.set_weights(model.get_weights())
    ids, mask, types, positions = inputs()
    mask *= [[1], [0], [1], [1]]
    for each in (model, packed):
        outputs = each.encode(ids, mask, types, positions=positions, apart=True)
        expected = tf.gather(outputs["sequence_output"], positions, batch_dims=1)
        # Scores of -10000 and more cost float32 digits.
        np.testing.assert_allclose(outputs["position_output"], expected, atol=5e-3)


@pytest.mark.parametrize("options", [{}, {"skip_padding": True}, {"recompute": True}])
def test_same_gradients_as_through_the_sequence(options):
    model = encoder(**options)
    *x, positions = inputs()

    @tf.function
    def gradients(through_sequence):
        with tf.GradientTape() as tape:
            apart = not through_sequence
            outputs = model.encode(*x, training=True, positions=positions, apart=apart)
            loss = tf.reduce_sum(outputs["position_output"] ** 2)
            loss += tf.reduce_sum(outputs["pooled_output"])
        variables = [tf_variable(weight) for weight in model.trainable_weights]
        return [tf.convert_to_tensor(g) for g in tape.gradient(loss, variables)]

    for received, expected in zip(gradients(False), gradients(True)):
        np.testing.assert_allclose(received, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("mixed_bfloat16", 0.05), ("mixed_float16", 0.01)]
)
def test_half_precision(dtype, tolerance):
    model = encoder(dtype=dtype)
    *x, positions = inputs()
    apart, taken = (model.encode(*x, positions=positions, apart=apart) for apart in (True, False))
    for name in ("pooled_output", "position_output"):
        assert apart[name].dtype == taken[name].dtype
        np.testing.assert_allclose(
            tf.cast(apart[name], tf.float32), tf.cast(taken[name], tf.float32), atol=tolerance
        )


@pytest.mark.parametrize("skip_padding", [False, True])
def test_masks_with_holes(skip_padding):
    """Position 0 need not be a token, nor need tokens stand together."""
    model = encoder(skip_padding=skip_padding)
    ids, _, types, _ = inputs()
    mask = tf.constant([[0, 1, 0, 1, 1, 0, 0, 0, 1, 0]] * B)
    positions = tf.constant([[1, 4, 8]] * B)
    options = {"positions": positions}
    apart, taken = (model.encode(ids, mask, types, **options, apart=a) for a in (True, False))
    for name in ("pooled_output", "position_output"):
        np.testing.assert_allclose(apart[name], taken[name], atol=1e-4)


@pytest.mark.parametrize("skip_padding", [False, True])
def test_no_rows(skip_padding):
    model = encoder(skip_padding=skip_padding)
    x = [tensor[:0] for tensor in inputs()]
    with tf.GradientTape() as tape:
        outputs = model.encode(*x[:3], positions=x[3], apart=True)
        loss = tf.reduce_sum(outputs["position_output"]) + tf.reduce_sum(outputs["pooled_output"])
    assert outputs["position_output"].shape == (0, P, H)
    variables = [tf_variable(weight) for weight in model.trainable_weights]
    for gradient in tape.gradient(loss, variables):
        assert not np.any(tf.convert_to_tensor(gradient))


def test_saved_models_have_no_second_pass_in_training(
    tiny_checkpoint, sp_model, tmp_path, unchecked
):
    """There the gradient would go through both. With dropout, only one pass gives one answer."""
    model = AlbertEncoder.from_checkpoint(tiny_checkpoint, dropout_rate=0.5)
    export_encoder(model, tmp_path / "x", sp_model)
    loaded = tf.saved_model.load(str(tmp_path / "x"))
    ids = tf.constant([[2, 9, 8, 3]])
    for training in (False, True):
        pooled, sequence = loaded([ids, tf.ones_like(ids), tf.zeros_like(ids)], training=training)
        expected = tf.tanh(model.pooler_transform(sequence[:, 0]))
        np.testing.assert_allclose(pooled, expected, atol=1e-5)


def test_masked_lm_takes_vectors_or_positions():
    pretrainer = AlbertPretrainer(encoder())
    *x, positions = inputs()
    outputs = pretrainer([*x, positions])
    table = pretrainer.encoder.embeddings.word_embeddings.table()
    expected = pretrainer.masked_lm(outputs["sequence_output"], positions, table)
    np.testing.assert_allclose(outputs["mlm_logits"], expected, atol=1e-4)
    assert "position_output" not in outputs
