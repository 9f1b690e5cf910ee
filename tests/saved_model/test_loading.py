"""Handles of KerasLayer: what loads, and what says why not."""

import sys
import types

import pytest
import tensorflow as tf

from albert_tf.keras_layer.loading import load_handle


@pytest.fixture
def saved(tmp_path):
    root = tf.train.Checkpoint()
    root.double = tf.function(lambda x: 2 * x, input_signature=[tf.TensorSpec([])])
    tf.saved_model.save(root, str(tmp_path / "model"))
    return tmp_path / "model"


def test_loads_paths(saved):
    for handle in (saved, str(saved)):
        loaded, is_tf1_hub = load_handle(handle)
        assert float(loaded.double(2.0)) == 4 and not is_tf1_hub


def test_nothing_there(tmp_path):
    message = r"nothing exists at this one. Received: handle='.*missing' in working directory"
    with pytest.raises(FileNotFoundError, match=message):
        load_handle(tmp_path / "missing")


def test_not_a_saved_model(tmp_path):
    (tmp_path / "model.ckpt.index").write_text("")
    with pytest.raises(ValueError, match=r"must be a SavedModel directory.*model.ckpt.index"):
        load_handle(tmp_path)
    with pytest.raises(ValueError, match=r"must be a SavedModel directory.*which is a file"):
        load_handle(tmp_path / "model.ckpt.index")


def test_url_needs_tensorflow_hub(saved, monkeypatch):
    url = "https://tfhub.dev/tensorflow/albert_en_base/3"
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    with pytest.raises(ImportError, match="pip install tensorflow-hub"):
        load_handle(url)
    hub = types.SimpleNamespace(resolve=lambda handle: str(saved) if handle == url else None)
    monkeypatch.setitem(sys.modules, "tensorflow_hub", hub)
    assert float(load_handle(url)[0].double(3.0)) == 6


def test_tensorflow_text_is_imported_when_needed(saved, monkeypatch):
    load = tf.saved_model.load

    def load_with_text_op(path, **kwargs):
        if sys.modules.get("tensorflow_text") is None:
            raise FileNotFoundError("Op type not registered 'SentencepieceOp' in binary.")
        return load(path, **kwargs)

    monkeypatch.setattr(tf.saved_model, "load", load_with_text_op)
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    with pytest.raises(ImportError, match=r"'SentencepieceOp'.*pip install tensorflow-text"):
        load_handle(saved)


def test_operation_of_another_library(saved, monkeypatch):
    def load(path, **kwargs):
        raise RuntimeError("Op type not registered 'MyOp' in binary.")

    monkeypatch.setattr(tf.saved_model, "load", load)
    monkeypatch.setitem(sys.modules, "tensorflow_text", types.ModuleType("tensorflow_text"))
    with pytest.raises(ImportError, match=r"neither TensorFlow nor TensorFlow Text has 'MyOp'"):
        load_handle(saved)


def test_other_errors_pass_through(saved, monkeypatch):
    def load(path, **kwargs):
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(tf.saved_model, "load", load)
    with pytest.raises(RuntimeError, match="disk on fire"):
        load_handle(saved)


@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_programs_come_over_tls_only(scheme):
    with pytest.raises(
        ValueError, match="must begin with https://.* Write 'https://example.com/x'"
    ):
        load_handle(f"{scheme}://example.com/x")
