"""`python -m tests` itself: what it says, counts and returns, and which tests it runs once."""

import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest

from tests import keras_use

ROOT = pathlib.Path(__file__).parent.parent


def run(directory, *arguments):
    """`python -m tests` on the tests of a directory that has nothing to do with this project."""
    (directory / "pytest.ini").touch()
    command = [sys.executable, "-m", "tests", f"-c{directory / 'pytest.ini'}", str(directory)]
    process = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True)
    return process.returncode, process.stdout


def test_says_what_fails_and_adds_both_generations_up(tmp_path):
    (tmp_path / "test_both.py").write_text("""
import os
import warnings

USES = "keras"

def test_passes():
    warnings.warn("look out")

def test_fails_in_one():
    assert os.environ["TF_USE_LEGACY_KERAS"] == "0", "not this one"

def test_crashes():
    os.abort()

def test_goes_on():
    pass
""")
    (tmp_path / "test_once.py").write_text("""
def test_passes():
    pass

def test_cannot_get_at_what_it_does_not_name():
    __import__("k" + "eras")
""")
    status, output = run(tmp_path)
    assert status == 1
    expected = "FAILED [tf_keras] test_both.py::test_fails_in_one - AssertionError: not this one"
    assert expected in output
    assert "FAILED [keras_3] test_both.py::test_fails_in_one" not in output
    for name in ("keras_3", "tf_keras"):
        crashed = f"FAILED [{name}] test_both.py::test_crashes - Its process ended in this test"
        assert f"{crashed}, with exit status -6." in output
    assert output.count("import of keras halted") >= 1
    assert "UserWarning: look out" in output
    assert "slowest 20 durations" in output
    assert re.search(r"minutes of processor time, at most 0\.\d\d GB in all processes", output)
    assert re.search(r"= 4 failed, 6 passed, 2 warnings in .* =", output.splitlines()[-1])


def test_no_test_is_an_error(tmp_path):
    (tmp_path / "test_nothing.py").touch()
    status, output = run(tmp_path)
    assert status == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "no tests ran" in output


def test_slow_tests_wait_for_m(tmp_path):
    code = "import pytest\n\n@pytest.mark.slow\ndef test_slow():\n    assert False\n"
    (tmp_path / "test_slow.py").write_text(code)
    assert run(tmp_path)[0] == pytest.ExitCode.NO_TESTS_COLLECTED
    assert run(tmp_path, "-m", "slow")[0] == 1


# === Which tests run once ===

PROJECT = {
    "albert_tf/__init__.py": "",
    "albert_tf/_keras.py": "import keras",
    "albert_tf/layer.py": "from albert_tf._keras import keras",
    "albert_tf/text.py": "import re",
    "albert_tf/deep.py": "def late():\n    from albert_tf import layer",
    "tests/conftest.py": """
import pytest

@pytest.fixture
def export():
    import albert_tf

@pytest.fixture
def model(export):
    pass

@pytest.fixture
def corpus():
    pass
""",
    "tests/helper.py": "from albert_tf.deep import late",
    "tests/command.py": "import subprocess",
}


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        ("from albert_tf.text import clean", False),
        ("from albert_tf import text", False),
        ("import tensorflow as tf\nfrom tests.conftest import FIXTURES", False),
        ("def test(corpus): pass", False),
        ("'''Says Keras.'''", False),
        ("import subprocess\nPROGRAM = 'import albert_tf.text'", False),
        ("import albert_tf", True),
        ("from albert_tf import AlbertEncoder", True),
        ("from albert_tf.layer import Layer", True),
        ("from tests.helper import help", True),
        ("def test():\n    from albert_tf import layer", True),
        ("import tensorflow as tf\ndef test():\n    tf.keras.Input(())", True),
        ("def test(model): pass", True),
        ("import importlib", True),
        ("from tests.command import run", True),
        ("import subprocess\nPROGRAM = 'import albert_tf'", True),
        ("import subprocess\nPROGRAM = f'import albert_tf.{name}'", True),
        ("import subprocess\nCOMMAND = ['-m', 'albert_tf.layer']", True),
    ],
)
def test_sources_tell_whether_tests_depend_on_keras(tmp_path, monkeypatch, source, uses):
    for name, text in {**PROJECT, "tests/test_it.py": source}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(keras_use, "ROOT", tmp_path)
    assert keras_use.uses_keras(tmp_path / "tests/test_it.py") is uses


def test_about_half_of_the_files_here_run_once():
    once = {p for p in (ROOT / "tests").rglob("test_*.py") if not keras_use.uses_keras(p)}
    assert {"test_masking.py", "test_packing.py"} <= {path.name for path in once}
    assert not {"test_encoder.py", "test_classifier.py"} & {path.name for path in once}
    assert len(once) > 50
    # What once runs are kept from exists.
    assert all(importlib.util.find_spec(name) for name in keras_use.FORBIDDEN)
