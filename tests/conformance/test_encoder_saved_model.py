"""One exported SavedModel is every published generation at once: plain TensorFlow's view."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import GOLDENS

NAMES = ("input_word_ids", "input_mask", "input_type_ids")
KEYS = ("input_ids", "input_mask", "segment_ids")


@pytest.fixture(scope="module")
def loaded(exported_encoder):
    return tf.saved_model.load(exported_encoder)


@pytest.fixture(scope="module")
def recorded():
    return np.load(GOLDENS / "tiny" / "golden.npz")


def as_kind(kind, tensors):
    return dict(zip(NAMES, tensors)) if kind is dict else kind(tensors)


def pooled_and_sequence(outputs):
    if isinstance(outputs, dict):
        return outputs["pooled_output"], outputs["sequence_output"]
    return outputs


@pytest.mark.parametrize(
    ("kind", "dtype", "group"),
    [*itertools.product([list, tuple, dict], ["int32", "int64"], ["", "len64/", "zeromask/"])],
)
def test_numbers(loaded, recorded, kind, dtype, group):
    tensors = [tf.constant(recorded[group + key], dtype) for key in KEYS]
    # Dropout is 0 in this configuration, so training computes the same.
    for training in (False, True):
        outputs = loaded(as_kind(kind, tensors), training=training)
        pooled, sequence = pooled_and_sequence(outputs)
        tolerance = 2e-4 if group == "zeromask/" else 1e-5
        np.testing.assert_allclose(pooled, recorded[f"{group}pooled_output"], atol=tolerance)
        np.testing.assert_allclose(sequence, recorded[f"{group}sequence_output"], atol=tolerance)


def test_dict_has_every_output_of_the_published_models(loaded, recorded):
    outputs = loaded(dict(zip(NAMES, (recorded[key] for key in KEYS))))
    assert set(outputs) == {"default", "pooled_output", "sequence_output", "encoder_outputs"}
    np.testing.assert_array_equal(outputs["default"], outputs["pooled_output"])
    assert isinstance(outputs["encoder_outputs"], list)
    for i, output in enumerate(outputs["encoder_outputs"]):
        np.testing.assert_allclose(output, recorded[f"encoder_layer_{i:02d}"], atol=1e-5)


@pytest.mark.parametrize(("signature", "names"), [("serving_default", NAMES), ("tokens", KEYS)])
def test_signatures(loaded, recorded, signature, names):
    inputs = {name: tf.constant(recorded[key]) for name, key in zip(names, KEYS)}
    outputs = loaded.signatures[signature](**inputs)
    assert set(outputs) == {"pooled_output", "sequence_output"}
    for name, output in outputs.items():
        np.testing.assert_allclose(output, recorded[name], atol=1e-5)


def test_masked_lm_and_sentence_order(loaded, recorded):
    inputs = dict(zip(NAMES, (recorded[key] for key in KEYS)))
    for dtype in ("int32", "int64"):
        x = {name: value.astype(dtype) for name, value in inputs.items()}
        positions = recorded["masked_lm_positions"].astype(dtype)
        outputs = loaded.mlm({**x, "masked_lm_positions": positions})
        expected = recorded["mlm_log_probs"]
        log_probs = tf.reshape(tf.nn.log_softmax(outputs["mlm_logits"]), expected.shape)
        np.testing.assert_allclose(log_probs, expected, atol=1e-5, rtol=1e-6)
        assert "default" not in outputs
        sop = tf.nn.log_softmax(loaded.sop(x)["sop_logits"])
        np.testing.assert_allclose(sop, recorded["sop_log_probs"], atol=1e-5)
    assert loaded.mlm({**inputs, "masked_lm_positions": np.zeros([8, 0], "int32")})[
        "mlm_logits"
    ].shape == (8, 0, 1000)


def test_masked_lm_trains_all_its_variables_but_the_pooler(loaded, recorded):
    inputs = dict(zip(NAMES, (recorded[key] for key in KEYS)))
    inputs["masked_lm_positions"] = recorded["masked_lm_positions"]
    variables = loaded.mlm.trainable_variables
    assert len(variables) == 30
    assert all(a is b for a, b in zip(variables, loaded.trainable_variables))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(
            tf.nn.log_softmax(loaded.mlm(inputs, training=True)["mlm_logits"]) ** 2
        )
    gradients = tape.gradient(loss, list(variables))
    no_gradient = {
        v.name
        for v, g in zip(variables, gradients)
        if g is None or not np.any(tf.convert_to_tensor(g))
    }
    assert no_gradient == {"pooler_transform/kernel:0", "pooler_transform/bias:0"}


def test_variables_are_those_of_the_published_models(loaded):
    # Recorded from a SavedModel made by the Model Garden's exporter for tensorflow/albert_en_*/3.
    names = """
        word_embeddings/embeddings position_embedding/embeddings type_embeddings/embeddings
        embeddings/layer_norm/gamma embeddings/layer_norm/beta
        embedding_projection/kernel embedding_projection/bias
        transformer/self_attention/query/kernel transformer/self_attention/query/bias
        transformer/self_attention/key/kernel transformer/self_attention/key/bias
        transformer/self_attention/value/kernel transformer/self_attention/value/bias
        transformer/self_attention/attention_output/kernel
        transformer/self_attention/attention_output/bias
        transformer/self_attention_layer_norm/gamma transformer/self_attention_layer_norm/beta
        transformer/intermediate/kernel transformer/intermediate/bias
        transformer/output/kernel transformer/output/bias
        transformer/output_layer_norm/gamma transformer/output_layer_norm/beta
        pooler_transform/kernel pooler_transform/bias""".split()
    assert [v.name for v in loaded.variables] == [f"{name}:0" for name in names]
    assert [v.name for v in loaded.trainable_variables] == [f"{name}:0" for name in names]
    assert tuple(loaded.variables[7].shape) == (64, 4, 16)
    assert tuple(loaded.variables[13].shape) == (4, 16, 64)
    assert list(loaded.regularization_losses) == []


def test_asset_and_configuration(loaded):
    import json

    import sentencepiece

    path = loaded.sp_model_file.asset_path.numpy().decode()
    assert sentencepiece.SentencePieceProcessor(model_file=path).get_piece_size() == 1000
    assert json.loads(loaded.config().numpy())["hidden_size"] == 64


def test_static_shapes_propagate(loaded):
    @tf.function
    def run(ids):
        outputs = loaded(dict(zip(NAMES, (ids, tf.ones_like(ids), tf.zeros_like(ids)))))
        assert outputs["pooled_output"].shape == (4, 64)
        assert outputs["sequence_output"].shape == (4, 16, 64)
        return outputs["default"]

    run(tf.ones([4, 16], tf.int32))


def test_persistent_and_nested_tapes(loaded, recorded):
    x = [tf.constant(recorded[key]) for key in KEYS]
    variable = loaded.trainable_variables[7]
    with tf.GradientTape(persistent=True) as outer:
        with tf.GradientTape(persistent=True) as inner:
            loss = tf.reduce_sum(loaded(x, training=True)[0] ** 2)
        first = inner.gradient(loss, variable)
        again = inner.gradient(loss, variable)
        norm = tf.reduce_sum(first**2)
    np.testing.assert_array_equal(first, again)
    second = outer.gradient(norm, variable)
    # The second derivative against a difference quotient along itself.
    direction, step = second / tf.norm(second), 1e-2

    def norm_at(offset):
        original = variable.read_value()
        variable.assign_add(offset * direction)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(loaded(x)[0] ** 2)
        gradient = tape.gradient(loss, variable)
        variable.assign(original)
        return tf.reduce_sum(gradient**2)

    quotient = (norm_at(step) - norm_at(-step)) / (2 * step)
    np.testing.assert_allclose(quotient, tf.norm(second), rtol=0.02)


def test_jit_compile(loaded, recorded):
    x = [tf.constant(recorded[key]) for key in KEYS]
    compiled = tf.function(lambda *x: loaded(list(x)), jit_compile=True)
    np.testing.assert_allclose(compiled(*x)[1], recorded["sequence_output"], atol=1e-5)

    @tf.function(jit_compile=True)
    def gradient(*x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(loaded(list(x), training=True)[0] ** 2)
        return tape.gradient(loss, loaded.trainable_variables[7])

    assert np.abs(gradient(*x)).max() > 0


@pytest.mark.parametrize(("batch", "length"), [(0, 4), (2, 1), (1, 64)])
def test_extreme_shapes(loaded, batch, length):
    ids = tf.ones([batch, length], tf.int32)
    pooled, sequence = loaded([ids, ids, tf.zeros_like(ids)])
    assert pooled.shape == (batch, 64) and sequence.shape == (batch, length, 64)
    assert np.isfinite(sequence).all()


def test_longer_than_the_position_table(loaded):
    ids = tf.ones([1, 65], tf.int32)
    message = "Inputs must not be longer than max_sequence_length=64 tokens.*length.*65"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        loaded([ids, ids, ids])


# Plain tf.saved_model.load dispatches by itself; its error lists what the model takes.
@pytest.mark.parametrize(
    "inputs",
    [
        [np.ones([2, 4], "float32")] * 3,
        [np.ones([4], "int32")] * 3,
        {"input_word_ids": np.ones([2, 4], "int32")},
        lambda: [tf.ragged.constant([[1, 2], [3]])] * 3,
    ],
    ids=["float", "rank 1", "missing keys", "ragged"],
)
def test_bad_inputs_list_what_is_taken(loaded, inputs):
    rule = r"(?s)Expected these .*'input_mask': TensorSpec\(shape=\(None, None\), dtype=tf.int32"
    with pytest.raises((ValueError, TypeError), match=rule):
        loaded(inputs() if callable(inputs) else inputs)


def test_live_objects_do_not_follow_the_export(tmp_path, tiny_checkpoint, sp_model, unchecked):
    """A fine-tuned encoder exports with its own weights, and the file does not change with it."""
    import albert_tf

    encoder = albert_tf.AlbertEncoder.from_checkpoint(tiny_checkpoint)
    encoder.pooler_transform.bias.assign(np.full(64, 0.5, "float32"))
    albert_tf.export_encoder(encoder, tmp_path / "tuned", sp_model=sp_model)
    encoder.pooler_transform.bias.assign(np.zeros(64, "float32"))
    tuned = tf.saved_model.load(str(tmp_path / "tuned"))
    np.testing.assert_array_equal(tuned.variables[24], np.full(64, 0.5, "float32"))
    assert not hasattr(tuned, "mlm") and not hasattr(tuned, "sop")


@pytest.fixture(scope="module")
def default_model(tmp_path_factory):
    """The export of the default checkpoint, whose weights the TF Hub recordings have."""
    import albert_tf
    from tests.random_tiny import CHECKPOINT, SP_MODEL

    path = tmp_path_factory.mktemp("default") / "encoder"
    model = albert_tf.AlbertPretrainer.from_checkpoint(CHECKPOINT)
    albert_tf.export_encoder(model, path, sp_model=SP_MODEL)
    return tf.saved_model.load(str(path))


@pytest.mark.parametrize("case", ["s1", "s8", "s20", "s128", "s512", "type2", "allmasked", "mask2"])
def test_answers_like_the_tf_hub_generations(default_model, case):
    hub = np.load(GOLDENS / "tf_hub" / "encoder_golden.npz")
    x = [tf.constant(hub[f"{case}/{name}"]) for name in NAMES]
    # On masks other than 0 and 1, and without any token, the generations differ: it is /1 then.
    tolerance = 2e-4 if case in ("allmasked", "mask2") else 1e-5
    pooled, sequence = default_model(x)
    np.testing.assert_allclose(pooled, hub[f"{case}/v1/pooled_output"], atol=tolerance)
    np.testing.assert_allclose(sequence, hub[f"{case}/v1/sequence_output"], atol=tolerance)
    if tolerance > 1e-5:
        return
    outputs = default_model(dict(zip(NAMES, x)))
    for name in ("pooled_output", "sequence_output", "encoder_outputs"):
        if f"{case}/v3/{name}" in hub:
            np.testing.assert_allclose(outputs[name], hub[f"{case}/v3/{name}"], atol=1e-5)
    positions = hub[f"{case}/masked_lm_positions"]
    logits = default_model.mlm({**dict(zip(NAMES, x)), "masked_lm_positions": positions})
    np.testing.assert_allclose(
        logits["mlm_logits"], hub[f"{case}/v3/mlm_logits"], atol=1e-5, rtol=1e-6
    )


def test_half_precision_inside_float32_outside(tmp_path, tiny_checkpoint, sp_model, recorded):
    import albert_tf

    encoder = albert_tf.AlbertEncoder.from_checkpoint(tiny_checkpoint, dtype="mixed_bfloat16")
    albert_tf.export_encoder(encoder, tmp_path / "encoder", sp_model=sp_model)
    loaded = tf.saved_model.load(str(tmp_path / "encoder"))
    pooled, sequence = loaded([recorded[key] for key in KEYS])
    assert pooled.dtype == sequence.dtype == tf.float32
    np.testing.assert_allclose(pooled, recorded["pooled_output"], atol=0.08)
    assert {v.dtype for v in loaded.variables} == {tf.float32}
