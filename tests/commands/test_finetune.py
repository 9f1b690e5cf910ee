"""`albert-tf finetune` as a process."""

import os
import subprocess
import sys

import pytest

from albert_tf import default_model
from tests.conftest import TESTS
from tests.training.toy_task import write_sst2

COMMAND = "import sys; from albert_tf.commands.finetune import start; start(sys.argv)"


def command(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        capture_output=True,
        text=True,
        env=environment,
    )


def test_errors_are_one_line(tmp_path):
    process = command("--task=sst-2", f"--output={tmp_path}", "--data_dir=nowhere")
    assert process.returncode == 1 and "Traceback" not in process.stderr
    assert "error: The data file must exist. Received: nowhere" in process.stderr


@pytest.mark.slow
def test_own_files(tmp_path):
    data = write_sst2(tmp_path / "data") / "SST-2"
    arguments = [
        "--task=classification",
        f"--data_dir={data}",
        "--text_column=sentence",
        f"--checkpoint={default_model.CHECKPOINT}",
        f"--output={tmp_path / 'out'}",
        "--learning_rate=1e-3",
        "--train_steps=30",
        "--batch_size=10",
    ]
    process = command(*arguments)
    assert process.returncode == 0, process.stderr
    assert "dev accuracy: 1.0000" in process.stdout and "25 restored" in process.stdout
    assert (tmp_path / "out" / "saved_model" / "saved_model.pb").is_file()
    process = command(*arguments, "--seed=1")
    assert process.returncode == 1
    assert "A run goes on as it began. Received: " in process.stderr
