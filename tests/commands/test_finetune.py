"""`albert-tf finetune` as a process."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from albert_tf.encoder import AlbertEncoder
from tests import random_tiny
from tests.conftest import TESTS
from tests.training.toy_task import write_sst2

# Processes that are started in the background may ignore SIGINT.
COMMAND = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from albert_tf.commands.finetune import start
start(sys.argv)
"""


def begin(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent)}
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def command(*arguments):
    process = begin(*arguments)
    process.stdout, process.stderr = process.communicate()
    return process


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
        f"--checkpoint={random_tiny.CHECKPOINT}",
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
    assert "options.seed is 1, was 0. Use the earlier settings" in process.stderr


def send(number, process, states, after):
    """Waits until the state of a step is saved, a moment more, and sends the process a signal."""
    while process.poll() is None:
        if any(int(path.name[5:]) >= after for path in states.glob("step-*")):
            time.sleep(random.uniform(0.0, 0.1))
            process.send_signal(number)
            break
        time.sleep(0.005)
    process.stdout, process.stderr = process.communicate()
    return process


def files(output):
    """What a run leaves behind, without what depends on the clock."""
    names = ["history.csv", "evaluations.csv", "predictions/dev.tsv", "predictions/SST-2.tsv"]
    result = {name: (output / name).read_text() for name in names}
    result["metrics"] = json.loads((output / "metrics.json").read_text())
    del result["metrics"]["minutes"]
    for path in sorted(output.glob("states/*/*.npz")):
        with np.load(path) as arrays:
            for name in arrays.files:
                result[f"{path.relative_to(output)}/{name}"] = arrays[name]
    return result


@pytest.mark.slow
def test_interrupted_and_killed_ends_like_uninterrupted(tmp_path):
    data = write_sst2(tmp_path / "data")
    arguments = [
        "--task=sst-2",
        f"--data_dir={data}",
        f"--checkpoint={random_tiny.CHECKPOINT}",
        "--learning_rate=1e-4",
        "--train_steps=90",
        "--batch_size=3",
        "--dropout_rate=0.1",
        "--save_every=2",
        "--evaluate_every=15",
        "--noexport",
        "--nodetect_collapse",
    ]
    process = command(*arguments, f"--output={tmp_path / 'whole'}")
    assert process.returncode == 0, process.stderr

    arguments.append(f"--output={tmp_path / 'parts'}")
    first, second = random.randrange(2, 30), random.randrange(40, 70)
    print(f"Ctrl-C after step {first}, kill after step {second}")
    states = tmp_path / "parts" / "states"
    process = send(signal.SIGINT, begin(*arguments), states, first)
    assert process.returncode == 1 and "Traceback" not in process.stderr
    assert "Ctrl-C again ends without" in process.stderr
    assert "The same command goes on from there." in process.stderr
    process = send(signal.SIGKILL, begin(*arguments), states, second)
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert not (tmp_path / "parts" / "metrics.json").exists()
    process = command(*arguments)
    assert process.returncode == 0, process.stderr

    whole, parts = files(tmp_path / "whole"), files(tmp_path / "parts")
    assert whole.keys() == parts.keys() and len(whole) > 100
    for name, value in whole.items():
        np.testing.assert_array_equal(parts[name], value, err_msg=name)
    encoders = [AlbertEncoder.from_checkpoint(tmp_path / name) for name in ("whole", "parts")]
    for a, b in zip(*(encoder.get_weights() for encoder in encoders)):
        np.testing.assert_array_equal(a, b)
