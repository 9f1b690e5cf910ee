"""tf2onnx by itself converts our SavedModels, and ONNX Runtime and OpenVINO compute the same."""

import sys

import numpy as np
import pytest
import tensorflow as tf

import albert_tf
from tests.conftest import without_checks
from tests.foreign.inputs import BATCHES, batch

tf2onnx = pytest.importorskip("tf2onnx", reason="tf2onnx is not installed")

# Kind -> signature. `fill-mask` looks for masks, of which there may be none, as do ids at random.
KINDS = {
    "plain": "serving_default",
    "skip_padding": "serving_default",
    "classifier": "ids",
    "token-classifier": "ids",
    "span-labeler": "ids",
    "embedding": "ids",
}


@pytest.fixture(scope="module")
def models(made_once, exported_encoder, model_of, sp_model, tiny_checkpoint):
    """Function from a kind to its SavedModel's path."""

    def skipping(path):
        with without_checks():
            encoder = albert_tf.AlbertEncoder.from_checkpoint(tiny_checkpoint)
            albert_tf.export_encoder(encoder, path, sp_model=sp_model, skip_padding=True)

    def path_of(kind):
        if kind == "plain":
            return exported_encoder
        return made_once("skip_padding", skipping) if kind == "skip_padding" else model_of(kind)

    return path_of


@pytest.fixture(scope="module")
def converted(models, tmp_path_factory):
    """Function from a kind to (its signature, path of the ONNX file)."""
    found = {}

    def convert(kind):
        import tensorflow_text  # noqa: F401

        if kind not in found:
            path = tmp_path_factory.mktemp("onnx") / "x.onnx"
            arguments = ["--saved-model", models(kind), "--tag=serve", "--opset=17"]
            arguments += ["--signature_def", KINDS[kind], "--output", str(path)]
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sys, "argv", ["tf2onnx", *arguments])
                tf2onnx.convert.main()
            found[kind] = tf.saved_model.load(models(kind)).signatures[KINDS[kind]], path
        return found[kind]

    return convert


def compare(signature, run, names):
    """Whether `run(inputs)` gives a signature's numbers for all of `names`."""
    for rows, length in BATCHES:
        inputs = batch(rows, length)
        expected = signature(**{name: tf.constant(x) for name, x in inputs.items()})
        received = run(inputs)
        for name in names:
            np.testing.assert_allclose(received[name], expected[name], rtol=1e-4, atol=2e-5)


def numbers(signature):
    """Labels of classes are strings, which OpenVINO lacks."""
    return [k for k, x in signature.structured_outputs.items() if x.dtype != tf.string]


@pytest.mark.parametrize("kind", KINDS)
def test_onnx_runtime(converted, kind):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    signature, path = converted(kind)
    session = onnxruntime.InferenceSession(path)
    names = numbers(signature)
    compare(signature, lambda inputs: dict(zip(names, session.run(names, inputs))), names)


@pytest.mark.parametrize("kind", KINDS)
def test_openvino(converted, kind):
    openvino = pytest.importorskip("openvino", reason="openvino is not installed")
    signature, path = converted(kind)
    # Its default on processors that have it is bfloat16, with which numbers are others.
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compare(signature, openvino.compile_model(path, "CPU", exact), numbers(signature))
