"""How exports compute: without padding, in half precision, one graph for all layers."""

import contextlib
import json
import os

import numpy as np
import pytest
import tensorflow as tf

import albert_tf
from albert_tf._keras import KERAS_3, keras
from albert_tf.keras_layer.loaded_function import LoadedFunction
from albert_tf.layers.transformer import Transformer
from albert_tf.saved_model.classifier import export_classifier
from albert_tf.saved_model.computation import exported_computation, skips_padding
from albert_tf.saved_model.span_labeler import export_span_labeler
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.tasks.span_labeler import AlbertSpanLabeler
from tests.commands.command import run
from tests.conftest import without_checks
from tests.saved_model.task_exports import TEXTS, close, load, small_encoder

NAMES = ("input_word_ids", "input_mask", "input_type_ids")
IDS = np.random.default_rng(0).integers(5, 1000, [4, 20]).astype("int32")
MASK = (np.arange(20) < np.array([[5], [20], [9], [1]])).astype("int32")
INPUTS = dict(zip(NAMES, (IDS, MASK, np.zeros_like(IDS))))


@pytest.fixture(scope="module")
def exports(tmp_path_factory, tiny_checkpoint, sp_model):
    """{name: directory}: with padding, without, and without in bfloat16, of one live model."""
    directory = tmp_path_factory.mktemp("exports")
    model = albert_tf.AlbertPretrainer.from_checkpoint(tiny_checkpoint)
    paths = {}
    for name, how in {
        "dense": {},
        "packed": {"skip_padding": True},
        "half": {"skip_padding": True, "compute_dtype": "bfloat16"},
    }.items():
        paths[name] = str(directory / name)
        # What the contract asks of a graph that skips padding, and of no other, is checked here.
        with contextlib.nullcontext() if name == "packed" else without_checks():
            albert_tf.export_encoder(model, paths[name], sp_model=sp_model, **how)
        assert not model.encoder.skip_padding and model.encoder.block_dtype == "float32"
    return paths


@pytest.fixture(scope="module")
def loaded(exports):
    return {name: tf.saved_model.load(path) for name, path in exports.items()}


def test_says_how_it_computes(loaded):
    said = {name: json.loads(x.computation().numpy()) for name, x in loaded.items()}
    assert said == {
        "dense": {"compute_dtype": "float32", "skip_padding": False},
        "packed": {"compute_dtype": "float32", "skip_padding": True},
        "half": {"compute_dtype": "bfloat16", "skip_padding": True},
    }
    assert skips_padding(loaded["packed"].mlm) and not skips_padding(loaded["dense"].mlm)
    assert not skips_padding(lambda x: x)


@pytest.mark.parametrize("training", [False, True])
def test_same_answers_without_padding(loaded, training):
    expected, received = (loaded[n](INPUTS, training=training) for n in ("dense", "packed"))
    np.testing.assert_allclose(received["default"], expected["default"], atol=1e-5)
    for a, b in zip(received["encoder_outputs"], expected["encoder_outputs"]):
        np.testing.assert_allclose(a, b * MASK[..., np.newaxis], atol=1e-5)
    signed = loaded["packed"].signatures["serving_default"](
        **{name: tf.constant(x) for name, x in INPUTS.items()}
    )
    np.testing.assert_allclose(signed["sequence_output"], received["sequence_output"], atol=1e-6)
    x = {**INPUTS, "masked_lm_positions": np.zeros([4, 1], "int32")}
    expected, received = (loaded[n].mlm(x)["mlm_logits"] for n in ("dense", "packed"))
    np.testing.assert_allclose(received, expected, atol=1e-4)


def test_same_gradients_without_padding(loaded):
    gradients = []
    for name in ("dense", "packed"):
        variables = list(loaded[name].trainable_variables)
        with tf.GradientTape() as tape:
            pooled, sequence = loaded[name](list(INPUTS.values()), training=True)
            loss = tf.reduce_sum(pooled**2) + tf.reduce_sum(sequence**2 * MASK[..., None])
        gradients.append(tape.gradient(loss, variables))
    assert len(gradients[0]) == 25
    for a, b in zip(*gradients):
        np.testing.assert_allclose(
            tf.convert_to_tensor(b), tf.convert_to_tensor(a), rtol=1e-3, atol=1e-3
        )


def test_trains_as_a_keras_layer(exports):
    if KERAS_3:
        make = albert_tf.KerasLayer
    else:
        make = pytest.importorskip("tensorflow_hub").KerasLayer
    weights = {}
    for name in ("dense", "packed"):
        keras.utils.set_random_seed(1)
        layer = make(exports[name], trainable=True)
        tensors = {n: keras.layers.Input((20,), dtype=tf.int32, name=n) for n in NAMES}
        model = keras.Model(tensors, keras.layers.Dense(2)(layer(tensors)["pooled_output"]))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.1), loss)
        model.fit(INPUTS, np.arange(4) % 2, epochs=2, verbose=0)
        weights[name] = [np.array(tf.convert_to_tensor(w)) for w in layer.trainable_weights]
    assert len(weights["dense"]) == 25
    for a, b in zip(*weights.values()):
        np.testing.assert_allclose(b, a, atol=1e-4)


def test_xla_says_why_not(loaded):
    compiled = tf.function(lambda x: loaded["packed"](x), jit_compile=True, autograph=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match="skip_padding_does_not_run_under_XLA"):
        compiled({name: tf.constant(x) for name, x in INPUTS.items()})
    assert LoadedFunction(loaded["dense"]).supports_jit
    assert not LoadedFunction(loaded["packed"]).supports_jit


# Largest difference from float32 on `tiny`, whose outputs are of the order of 1.
def test_half_precision_inside_float32_outside(loaded):
    expected, received = loaded["dense"](INPUTS), loaded["half"](INPUTS)
    assert {x.dtype for x in tf.nest.flatten(received)} == {tf.float32}
    assert {v.dtype for v in loaded["half"].variables} == {tf.float32}
    difference = np.abs(received["sequence_output"] - expected["sequence_output"])
    assert 1e-4 < (difference * MASK[..., np.newaxis]).max() < 0.08


def test_bad_arguments(tiny_checkpoint, sp_model, tmp_path):
    encoder = albert_tf.AlbertEncoder.from_checkpoint(tiny_checkpoint, attention_mask_value=-5.0)
    with pytest.raises(ValueError, match="one of float32, bfloat16, float16, .* 'int8'"):
        albert_tf.export_encoder(encoder, tmp_path / "x", sp_model, compute_dtype="int8")
    with pytest.raises(ValueError, match="at most -1000, .* Received: -5.0"):
        albert_tf.export_encoder(encoder, tmp_path / "x", sp_model, skip_padding=True)
    assert not list(tmp_path.iterdir())


def test_the_graph_does_not_grow_with_the_layers(sp_model, tmp_path, monkeypatch, unchecked):
    call, calls = Transformer.call, []
    monkeypatch.setattr(
        Transformer, "call", lambda self, *a, **k: calls.append(1) or call(self, *a, **k)
    )
    counts = []
    for layers in (2, 12):
        calls.clear()
        encoder = albert_tf.AlbertEncoder(1000, 8, 16, layers, 2, intermediate_size=24)
        path = tmp_path / str(layers)
        albert_tf.export_encoder(encoder, path, sp_model=sp_model, skip_padding=True)
        counts.append(len(calls))
    assert counts[0] == counts[1] > 0
    assert os.path.getsize(path / "saved_model.pb") < 1_000_000


def test_layers_drop_different_elements_after_a_seed(monkeypatch):
    """One graph for all layers must not mean one dropout for all."""
    next_seed, seeds = Transformer.next_seed, []
    monkeypatch.setattr(
        Transformer, "next_seed", lambda *a: seeds.append(next_seed(*a)) or seeds[-1]
    )
    tf.random.set_seed(1)
    encoder = albert_tf.AlbertEncoder(50, 8, 16, 3, 2, intermediate_size=24, dropout_rate=0.5)

    @tf.function
    def draw(ids):
        encoder.encode(ids, tf.ones_like(ids), tf.zeros_like(ids), training=True)
        return tf.stack(seeds)

    with exported_computation(encoder, skip_padding=False):
        assert len({tuple(seed) for seed in draw(tf.ones([1, 4], tf.int32)).numpy()}) == 3


# === Models that take text ===


@pytest.mark.parametrize("skip_padding", [True, False])
def test_task_exports_skip_padding_by_default(sp_model, tmp_path, skip_padding, unchecked):
    classifier = AlbertClassifier(small_encoder())
    how = {} if skip_padding else {"skip_padding": False}
    export_classifier(classifier, tmp_path / "model", sp_model, seq_length=32, **how)
    loaded, serve = load(tmp_path / "model")
    assert skips_padding(loaded) is skip_padding
    assert not classifier.encoder.skip_padding
    x = {name: tf.constant(value) for name, value in INPUTS.items()}
    close(loaded.signatures["ids"](**x)["probabilities"], tf.nn.softmax(classifier(x)))
    assert serve(text=tf.constant(TEXTS))["probabilities"].shape == (4, 2)


@pytest.mark.parametrize("version_2", [False, True])
def test_same_answers_of_a_span_labeler(sp_model, tmp_path, version_2, unchecked):
    labeler = AlbertSpanLabeler(small_encoder(), version_2=version_2)
    answers = []
    for skip in (True, False):
        path = tmp_path / str(skip)
        export_span_labeler(
            labeler, path, sp_model, seq_length=24, max_query_length=8, skip_padding=skip
        )
        _, serve = load(path)
        question = tf.constant(["Where?"] * len(TEXTS))
        answers.append(serve(question=question, context=tf.constant(TEXTS)))
    for name, expected in answers[1].items():
        if expected.dtype.is_floating:
            close(answers[0][name], expected)
        else:
            np.testing.assert_array_equal(answers[0][name], expected)


# === The command ===


@pytest.mark.skipif(not KERAS_3, reason="the command itself does not depend on Keras")
def test_command(tiny_checkpoint, sp_model, tmp_path):
    process = run(
        "export.encoder",
        f"--checkpoint={tiny_checkpoint}",
        f"--sp_model={sp_model}",
        f"--output={tmp_path / 'encoder'}",
        "--skip_padding",
        "--compute_dtype=float16",
    )
    assert process.returncode == 0, process.stderr
    loaded = tf.saved_model.load(str(tmp_path / "encoder"))
    expected = {"compute_dtype": "float16", "skip_padding": True}
    assert json.loads(loaded.computation().numpy()) == expected
