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
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **environment,
    }
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
    programs = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert len(programs) == 4
    process = run("-c", "\n".join(programs), cwd=directory)
    assert process.returncode == 0, process.stderr


def test_commands(directory, tiny_checkpoint, sp_model):
    def command(module, *arguments):
        return run("-m", f"export.{module}", *arguments, cwd=directory)

    checkpoint = [f"--checkpoint={tiny_checkpoint}", f"--sp_model={sp_model}"]
    process = command("encoder", *checkpoint, "--output=tiny")
    assert process.returncode == 0, process.stderr
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
