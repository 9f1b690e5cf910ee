import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.checkpoints.read import read
from albert_tf.checkpoints.vocabulary_file import find_vocabulary
from albert_tf.conversion import convert
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.text.given_vocabulary import found_vocabulary
from tests.commands.command import call, run
from tests.conftest import FIXTURES, GOLDENS

TINY = GOLDENS / "tiny"
CONVERT = "export.convert"


@pytest.mark.slow
def test_around_the_world(tmp_path):
    """TF1 -> Hugging Face -> Keras -> TF1: the same bits at the end."""
    source, sp_model = TINY, f"--sp_model={FIXTURES / 'tiny.model'}"
    for to in ("huggingface", "keras", "tf1"):
        process = run(
            CONVERT, f"--checkpoint={source}", f"--to={to}", f"--output={tmp_path / to}", sp_model
        )
        assert process.returncode == 0, process.stderr
        assert "read back: 32 variables, equal bit for bit" in process.stdout
        source, sp_model = tmp_path / to, "--nooverwrite"  # The vocabulary goes along from here.
    assert (tmp_path / "tf1" / "spiece.model").is_file()
    first, last = read(TINY), read(tmp_path / "tf1")
    assert last.config == first.config
    for name in first.tensors:
        if name != "global_step":
            np.testing.assert_array_equal(last.get(name), first.get(name))


@pytest.mark.slow
def test_saved_model_verified(tmp_path):
    arguments = [
        f"--checkpoint={TINY}",
        "--to=savedmodel",
        f"--output={tmp_path / 'out'}",
        f"--sp_model={FIXTURES / 'tiny.model'}",
        f"--verify_against={TINY / 'golden.npz'}",
    ]
    process = run(CONVERT, *arguments)
    assert process.returncode == 0, process.stderr
    assert process.stdout.count("verified: ") == 4
    assert "25 variables: names, order, shapes" in process.stdout
    again = run(CONVERT, *arguments)
    assert again.returncode == 1
    assert "error: The output must not exist yet. Received: " in again.stderr
    assert run(CONVERT, *arguments, "--overwrite").returncode == 0
    # Its own program confirms it when it is converted on.
    process = run(
        CONVERT,
        f"--checkpoint={tmp_path / 'out'}",
        "--to=tf1",
        f"--output={tmp_path / 'back'}",
        "--verify",
    )
    assert process.returncode == 0, process.stderr
    assert "verified: sop_logits" in process.stdout


def test_verification_fails(tmp_path):
    golden = dict(np.load(TINY / "golden.npz"))
    golden["sequence_output"] = golden["sequence_output"] + 1
    np.savez(tmp_path / "wrong.npz", **golden)
    process = run(
        CONVERT,
        f"--checkpoint={TINY}",
        "--to=tf1",
        f"--output={tmp_path / 'out'}",
        f"--verify_against={tmp_path / 'wrong.npz'}",
    )
    assert process.returncode == 1
    assert "error: The outputs must be those of the checkpoint" in process.stderr
    assert "Received: sequence_output differs by 1.0e+00; " in process.stderr
    assert not (tmp_path / "out").exists()


def test_errors_leave_nothing(tmp_path, vocab_file):
    arguments = [f"--checkpoint={TINY}", f"--vocab_file={vocab_file}"]
    process = run(CONVERT, *arguments, "--to=savedmodel", f"--output={tmp_path / 'out'}")
    assert process.returncode == 1
    assert "error: The WordPiece vocabulary must have as many pieces" in process.stderr
    assert "Traceback" not in process.stderr
    assert not any(tmp_path.iterdir())


def test_a_wordpiece_vocabulary_goes_along(tmp_path, wordpiece_checkpoint):
    output = tmp_path / "out"
    arguments = [f"--checkpoint={wordpiece_checkpoint}", f"--output={output}"]
    process = run(CONVERT, *arguments, "--to=tf1", "--nodo_lower_case")
    assert process.returncode == 0, process.stderr
    expected = (wordpiece_checkpoint / "vocab.txt").read_bytes()
    assert (output / "vocab.txt").read_bytes() == expected
    # What reads the output, cuts text in the same way.
    assert found_vocabulary(find_vocabulary(output)).do_lower_case is False


def test_notes_and_the_installed_command(tmp_path):
    code = "from albert_tf.commands.main import main; main()"
    process = run(
        None,
        "-c",
        code,
        "convert",
        f"--checkpoint={GOLDENS / 'keras_hub' / 'preset'}",
        "--to=tf1",
        f"--output={tmp_path / 'out'}",
    )
    assert process.returncode == 0, process.stderr
    assert "note: The original masks with -10000, not -1e+09" in process.stdout
    assert AlbertPretrainer.from_checkpoint(tmp_path / "out").masked_lm is None


# === What must not be lost ===


def test_a_head_is_written_or_refused_never_dropped(tmp_path):
    source = GOLDENS / "hugging_face" / "sequence_classification"
    arguments = [f"--checkpoint={source}", f"--output={tmp_path / 'out'}"]
    process = run(CONVERT, *arguments, "--to=tf1")
    assert process.returncode == 1 and not (tmp_path / "out").exists()
    assert "Only to='huggingface' can hold the head of a fine-tuned model." in process.stderr
    process = run(CONVERT, *arguments, "--to=huggingface")
    assert process.returncode == 0, process.stderr
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["architectures"] == ["AlbertForSequenceClassification"]
    first, last = (AlbertClassifier.from_checkpoint(path) for path in (source, tmp_path / "out"))
    for name, weight in first.weights_by_name().items():
        np.testing.assert_array_equal(last.weights_by_name()[name], weight)


def test_the_output_is_not_the_input(tmp_path):
    source = tmp_path / "source"
    shutil.copytree(GOLDENS / "hugging_face" / "model", source)
    process = run(
        CONVERT, f"--checkpoint={source}", "--to=huggingface", f"--output={source}", "--overwrite"
    )
    assert process.returncode == 1
    assert "must neither be nor contain what it is made of" in process.stderr
    assert (source / "model.safetensors").is_file()


def test_options_of_another_form_are_refused(tmp_path):
    for options, message in [
        ({"to": "tf1", "lower": False}, "Only to='huggingface' takes `lower`. Received: to='tf1'"),
        ({"to": "keras", "dtype": "float16"}, "Only to='huggingface' takes `dtype`"),
        ({"to": "tf1", "skip_padding": True}, "Only to='savedmodel' takes `skip_padding`"),
        ({"to": "tf1", "do_lower_case": True}, "`do_lower_case` is for a WordPiece vocabulary"),
        ({"to": "onnx"}, "must be one of savedmodel, tf1, huggingface, keras. Received: 'onnx'"),
    ]:
        with pytest.raises(ValueError, match=message):
            convert(TINY, tmp_path / "out", **options)
    assert not any(tmp_path.iterdir())


def test_one_job_under_two_names(tmp_path):
    """The SavedModel of a fine-tuned checkpoint's encoder, by either command."""
    source = GOLDENS / "hugging_face" / "sequence_classification"
    arguments = [f"--checkpoint={source}", f"--output={tmp_path / 'out'}", "--skip_padding"]
    call("convert", *arguments, "--to=savedmodel", "--encoder_only")
    first = tf.saved_model.load(str(tmp_path / "out"))
    call("export_encoder", *arguments, "--overwrite")
    second = tf.saved_model.load(str(tmp_path / "out"))
    assert json.loads(second.computation().numpy())["skip_padding"] is True
    assert [v.name for v in first.variables] == [v.name for v in second.variables]
    for a, b in zip(first.variables, second.variables):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
