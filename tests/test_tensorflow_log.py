"""TensorFlow's start-up lines: not for users who have not asked for them, and no error is lost."""

import os
import pathlib
import subprocess
import sys

import pytest

from albert_tf._tensorflow_log import filter_log

ROOT = pathlib.Path(__file__).parent.parent
# Both import TensorFlow, and the first op looks for GPUs.
PROGRAM = "import albert_tf, tensorflow as tf; tf.constant(1) + 1"
COMMAND = """
import sys
sys.argv = ["albert-tf", "fill-mask", "she looked at [MASK] ."]
from albert_tf.commands.main import main
main()
"""
INFO = b"I0000 00:00:1796065033.417848    5288 port.cc:153] oneDNN custom operations are on.\n"
WARNING = b"W0000 00:00:1796065033.417848    5288 gpu_device.cc:2] Cannot dlopen GPU libraries.\n"
ERROR = b"E0000 00:00:1796065033.417848    5288 cuda_platform.cc:52] failed call to cuInit\n"
FATAL = b"F0000 00:00:1796065033.417848    5288 cpu_feature_guard.cc:1] This CPU lacks AVX.\n"
HEADER = b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
PYTHON = b"module.py:1: UserWarning: old\n  warnings.warn('old')\n"
ALL = HEADER + INFO + PYTHON + WARNING + ERROR + FATAL


def run(code, path=(), **environment):
    variables = {name: os.environ[name] for name in os.environ if name != "TF_CPP_MIN_LOG_LEVEL"}
    variables["PYTHONPATH"] = os.pathsep.join(map(str, (*path, ROOT)))
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env={**variables, **environment}, capture_output=True)


@pytest.mark.parametrize(
    "level, kept",
    [
        (0, ALL),
        (1, PYTHON + WARNING + ERROR + FATAL),
        (2, PYTHON + ERROR + FATAL),
        (3, PYTHON + FATAL),
        (9, PYTHON + FATAL),
    ],
)
def test_level_applies_to_the_log_alone(level, kept):
    assert filter_log(ALL, level) == kept


@pytest.mark.parametrize("code", [PROGRAM, COMMAND], ids=["program", "command"])
def test_starts_without_a_line(code):
    process = run(code)
    assert process.returncode == 0, process.stderr
    assert process.stderr == b""


def test_the_level_of_the_user_stays():
    process = run(PROGRAM, TF_CPP_MIN_LOG_LEVEL="0")
    assert process.returncode == 0
    assert HEADER in process.stderr


@pytest.fixture
def tensorflow_that(tmp_path):
    """A function that puts a package `tensorflow` of the given code in front of the true one."""

    def write(code):
        (tmp_path / "tensorflow").mkdir()
        (tmp_path / "tensorflow" / "__init__.py").write_text(code)
        return [tmp_path]

    return write


def test_a_failed_import_shows_every_line(tensorflow_that):
    path = tensorflow_that(f"import os\nos.write(2, {ALL})\nimport nowhere")
    process = run("import albert_tf, tensorflow", path)
    assert process.returncode == 1
    assert process.stderr.startswith(ALL)
    assert b"No module named 'nowhere'" in process.stderr


def test_a_crash_is_not_silent(tensorflow_that):
    process = run("import albert_tf, tensorflow", tensorflow_that("import os\nos.abort()"))
    assert process.returncode != 0
    assert b"Fatal Python error: Aborted" in process.stderr


def test_without_standard_error(tensorflow_that):
    code = "import os\nos.close(2)\nimport albert_tf, tensorflow\nprint('done')"
    process = run(code, tensorflow_that(""))
    assert process.stdout == b"done\n"
