"""What is said where apache-beam is missing."""

import sys

import pytest

import albert_tf
from albert_tf.prediction import model_handler
from tests.commands.command import call


def test_the_handler_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(model_handler, "_MISSING", ImportError("No module named 'apache_beam'"))
    with pytest.raises(ImportError, match=r"needs apache-beam. .* `pip install albert_tf\[beam\]`"):
        albert_tf.PredictorModelHandler("model")


def test_the_command_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.delitem(sys.modules, "albert_tf.prediction.beam_job", raising=False)
    files = ["--model=model", "--input=in.txt", f"--output={tmp_path}/out.npy"]
    with pytest.raises(ImportError, match=r"install albert_tf\[beam\]`, or leave out --runner"):
        call("embed", *files, "--runner=DirectRunner")
