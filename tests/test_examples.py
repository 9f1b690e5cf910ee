"""The fine-tuning examples run as their first lines say."""

import os
import pathlib
import sys

import pytest

from tests import programs

ROOT = pathlib.Path(__file__).parent.parent
EXPECTED = {
    "02_fine_tune_glue": ("dev accuracy: 1.0000", "label: [b'1', b'0']"),
    "03_fine_tune_squad": ("dev f1: ", "Who wrote the song? -> ", "best span is 'Ann Lee'"),
    "04_fine_tune_race": ("dev accuracy_middle: 1.0000", "The dog is _ . -> black"),
}


def run(name, *arguments, cwd):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # Users have not set it.
    command = [sys.executable, ROOT / "examples" / f"{name}.py", *arguments]
    return programs.run(command, cwd=cwd, env=environment, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_quick(name, tmp_path):
    pytest.importorskip("tensorflow_text")
    process = run(name, "--quick", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    for text in EXPECTED[name]:
        assert text in process.stdout
    assert "port.cc" not in process.stderr and "cuInit" not in process.stderr


def test_nothing_given(tmp_path):
    pytest.importorskip("tensorflow_text")
    process = run("02_fine_tune_glue", cwd=tmp_path)
    assert process.returncode == 1
    error = "error: Pass --data_dir, GLUE's folder, or --quick. Received: neither.\n"
    assert process.stderr == error
