"""The commands vocab, pretraining-data and pretraining-data-beam, as a user runs them."""

import os
import subprocess
import sys

from tests.conftest import FIXTURES, TESTS

CORPUS = FIXTURES / "pretrain_corpus.txt"


PROGRAMS = {
    "vocab": "from albert_tf.commands.vocab import start; start()",
    "pretraining_data": "from albert_tf.commands.pretraining_data import start; start()",
    "pretraining_data_beam": "from albert_tf.commands.pretraining_data_beam import start; start()",
}


def run(command, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent)}
    return subprocess.run(
        [sys.executable, "-c", PROGRAMS[command], *map(str, arguments)],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip


def _error(process):
    """What a command says on standard error, without TensorFlow's own start-up lines."""
    lines = process.stderr.splitlines()
    first = next((i for i, line in enumerate(lines) if line.startswith("error: ")), len(lines))
    return "\n".join(lines[first:])


def test_vocabulary_then_records_then_nothing_left_to_do(tmp_path):
    model, output = tmp_path / "my.model", tmp_path / "records"
    trained = run("vocab", f"--input={CORPUS}", f"--output={model}", "--vocab_size=800")
    assert trained.returncode == 0, trained.stderr
    assert "4  [MASK]" in trained.stdout and f"Wrote {model} with 800 pieces." in trained.stdout
    arguments = [
        f"--input={CORPUS}", f"--output={output}", f"--sp_model={model}", "--num_shards=2",
        "--max_seq_length=64", "--dupe_factor=1", "--nostatic_masks",
    ]  # fmt: skip
    made = run("pretraining_data", *arguments)
    assert made.returncode == 0, made.stderr
    assert "220 documents with 1174 sentences" in made.stdout and f"Wrote {output}" in made.stdout
    assert "2 shards" in made.stderr and "tokens/s" in made.stderr
    assert len(list(output.glob("*.tfrecord"))) == 2
    again = run("pretraining_data", *arguments)
    assert again.stdout == made.stdout
    other = run("pretraining_data", *arguments, "--seed=7")
    assert other.returncode == 1
    assert _error(other).startswith("error: An existing output can only be continued")


def test_errors_are_one_line(tmp_path):
    model = FIXTURES / "tiny.model"
    common = [f"--output={tmp_path / 'out'}", f"--sp_model={model}"]
    missing = run("pretraining_data", f"--input={tmp_path / 'none.txt'}", *common)
    assert missing.returncode == 1
    assert _error(missing).startswith("error: Input must be existing files. Received: ")
    wrong = run("pretraining_data", f"--input={CORPUS}", *common, "--random_next_sentence")
    assert _error(wrong).startswith("error: random_next_sentence belongs to the recipe 'original'")
    small = run("vocab", f"--input={CORPUS}", f"--output={tmp_path / 'a.model'}")
    assert "error: The text must be enough for vocab_size pieces." in small.stderr
    assert len(_error(missing).splitlines()) == len(_error(wrong).splitlines()) == 1


def test_beam_is_asked_for_where_it_is_missing(tmp_path):
    arguments = [f"--output={tmp_path / 'out'}", f"--sp_model={FIXTURES / 'tiny.model'}"]
    arguments += [f"--input={CORPUS}", "--num_shards=1", "--max_seq_length=64", "--dupe_factor=1"]
    finished = run("pretraining_data_beam", *arguments)
    if "apache-beam" in finished.stderr and finished.returncode:
        assert "pip install albert_tf[beam]" in finished.stderr
    else:
        assert "documents      220" in finished.stdout
        assert (tmp_path / "out" / "pretraining-00000-of-00001.tfrecord").is_file()
