"""The programs of README.md run, in their order, as a reader would run them."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from albert_tf._keras import KERAS_3

ROOT = pathlib.Path(__file__).parent.parent


def run(*command, cwd, **environment):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # Readers have not set it.
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """What the README's first command leaves behind."""
    directory = tmp_path_factory.mktemp("readme")
    process = run(ROOT / "examples" / "01_embed_sentences.py", cwd=directory)
    assert process.returncode == 0, process.stderr
    assert "hub.KerasLayer computes the same" in process.stdout
    return directory


def test_main_job_writes_its_results(directory):
    written = {path.name for path in (directory / "exported").iterdir()}
    files = {"vectors.npy", "similarity.npy", "similarity.png"}
    assert written == {"encoder", "preprocessor", *files}


def test_main_job_on_a_column_of_a_file(directory):
    (directory / "dev.tsv").write_text('sentence\tlabel\na "fine" film\t1\ndull\t0\n')
    arguments = ["--input=dev.tsv", "--column=sentence", "--output=column", "--batch_size=1"]
    process = run(ROOT / "examples" / "01_embed_sentences.py", *arguments, cwd=directory)
    assert process.returncode == 0, process.stderr
    assert "2 vectors of 192" in process.stdout and 'a "fine" film' in process.stdout
    process = run(
        ROOT / "examples" / "01_embed_sentences.py",
        "--input=dev.tsv",
        "--column=text",
        cwd=directory,
    )
    assert process.returncode == 1
    assert "error: --column must be in the header of dev.tsv. Received: 'text'" in process.stderr


@pytest.mark.skipif(not KERAS_3, reason="the README's programs are written for Keras 3")
def test_programs_of_the_readme(directory):
    programs = [p for p in programs_of_the_readme() if "ai_edge_litert" not in p]
    assert len(programs) == 4
    process = run("-c", "\n".join(programs), cwd=directory)
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""


def programs_of_the_readme():
    return re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)


def test_tensorflow_lite_of_the_readme(tmp_path):
    (command,) = re.findall(
        r"^python -m (export.tflite .*)$", (ROOT / "README.md").read_text(), re.M
    )
    process = run("-m", *command.split(), cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert "Wrote albert.tflite" in process.stdout
    # The package has the interpreter that TensorFlow has, too; nothing before it needs TensorFlow.
    (tmp_path / "ai_edge_litert").mkdir()
    same = """
import sys

def Interpreter(path):
    assert "tensorflow" not in sys.modules
    import tensorflow
    return tensorflow.lite.Interpreter(path)
"""
    (tmp_path / "ai_edge_litert" / "interpreter.py").write_text(same)
    (program,) = [p for p in programs_of_the_readme() if "ai_edge_litert" in p]
    process = run("-c", program, cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert process.stdout == "(1, 192)\n"


def test_commands(directory, tiny_checkpoint, sp_model):
    def command(module, *arguments):
        return run("-m", f"export.{module}", *arguments, cwd=directory)

    checkpoint = [f"--checkpoint={tiny_checkpoint}", f"--sp_model={sp_model}"]
    process = command("encoder", *checkpoint, "--output=tiny")
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    assert (
        "32 restored" in process.stdout and "25 variables: names, order, shapes" in process.stdout
    )
    process = command("encoder", *checkpoint, "--output=tiny")
    assert process.returncode == 1
    assert "\nerror: The output must not exist yet. Received: tiny" in f"\n{process.stderr}"
    assert "Traceback" not in process.stderr
    process = command("check", "--saved_model=tiny")
    assert process.returncode == 0 and "keeps the contract" in process.stdout
    process = command("preprocessor", f"--sp_model={sp_model}", "--output=pre", "--rules=original")
    assert process.returncode == 0, process.stderr
    process = command("check", "--saved_model=pre")
    assert process.returncode == 0 and "keeps the contract" in process.stdout
    process = command("check", "--saved_model=nowhere")
    assert process.returncode == 1
    assert "error: There must be a SavedModel directory. Received: 'nowhere'" in process.stderr
    process = command("encoder", "--checkpoint=nowhere", f"--sp_model={sp_model}", "--output=x")
    assert process.returncode == 1 and "Traceback" not in process.stderr
    assert not (directory / "x").exists()
