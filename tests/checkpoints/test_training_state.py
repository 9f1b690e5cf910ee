import io
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import tf_variable
from albert_tf.checkpoints.read import read
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.training.engine.state import RunDirectory

CONFIG = AlbertConfig(
    vocab_size=30,
    embedding_size=8,
    hidden_size=12,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=20,
    max_position_embeddings=16,
)


@pytest.fixture
def state(tmp_path):
    """(directory of a saved state, the classifier that it is of)."""
    model = AlbertClassifier(AlbertEncoder.from_albert_config(CONFIG), num_classes=3)
    run = RunDirectory(tmp_path)
    run.save(7, model.weights, {"iterations": tf.Variable(7)}, {"step": 7})
    (tmp_path / "albert_config.json").write_text(CONFIG.to_json())
    return run.directory(7), model


def test_saved_by_training(state):
    directory, model = state
    for path in (directory, directory / "weights.npz"):
        encoder = AlbertEncoder.from_checkpoint(path)
        report = encoder.restore_report
        assert (report.flavor, len(report.restored)) == ("training_state", 25)
        assert set(report.ignored.values()) == {"head of a task"}
        for name, weight in encoder.weights_by_name().items():
            expected = tf_variable(model.weights_by_name()[name])
            np.testing.assert_array_equal(tf_variable(weight), expected)


def test_without_configuration(state):
    directory, _ = state
    (directory.parent / "albert_config.json").unlink()
    with pytest.raises(FileNotFoundError, match="no albert_config.json in '.*00007' or '"):
        AlbertEncoder.from_checkpoint(directory)
    assert AlbertEncoder.from_checkpoint(directory, CONFIG).restore_report.ok


def npy(header, data=b""):
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


@pytest.mark.parametrize(
    "content",
    [
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"cos\nsystem\n"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os').getpid(),), }"),
        b"nonsense",
    ],
    ids=["pickle", "bomb", "program", "nonsense"],
)
def test_harmful_arrays(state, content):
    directory, _ = state
    with zipfile.ZipFile(directory / "weights.npz", "a") as archive:
        archive.writestr("x.npy", content)
    with pytest.raises(ValueError, match="readable .npz file of arrays. Received: .*weights.npz"):
        read(directory)


def test_compressed(state):
    directory, _ = state
    np.savez_compressed(directory / "weights.npz", x=np.zeros(10))
    with pytest.raises(ValueError, match="'x.npy' is compressed"):
        read(directory)


def test_damaged(state):
    directory, _ = state
    content = bytearray((directory / "weights.npz").read_bytes())
    (directory / "weights.npz").write_bytes(content[:-30])
    with pytest.raises(ValueError, match="must be a readable .npz"):
        read(directory)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        info = archive.getinfo("word_embeddings/embeddings.npy")
    content[info.header_offset + 250] ^= 0xFF
    (directory / "weights.npz").write_bytes(content)
    with pytest.raises(ValueError, match="readable.* for file 'word_embeddings/embeddings.npy'"):
        read(directory).get("word_embeddings/embeddings")


def test_flipped_bits(state):
    path = state[0] / "weights.npz"
    good, names = path.read_bytes(), read(path).tensors
    values = {name: read(path).get(name) for name in names}
    refused = 0
    for place in range(100, len(good), len(good) // 25):
        bad = bytearray(good)
        bad[place] ^= 1
        path.write_bytes(bad)
        try:
            checkpoint = read(path)
            for name in names:
                np.testing.assert_array_equal(checkpoint.get(name), values[name])
        except ValueError as error:
            assert "Saved weights must be" in str(error)
            refused += 1
    assert refused > 15
