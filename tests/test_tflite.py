"""A TensorFlow Lite file gives the model's numbers, by itself, for one shape."""

import os
import sys

import numpy as np
import pytest
from tensorflow.lite.python import schema_py_generated as schema

import albert_tf
from albert_tf import tflite
from albert_tf.checkpoints.task_head import restore_task_head
from albert_tf.inputs import INPUT_NAMES
from tests import programs
from tests.commands.command import run
from tests.conftest import GOLDENS
from tests.saved_model.task_exports import small_encoder

LENGTH = 12
IDS = np.random.default_rng(5).integers(5, 1000, [4, LENGTH]).astype("int32")
MASK = (np.arange(LENGTH) < np.array([[5], [12], [9], [1]])).astype("int32")
TYPES = MASK * (np.arange(LENGTH) > 3).astype("int32")
INPUTS = dict(zip(INPUT_NAMES, (IDS, MASK, TYPES)))


@pytest.fixture(scope="module")
def encoder(tiny_checkpoint):
    return albert_tf.AlbertEncoder.from_checkpoint(tiny_checkpoint)


@pytest.fixture(scope="module")
def files(encoder, tmp_path_factory):
    """{weights: file of `encoder`, one row at a time}."""
    directory = tmp_path_factory.mktemp("tflite")
    paths = {weights: directory / f"{weights}.tflite" for weights in ("float32", "int8")}
    for weights, path in paths.items():
        albert_tf.export_tflite(encoder, path, seq_length=LENGTH, weights=weights)
    return paths


def answers(path, batch_size=1):
    """What a file answers to `INPUTS`, batch by batch."""
    compute = tflite.open_signature(path)
    batches = [
        compute(**{name: x[row : row + batch_size] for name, x in INPUTS.items()})
        for row in range(0, len(IDS), batch_size)
    ]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def error(received, expected):
    """Of tokens only, relative."""
    expected = np.asarray(expected)
    if expected.shape[:2] == MASK.shape:
        received, expected = received[MASK > 0], expected[MASK > 0]
    return np.sqrt(np.mean((received - expected) ** 2) / np.mean(expected**2))


# === Encoder ===


def test_inputs_of_one_shape(files):
    """TensorFlow's interpreter takes any shape and adapts the graph."""
    for name in INPUT_NAMES:
        x = {**{name: array[:1] for name, array in INPUTS.items()}, name: INPUTS[name][:1, :1]}
        with pytest.raises((RuntimeError, ValueError), match="HaveSameShapes"):
            tflite.open_signature(files["float32"])(**x)


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_encoder(encoder, files, weights):
    received, expected = answers(files[weights]), encoder(INPUTS)
    assert set(received) == {"pooled_output", "sequence_output"}
    for name, array in received.items():
        assert array.dtype == np.float32 and array.shape == expected[name].shape
        if weights == "float32":
            tokens = MASK[..., np.newaxis] if array.ndim == 3 else 1
            np.testing.assert_allclose(array * tokens, expected[name] * tokens, atol=1e-5)
        else:  # Not the same numbers, or nothing was quantized.
            assert 1e-3 < error(array, expected[name]) < tflite.TOLERANCES["int8"]


def test_int8_is_a_quarter_of_the_size(tmp_path):
    encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    sizes = {}
    for weights in ("float32", "int8"):
        checks = albert_tf.export_tflite(encoder, tmp_path / weights, 16, weights=weights)
        assert len(checks) == 3 and all(check.difference is None for check in checks)
        sizes[weights] = (tmp_path / weights).stat().st_size
    # The weights of a block once, not for each of its four layers.
    assert sizes["float32"] < 1.2 * 4 * sum(np.prod(w.shape) for w in encoder.weights)
    assert sizes["int8"] < 0.28 * sizes["float32"]


def test_builtin_operators_only(files):
    for path in files.values():
        model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
        codes = {max(c.builtinCode, c.deprecatedBuiltinCode) for c in model.operatorCodes}
        assert schema.BuiltinOperator.FULLY_CONNECTED in codes
        assert schema.BuiltinOperator.CUSTOM not in codes
        assert not any(c.customCode for c in model.operatorCodes)


def operators(path):
    """The names of all operators of a file, those in its loops included."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    names = {number: name for name, number in vars(schema.BuiltinOperator).items()}
    codes = [max(c.builtinCode, c.deprecatedBuiltinCode) for c in model.operatorCodes]
    return [names[codes[o.opcodeIndex]] for graph in model.subgraphs for o in graph.operators]


def test_layers_are_a_loop_or_not(encoder, files, tmp_path):
    """An interpreter prepares the weights of each operator, so that it holds them once or often."""
    albert_tf.export_tflite(encoder, tmp_path / "x.tflite", LENGTH, unroll=True)
    loop, unrolled = map(operators, (files["float32"], tmp_path / "x.tflite"))
    assert loop.count("WHILE") == 1 and "WHILE" not in unrolled
    assert loop.count("SOFTMAX") == 1
    assert unrolled.count("SOFTMAX") == encoder.albert_config.num_hidden_layers > 1
    a, b = answers(files["float32"]), answers(tmp_path / "x.tflite")
    for name, array in a.items():
        np.testing.assert_allclose(array, b[name], atol=1e-5)


def test_batches(encoder, tmp_path):
    checks = albert_tf.export_tflite(encoder, tmp_path / "two.tflite", LENGTH, batch_size=2)
    assert "names and shapes" in checks[0].promise
    received = answers(tmp_path / "two.tflite", batch_size=2)
    assert error(received["sequence_output"], encoder(INPUTS)["sequence_output"]) < 1e-5


def test_every_form_of_an_encoder_gives_the_plain_computation(encoder, tmp_path):
    """Half precision, skipping padding, recomputing, groups, another activation."""
    config = {**encoder.get_config(), "activation": "gelu_erf"}
    config |= {"num_layers": 5, "num_hidden_groups": 2, "inner_group_num": 2}
    plain = albert_tf.AlbertEncoder(**config)
    special = albert_tf.AlbertEncoder(
        **{**config, "dtype": "mixed_bfloat16", "skip_padding": True, "recompute": True}
    )
    special.set_weights(plain.get_weights())
    albert_tf.export_tflite(special, tmp_path / "x.tflite", LENGTH)
    assert operators(tmp_path / "x.tflite").count("WHILE") == 2
    received, expected = answers(tmp_path / "x.tflite"), plain(INPUTS)
    for name, array in received.items():
        assert error(array, expected[name]) < 1e-5
    assert special.skip_padding and special.compute_dtype == "bfloat16"


LOAD = """
import sys
import numpy as np
import tensorflow as tf
inputs = dict(np.load(sys.argv[2]))
outputs = tf.lite.Interpreter(model_path=sys.argv[1]).get_signature_runner()(**inputs)
np.savez(sys.argv[3], **outputs)
"""


def test_another_process(encoder, files, tmp_path):
    """One that does not know of albert_tf."""
    np.savez(tmp_path / "in.npz", **{name: x[:1] for name, x in INPUTS.items()})
    arguments = [files["float32"], tmp_path / "in.npz", tmp_path / "out.npz"]
    programs.run([sys.executable, "-c", LOAD, *arguments], check=True, cwd=tmp_path)
    received = np.load(tmp_path / "out.npz")["pooled_output"]
    np.testing.assert_allclose(received, encoder(INPUTS)["pooled_output"][:1], atol=1e-5)


# === Models of tasks ===


@pytest.mark.parametrize(
    "make",
    [
        lambda e: albert_tf.AlbertClassifier(e, num_classes=3),
        lambda e: albert_tf.AlbertClassifier(e, num_classes=1),
        lambda e: albert_tf.AlbertTokenClassifier(e, num_classes=5),
        albert_tf.AlbertSpanLabeler,
    ],
    ids=["classifier", "regression", "token_classifier", "span_labeler"],
)
@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_task_models(tmp_path, make, weights):
    model = make(small_encoder())
    albert_tf.export_tflite(model, tmp_path / "x.tflite", LENGTH, weights=weights)
    received, expected = answers(tmp_path / "x.tflite"), model(INPUTS)
    expected = expected if isinstance(expected, dict) else {"logits": expected}
    assert set(received) == set(expected)
    for name, array in received.items():
        assert array.shape == expected[name].shape
        assert error(array, expected[name]) < {"float32": 1e-5, "int8": 0.1}[weights]


def test_multiple_choice_as_the_docstring_says(tmp_path):
    model = albert_tf.AlbertMultipleChoice(small_encoder())
    classifier = albert_tf.AlbertClassifier(model.encoder, num_classes=1)
    classifier.head.set_weights(model.head.get_weights())
    albert_tf.export_tflite(classifier, tmp_path / "x.tflite", LENGTH, batch_size=4)
    received = answers(tmp_path / "x.tflite", batch_size=4)["logits"][:, 0]
    expected = model({name: x[np.newaxis] for name, x in INPUTS.items()})[0]
    np.testing.assert_allclose(received, expected, atol=1e-5)


def test_models_that_are_refused(tmp_path):
    encoder = small_encoder()
    for model, said in [
        (albert_tf.AlbertPretrainer(encoder), "AlbertPretrainer"),
        (albert_tf.AlbertMultipleChoice(encoder), "AlbertMultipleChoice"),
        (albert_tf.AlbertSpanLabeler(encoder, version_2=True), "Labeler with version_2"),
        ("albert_base", "str"),
    ]:
        with pytest.raises(TypeError, match=f"must be an AlbertEncoder, .* Received: .*{said}"):
            albert_tf.export_tflite(model, tmp_path / "x.tflite")
    assert not list(tmp_path.iterdir())


# === Arguments and failures ===


def test_bad_arguments(encoder, tmp_path):
    for wrong, message in [
        ({"seq_length": 65}, "must not exceed the encoder's 64 positions. Received: 65"),
        ({"seq_length": 0}, "`seq_length` must be a positive integer. Received: 0"),
        ({"batch_size": 1.5}, "`batch_size` must be a positive integer. Received: 1.5"),
        (
            {"seq_length": 9, "weights": "int4"},
            "`weights` must be one of float32, int8. Received: 'int4'",
        ),
    ]:
        with pytest.raises(ValueError, match=message):
            albert_tf.export_tflite(encoder, tmp_path / "x.tflite", **wrong)
    assert not list(tmp_path.iterdir())


def test_existing_file(encoder, files, tmp_path):
    path = tmp_path / "x.tflite"
    path.write_bytes(files["int8"].read_bytes())
    with pytest.raises(FileExistsError, match="must not exist yet. Received: .*--overwrite"):
        albert_tf.export_tflite(encoder, path, LENGTH)
    albert_tf.export_tflite(encoder, path, LENGTH, overwrite=True)
    assert path.stat().st_size > 2 * files["int8"].stat().st_size
    path.write_text("notes of a year")
    with pytest.raises(FileExistsError, match=r"Only an earlier output \(a TensorFlow Lite file\)"):
        albert_tf.export_tflite(encoder, path, LENGTH, overwrite=True)
    assert os.listdir(tmp_path) == ["x.tflite"] and path.read_text() == "notes of a year"


def test_weights_that_are_not_finite(tmp_path):
    encoder = small_encoder()
    encoder.pooler_transform.bias.assign(np.full(16, np.nan, "float32"))
    with pytest.raises(ValueError, match="outputs must be finite. Received: pooled_output with"):
        albert_tf.export_tflite(encoder, tmp_path / "x.tflite", LENGTH)


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_a_file_with_other_numbers_does_not_appear(encoder, files, tmp_path, monkeypatch, weights):
    """As the file without weights that the converter makes of a function, or too coarse ones."""
    old = files["int8"].read_bytes()
    path = tmp_path / "x.tflite"
    path.write_bytes(old)
    convert = tflite._convert

    def from_other_weights(model, *args):
        gamma = model.transformer.output_layer_norm.gamma
        gamma.assign(1.5 * gamma)
        return convert(model, *args)

    monkeypatch.setattr(tflite, "_convert", from_other_weights)
    expected = r"must give the model's numbers. Received: .*sequence_output differs by [1-9]\S*, "
    expected += {"float32": "allowed are 1e-04: too much.$", "int8": '.* weights="float32" keeps'}[
        weights
    ]
    with pytest.raises(ValueError, match=expected):
        albert_tf.export_tflite(encoder, path, LENGTH, weights=weights, overwrite=True)
    assert os.listdir(tmp_path) == ["x.tflite"] and path.read_bytes() == old


def test_a_file_that_gives_nan_does_not_appear(encoder, tmp_path, monkeypatch):
    convert = tflite._convert

    def from_nan(model, *args):
        model.pooler_transform.bias.assign(np.full(64, np.nan, "float32"))
        return convert(model, *args)

    monkeypatch.setattr(tflite, "_convert", from_nan)
    with pytest.raises(ValueError, match="pooled_output differs by nan, .* too much"):
        albert_tf.export_tflite(encoder, tmp_path / "x.tflite", LENGTH)
    assert not list(tmp_path.iterdir())


def test_int8_is_not_as_close_as_float32(encoder, tmp_path, monkeypatch):
    """The tolerance decides."""
    monkeypatch.setitem(tflite.TOLERANCES, "int8", 1e-4)
    with pytest.raises(ValueError, match="differs by .*e-02, allowed are 1e-04: too much"):
        albert_tf.export_tflite(encoder, tmp_path / "x.tflite", LENGTH, weights="int8")


# === The command ===


def test_command(encoder, tiny_checkpoint, tmp_path):
    path = tmp_path / "x.tflite"
    arguments = [f"--checkpoint={tiny_checkpoint}", f"--output={path}", f"--seq_length={LENGTH}"]
    process = run("export.tflite", *arguments, "--batch_size=2", "--unroll")
    assert process.returncode == 0, process.stderr
    assert "WHILE" not in operators(path)
    assert "sequence_output differs by" in process.stdout and f"Wrote {path}" in process.stdout
    received = answers(path, batch_size=2)["sequence_output"]
    assert error(received, encoder(INPUTS)["sequence_output"]) < 1e-5


def test_command_on_a_fine_tuned_model(tmp_path):
    checkpoint = GOLDENS / "hugging_face" / "sequence_classification"
    model = albert_tf.AlbertClassifier(albert_tf.AlbertEncoder.from_checkpoint(checkpoint), 3)
    restore_task_head(model, checkpoint)
    code = "from albert_tf.commands.main import main; main()"
    arguments = ["--task=classifier", "--weights=int8", f"--checkpoint={checkpoint}"]
    arguments += [f"--output={tmp_path / 'x.tflite'}", f"--seq_length={LENGTH}"]
    process = run(None, "-c", code, "export-tflite", *arguments, "--num_classes=2")
    assert process.returncode == 1
    assert "where AlbertClassifier needs [2, 12]" in process.stderr, process.stderr
    process = run(None, "-c", code, "export-tflite", *arguments)
    assert process.returncode == 0, process.stderr
    again = run(None, "-c", code, "export-tflite", *arguments)
    assert again.returncode == 1 and "Traceback" not in again.stderr
    assert "error: The output must not exist yet. Received: " in again.stderr
    inputs = {name: x % 20 for name, x in INPUTS.items()}
    compute = tflite.open_signature(tmp_path / "x.tflite")
    received = compute(**{name: x[:1] for name, x in inputs.items()})["logits"]
    assert np.abs(received - model(inputs)[:1]).max() < 0.05
