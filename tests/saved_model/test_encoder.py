"""What export_encoder refuses, and that a failed export leaves no trace."""

import pathlib
import signal
import sys

import numpy as np
import pytest
import tensorflow as tf

import albert_tf
from albert_tf.saved_model.contract.check import check
from tests import programs, random_tiny


@pytest.fixture(scope="module")
def encoder(tiny_checkpoint):
    return albert_tf.AlbertEncoder.from_checkpoint(tiny_checkpoint)


def files(directory):
    return sorted(str(p.relative_to(directory)) for p in pathlib.Path(directory).rglob("*"))


def test_returns_the_passed_checks(encoder, sp_model, tmp_path):
    checks = albert_tf.export_encoder(encoder, tmp_path / "encoder", sp_model=sp_model)
    assert checks and all(c.difference is None for c in checks)
    assert files(tmp_path / "encoder") == [
        "assets",
        "assets/tiny.model",
        "fingerprint.pb",
        "saved_model.pb",
        "variables",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
    ]


def test_existing_output(encoder, sp_model, tmp_path, unchecked):
    albert_tf.export_encoder(encoder, tmp_path / "encoder", sp_model=sp_model)
    with pytest.raises(FileExistsError, match="The output must not exist yet. Received"):
        albert_tf.export_encoder(encoder, tmp_path / "encoder", sp_model=sp_model)
    albert_tf.export_encoder(encoder, tmp_path / "encoder", sp_model=sp_model, overwrite=True)
    assert files(tmp_path)[0] == "encoder" and len(list(tmp_path.iterdir())) == 1


def test_vocabulary_of_another_size(sp_model, tmp_path):
    encoder = albert_tf.AlbertEncoder(50, 8, 16, 2, 2, intermediate_size=24)
    with pytest.raises(
        ValueError, match="as many pieces .* vocab_size=50. Received: .* 1000 pieces"
    ):
        albert_tf.export_encoder(encoder, tmp_path / "encoder", sp_model=sp_model)
    assert not list(tmp_path.iterdir())


def test_readable_list_for_the_model(encoder, tmp_path):
    (tmp_path / "30k-clean.vocab").write_text("<pad>\t0\n")
    with pytest.raises(ValueError, match="30k-clean.model"):
        albert_tf.export_encoder(
            encoder, tmp_path / "encoder", sp_model=tmp_path / "30k-clean.vocab"
        )
    assert not (tmp_path / "encoder").exists()


def test_not_an_encoder(sp_model, tmp_path):
    with pytest.raises(TypeError, match="must be an AlbertEncoder or an AlbertPretrainer"):
        albert_tf.export_encoder("albert_base", tmp_path / "encoder", sp_model=sp_model)


def test_check_finds_a_broken_promise(tmp_path):
    root = tf.train.Checkpoint()
    root.config = tf.function(
        lambda: tf.constant(albert_tf.AlbertConfig(vocab_size=9, hidden_size=64).to_json()),
        input_signature=[],
    )
    root.variables = root.trainable_variables = [tf.Variable(0.0, name="x")]
    root.regularization_losses = []
    tf.saved_model.save(root, str(tmp_path / "model"))
    differences = {c.promise: c.difference for c in check(tmp_path / "model")}
    assert (
        "word_embeddings/embeddings:0 (9, 128), received x:0 ()"
        in differences["25 variables: names, order, shapes"]
    )
    assert differences["regularization_losses is empty"] is None
    assert "KeyError" in differences["signature tokens"]
    with pytest.raises(ValueError, match="There must be a SavedModel directory. Received: "):
        check(tmp_path)


EXPORT = """
import resource, signal, sys
import tensorflow as tf
import albert_tf
from tests import random_tiny
path, failure = sys.argv[1:]
encoder = albert_tf.AlbertEncoder.from_checkpoint(random_tiny.CHECKPOINT)
if failure == "full disk":
    # Writing fails beyond this many bytes of a file, as on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
if failure == "killed":
    save = tf.saved_model.save
    def save_and_die(*args, **kwargs):
        save(*args, **kwargs)
        signal.raise_signal(signal.SIGKILL)
    tf.saved_model.save = save_and_die
albert_tf.export_encoder(encoder, path, sp_model=random_tiny.SP_MODEL, overwrite=True)
"""


@pytest.mark.parametrize("failure", ["full disk", "killed"])
def test_failed_export_leaves_the_old_output(failure, tmp_path, unchecked):
    path = tmp_path / "encoder"
    old = albert_tf.AlbertEncoder.from_checkpoint(random_tiny.CHECKPOINT)
    old.pooler_transform.bias.assign(np.ones(64, "float32"))
    albert_tf.export_encoder(old, path, sp_model=random_tiny.SP_MODEL)
    before = files(path)
    process = programs.run([sys.executable, "-c", EXPORT, path, failure], text=True)
    assert process.returncode == (-signal.SIGKILL if failure == "killed" else 1), process.stderr
    assert files(path) == before
    np.testing.assert_array_equal(tf.saved_model.load(str(path)).variables[24], np.ones(64))
    if failure == "full disk":
        assert list(tmp_path.iterdir()) == [path]
    # What a killed export leaves behind does not block the next one.
    albert_tf.export_encoder(old, path, sp_model=random_tiny.SP_MODEL, overwrite=True)
