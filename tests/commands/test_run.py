import os
import subprocess
import sys

import pytest

from albert_tf import __version__
from albert_tf.commands.main import COMMANDS
from tests import programs
from tests.conftest import TESTS

PROGRAM = """
import sys
from albert_tf.commands.run import run
from albert_tf.training.finetuning.collapse import TrainingCollapsed

def main():
    raise {error}("All is lost. Try again.")

run(main, ["program", *sys.argv[1:]])
"""


def start(error, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent)}
    command = [sys.executable, "-c", PROGRAM.format(error=error), *arguments]
    return programs.run(command, env=environment, text=True)


@pytest.mark.parametrize(
    "error",
    ["ValueError", "FileNotFoundError", "ImportError", "TrainingCollapsed", "FloatingPointError"],
)
def test_what_a_user_can_do_something_about_is_one_line(error):
    process = start(error)
    assert process.returncode == 1
    assert process.stderr == "error: All is lost. Try again.\n"


@pytest.mark.parametrize("kind", ["ResourceExhaustedError", "UnavailableError"])
def test_what_tensorflow_says_of_the_machine_is_one_line(kind):
    process = start(f"__import__('tensorflow').errors.{kind}(None, None, 'x: full\\nat node y') or")
    assert process.returncode == 1 and "Traceback" not in process.stderr
    line = process.stderr.strip().splitlines()[-1]
    assert line.startswith(f"error: TensorFlow could not go on. Received: {kind}: x: full")


def test_warnings_are_one_line():
    process = start("__import__('warnings').warn('It is late.') or ValueError")
    assert process.stderr == "warning: It is late.\nerror: All is lost. Try again.\n"


def test_ctrl_c_and_bugs():
    process = start("KeyboardInterrupt")
    assert process.returncode == 1 and process.stderr == "error: Interrupted.\n"
    process = start("KeyError")
    assert process.returncode == 1 and "Traceback" in process.stderr


def test_arguments_are_flags():
    process = start("ValueError", "data")
    assert process.returncode == 1
    assert "error: All arguments are flags. Received: data. See --help." in process.stderr


def albert_tf_command(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent)}
    command = [sys.executable, "-m", "albert_tf", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_version_and_help():
    process = albert_tf_command("--version")
    assert (process.returncode, process.stdout) == (0, f"albert-tf {__version__}\n")
    listing = albert_tf_command("help")
    assert listing.returncode == 0
    assert all(f"\n  {name} " in listing.stdout for name in COMMANDS)
    for arguments in (("help", "export-encoder"), ("export-encoder", "--help")):
        process = albert_tf_command(*arguments)
        assert process.returncode == 0, process.stderr
        text = process.stdout
        assert text.startswith("usage: albert-tf export-encoder --output=OUTPUT --checkpoint=")
        required, optional = text.index("required flags:"), text.index("\nvocabulary:")
        assert required < text.index("\n  --checkpoint=") < optional < text.index("--sp_model")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["exportencoder"], "no command exportencoder. Did you mean export-encoder or export?"),
        (["xyz"], "There is no command xyz. `albert-tf --help` lists the commands."),
        (["inspect", "--chekpoint=x"], "There is no flag --chekpoint. Did you mean --checkpoint?"),
        (["export-encoder"], "Flags are missing: --output, --checkpoint."),
        (
            ["export-tflite", "--checkpoint=x", "--output=y", "--weights=int4"],
            "--weights=int4: value should be one of <float32|int8>.",
        ),
    ],
)
def test_mistakes_on_the_command_line_are_one_line(arguments, message):
    process = albert_tf_command(*arguments)
    assert process.returncode == 1
    assert process.stderr.startswith("error: ") and message in process.stderr
    assert process.stderr.count("\n") == 1, process.stderr


@pytest.mark.parametrize("module", COMMANDS.values())
def test_help_and_errors_do_not_wait_for_tensorflow(module):
    program = f"""
import sys
import albert_tf.commands.{module}
assert not {{"tensorflow", "keras", "tf_keras"}} & set(sys.modules)
for arguments in (["--help"], ["--no_such_flag"], []):
    try:
        albert_tf.commands.{module}.start(["program", *arguments])
    except SystemExit as exit:
        assert (exit.code == 0) == (arguments == ["--help"]), exit
    assert not {{"tensorflow", "keras", "tf_keras"}} & set(sys.modules), arguments
"""
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
