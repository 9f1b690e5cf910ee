"""An ONNX file gives the model's numbers for any batch and length."""

import os
import sys

import numpy as np
import pytest

import albert_tf
from albert_tf import onnx_file
from tests.commands.command import call
from tests.conftest import GOLDENS
from tests.foreign.inputs import BATCHES, batch
from tests.saved_model.task_exports import close, small_encoder

REASON = "albert_tf[onnx] is not installed"
# Model -> names of the outputs.
MODELS = {
    "encoder": (lambda e: e, ["pooled_output", "sequence_output"]),
    "classifier": (lambda e: albert_tf.AlbertClassifier(e, 3), ["logits"]),
    "token_classifier": (lambda e: albert_tf.AlbertTokenClassifier(e, 5), ["logits"]),
    "span_labeler": (albert_tf.AlbertSpanLabeler, ["end_logits", "start_logits"]),
    "span_labeler_2": (
        lambda e: albert_tf.AlbertSpanLabeler(e, version_2=True),
        [
            "cls_logits",
            "end_top_index",
            "end_top_log_probs",
            "start_top_index",
            "start_top_log_probs",
        ],
    ),
    "multiple_choice": (albert_tf.AlbertMultipleChoice, ["logits"]),
    "pretrainer": (
        albert_tf.AlbertPretrainer,
        ["mlm_logits", "pooled_output", "sequence_output", "sop_logits"],
    ),
}


@pytest.fixture
def onnxruntime():
    pytest.importorskip("tf2onnx", reason=REASON)
    return pytest.importorskip("onnxruntime", reason=REASON)


def inputs_of(model, rows, length):
    inputs = batch(rows, length)
    if model.input_rank == 3:
        return {name: np.stack([x, x[::-1]], 1) for name, x in inputs.items()}
    if "masked_lm_positions" in model.input_specs():
        inputs["masked_lm_positions"] = np.zeros([rows, 3], np.int32)
    return inputs


def expected_of(model, inputs):
    outputs = model(inputs)
    return outputs if isinstance(outputs, dict) else {"logits": outputs}


# === Every model ===


@pytest.mark.parametrize("kind", MODELS)
def test_models(onnxruntime, tmp_path, kind):
    make, names = MODELS[kind]
    model = make(small_encoder())
    checks = albert_tf.export_onnx(model, tmp_path / "x.onnx")
    assert len(checks) == 1 + 3 * len(names) and not any(c.difference for c in checks)
    session = onnxruntime.InferenceSession(tmp_path / "x.onnx")
    assert [x.name for x in session.get_inputs()] == list(model.input_specs())
    choices = ["choices"] * (kind == "multiple_choice")
    assert session.get_inputs()[0].shape == ["batch", *choices, "length"]
    assert sorted(x.name for x in session.get_outputs()) == names
    assert all(x.shape.count("batch") == 1 for x in session.get_outputs())
    for rows, length in BATCHES:
        inputs = inputs_of(model, rows, length)
        expected = expected_of(model, inputs)
        for name, array in zip(names, session.run(names, inputs)):
            assert array.shape == expected[name].shape
            close(array, expected[name])


def test_every_form_of_an_encoder_is_computed_in_float32(onnxruntime, tmp_path):
    """Half precision, recomputing, groups, another activation; padding is skipped or not."""
    config = {**small_encoder().get_config(), "activation": "gelu_erf"}
    config |= {"num_layers": 5, "num_hidden_groups": 2, "inner_group_num": 2}
    plain = albert_tf.AlbertEncoder(**config)
    special = albert_tf.AlbertEncoder(**{**config, "dtype": "mixed_bfloat16", "recompute": True})
    special.set_weights(plain.get_weights())
    albert_tf.export_onnx(special, tmp_path / "plain.onnx")
    albert_tf.export_onnx(special, tmp_path / "skip.onnx", skip_padding=True)
    sessions = [onnxruntime.InferenceSession(tmp_path / f"{x}.onnx") for x in ("plain", "skip")]
    for rows, length in BATCHES:
        inputs = batch(rows, length)
        pooled, sequence = (x.numpy() for x in plain(list(inputs.values())))
        tokens = inputs["input_mask"][..., np.newaxis]
        for session, kept in zip(sessions, (1, tokens)):
            received = session.run(["pooled_output", "sequence_output"], inputs)
            close(received[0], pooled)
            close(received[1], sequence * kept)
    assert special.compute_dtype == "bfloat16" and not special.skip_padding


def test_what_onnx_makes_of_wrong_inputs(onnxruntime, tmp_path):
    """As the docstring says."""
    encoder = small_encoder()
    albert_tf.export_onnx(encoder, tmp_path / "x.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "x.onnx")

    def pooled(ids, mask):
        inputs = dict(zip(("input_word_ids", "input_mask", "input_type_ids"), (ids, mask, 0 * ids)))
        return session.run(["pooled_output"], inputs)[0]

    ids = np.array([[9, 9, 9], [9, 1000, 9]], np.int32)
    with pytest.raises(Exception, match="Concat"):
        pooled(ids, np.ones([1, 3], np.int32))
    with pytest.raises(Exception, match="idx=1000 must be within"):
        pooled(ids, np.ones_like(ids))
    ids[1, 1] = -1
    assert np.isnan(pooled(ids, np.ones_like(ids))).any(1).tolist() == [False, True]
    length = encoder.albert_config.max_position_embeddings + 1
    ids = np.full([2, length], 9, np.int32)
    mask = np.ones_like(ids)
    mask[0, -1] = 0  # Only padding lies beyond.
    assert np.isnan(pooled(ids, mask)).any(1).tolist() == [False, True]


# === Arguments and failures ===


def test_what_is_refused_before_any_work(tmp_path, monkeypatch):
    encoder = small_encoder()
    with pytest.raises(TypeError, match="must be an AlbertEncoder, or a model on .* Received: str"):
        albert_tf.export_onnx("albert_base", tmp_path / "x.onnx")
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(
        ImportError, match=r"need tf2onnx .* Received: .* `pip install \"albert_tf\[onnx"
    ):
        albert_tf.export_onnx(encoder, tmp_path / "x.onnx")
    (tmp_path / "x.onnx").write_bytes(b"\x08\x08\x12\x07pytorch...")
    with pytest.raises(FileExistsError, match="must not exist yet. Received: .*--overwrite"):
        albert_tf.export_onnx(encoder, tmp_path / "x.onnx")
    with pytest.raises(FileExistsError, match="an earlier output .a file of `export_onnx`"):
        albert_tf.export_onnx(encoder, tmp_path / "x.onnx", overwrite=True)
    assert os.listdir(tmp_path) == ["x.onnx"]


def test_overwriting(onnxruntime, tmp_path):
    for overwrite in (False, True):
        albert_tf.export_onnx(small_encoder(), tmp_path / "x.onnx", overwrite=overwrite)
    assert os.listdir(tmp_path) == ["x.onnx"]


def test_weights_that_are_not_finite(onnxruntime, tmp_path):
    encoder = small_encoder()
    encoder.pooler_transform.bias.assign(np.full(16, np.nan, "float32"))
    with pytest.raises(ValueError, match="outputs must be finite. Received: pooled_output with"):
        albert_tf.export_onnx(encoder, tmp_path / "x.onnx")


@pytest.mark.parametrize("value", [1.5, float("nan")])
def test_a_file_with_other_numbers_does_not_appear(onnxruntime, tmp_path, monkeypatch, value):
    convert = onnx_file._convert

    def from_other_weights(model, *args):
        model.pooler_transform.bias.assign_add(np.full(16, value, "float32"))
        return convert(model, *args)

    monkeypatch.setattr(onnx_file, "_convert", from_other_weights)
    expected = r"An ONNX file must give the model's numbers. Received: .*1x1 tokens: pooled_output "
    expected += r"differs by \S+, allowed are 1e-04: too much"
    with pytest.raises(ValueError, match=expected):
        albert_tf.export_onnx(small_encoder(), tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_read_does_not_appear(onnxruntime, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "_convert", lambda *_: b"\x08\x08")
    with pytest.raises(ValueError, match="Received: ONNX Runtime reads the file: .*"):
        albert_tf.export_onnx(small_encoder(), tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


# === The command ===


def test_command(onnxruntime, tmp_path, capsys):
    """A fine-tuned checkpoint goes with its head, unless told otherwise."""
    checkpoint = GOLDENS / "hugging_face" / "sequence_classification"
    arguments = [f"--checkpoint={checkpoint}", f"--output={tmp_path / 'x.onnx'}"]
    call("export_onnx", *arguments)
    printed = capsys.readouterr().out
    assert "7x13 tokens: logits differs by" in printed and "Wrote " in printed
    inputs = {name: x % 20 for name, x in batch(4, 9).items()}
    received = onnxruntime.InferenceSession(tmp_path / "x.onnx").run(["logits"], inputs)[0]
    close(received, albert_tf.AlbertClassifier.from_checkpoint(checkpoint)(inputs))
    call("export_onnx", *arguments, "--task=encoder", "--skip_padding", "--overwrite")
    assert "sequence_output differs by" in capsys.readouterr().out
    with pytest.raises(FileExistsError, match="must not exist yet"):
        call("export_onnx", *arguments)
