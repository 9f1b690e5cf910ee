import os
import subprocess
import sys

import pytest

from albert_tf.commands.main import COMMANDS
from tests.conftest import TESTS

PROGRAM = """
import sys
from albert_tf.commands.run import run
from albert_tf.training.collapse import TrainingCollapsed

def main():
    raise {error}("All is lost. Try again.")

run(main, ["program", *sys.argv[1:]])
"""


def start(error, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent), "ALBERT_TF_LAZY_IMPORT": "1"}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(error=error), *arguments],
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "error",
    ["ValueError", "FileNotFoundError", "ImportError", "TrainingCollapsed", "FloatingPointError"],
)
def test_what_a_user_can_do_something_about_is_one_line(error):
    process = start(error)
    assert process.returncode == 1
    assert process.stderr == "error: All is lost. Try again.\n"


def test_ctrl_c_and_bugs():
    process = start("KeyboardInterrupt")
    assert process.returncode == 1 and process.stderr == "error: Interrupted.\n"
    process = start("KeyError")
    assert process.returncode == 1 and "Traceback" in process.stderr


def test_arguments_are_flags():
    process = start("ValueError", "data")
    assert process.returncode == 1
    assert "error: All arguments are flags. Received: data. See --help." in process.stderr


@pytest.mark.parametrize("flag", ["--help", "--helpfull"])
def test_help_is_no_error(flag):
    process = start("ValueError", flag)
    assert process.returncode == 0 and "USAGE:" in process.stdout


@pytest.mark.parametrize("module", COMMANDS.values())
def test_help_and_errors_do_not_wait_for_tensorflow(module):
    program = f"""
import sys
sys.argv = ["/usr/bin/albert-tf"]
import albert_tf.commands.{module}
assert not {{"tensorflow", "keras", "tf_keras"}} & set(sys.modules)
"""
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
