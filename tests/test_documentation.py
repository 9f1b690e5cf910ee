"""The programs of README.md run, in their order, as a reader would run them; numbers are true."""

import json
import os
import pathlib
import re
import runpy
import statistics
import subprocess
import sys

import pytest

import albert_tf
from albert_tf._keras import KERAS_3
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.training.finetuning.recipes import OWN, RECIPES
from tests import programs

ROOT = pathlib.Path(__file__).parent.parent


def run(*command, cwd, **environment):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # Readers have not set it.
    return programs.run([sys.executable, *command], cwd=cwd, env=environment, text=True)


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
    text = (ROOT / "README.md").read_text()
    programs = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.S)
    assert len(programs) == text.count("```python") == 3
    assert all(len(program.split("\n\n")[-1].splitlines()) <= 8 for program, _ in programs)
    process = run("-c", "\n".join(program for program, _ in programs), cwd=directory)
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    assert process.stdout == "".join(output for _, output in programs)


def test_tensorflow_lite(tmp_path):
    text = (ROOT / "docs" / "tflite.md").read_text()
    (command,) = re.findall(r"^python -m (export.tflite .*)$", text, re.M)
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
    ((program, output),) = re.findall(r"```py\n(.*?)```\n\n```text\n(.*?)```", text, re.S)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    received = subprocess.check_output(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, text=True
    )
    assert received == output


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


def times(table, program, column):
    """How many times as much as our plain encoder a program has, as a table of docs/performance."""
    with open(ROOT / "docs" / "performance" / f"{table}.json") as file:
        programs = json.load(file)["programs"]
    rounds = zip(programs[program][column], programs["albert_tf"][column])
    return statistics.median(a / b for a, b in rounds)


def test_numbers_of_speed_and_memory():
    text = " ".join((ROOT / "docs" / "speed.md").read_text().split())
    columns = ("8 x 128", "32 x 128", "8 x 512")
    halves = [times("dense", "albert_tf, bfloat16", column) for column in columns]
    one = 1 / times("latency", "albert_tf, bfloat16", "p50")
    batches = f"batches {min(halves):.1f} to {max(halves):.1f} times as fast"
    assert f"{batches}, single sentences {one:.1f} times" in text
    lost = [round(100 / times("dense", "albert_tf, XLA", column) - 100) for column in columns]
    assert lost[0] <= 2 and f"a loss of {min(lost[1:])} to {max(lost[1:])} % at larger" in text
    skipped = times("padding", "albert_tf, skip_padding", "pooled_output")
    assert f"padded to 128 tokens: {skipped:.1f} times as many a second" in text
    lite = "albert_tf, TensorFlow Lite, "
    assert "A fifth of the memory" in text
    assert round(1 / times("memory", lite + "float32", "load and predict")) == 5
    assert "the first answer in a twentieth" in text
    assert 1 / times("startup", lite + "float32", "first answer") > 20
    assert "with int8, one sentence in a seventh" in text
    assert round(1 / times("latency", lite + "int8", "p50")) == 7
    tflite = " ".join((ROOT / "docs" / "tflite.md").read_text().split())
    for words in (
        "took a fifth of the memory",
        "first answer in a twentieth",
        "in a seventh of it",
    ):
        assert words in tflite


def test_recipes_in_the_guide():
    rows = [line.strip("| ").split(" | ") for line in _table("finetuning.md", "learning rate")]
    shown = {
        name: (float(rate), int(batch), int(steps), int(warmup), int(length))
        for name, rate, batch, steps, warmup, length in rows[:-1]
    }
    for name, recipe in RECIPES.items():
        values = (recipe.learning_rate, recipe.batch_size, recipe.train_steps, recipe.warmup_steps)
        assert name == "mismnli" or shown.pop(name) == (*values, recipe.max_seq_length)
    assert not shown
    own = [f"{OWN.learning_rate}", f"{OWN.batch_size}", f"{OWN.epochs:.0f} epochs"]
    assert rows[-1][1:] == [*own, f"{OWN.warmup_proportion:.0%}"[:-1] + " %", "128"]


def _table(page, heading):
    """The rows of the table of a page whose header has the words of `heading`."""
    lines = (ROOT / "docs" / page).read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| ") and heading in line)
    end = lines.index("", start)
    return lines[start + 2 : end]


def test_drawings_are_those_of_the_program():
    drawings = runpy.run_path(str(ROOT / "docs" / "drawings.py"))
    for name in ("albert", "flows"):
        assert (drawings["PICTURES"] / f"{name}.svg").read_text() == drawings["DRAWINGS"][name]()


def test_numbers_of_the_heat_map():
    drawings = runpy.run_path(str(ROOT / "docs" / "drawings.py"))
    vectors = albert_tf.Predictor("albert_tiny_en", task="embedding")(drawings["SENTENCES"])
    cells = re.findall(r">(\d\.\d\d)</text>", (drawings["PICTURES"] / "similarity.svg").read_text())
    expected = (vectors @ vectors.T).ravel()
    assert abs(expected - [float(cell) for cell in cells[: len(expected)]]).max() < 0.0051
    ticks = [float(tick) for tick in cells[len(expected) :]]
    assert ticks == sorted(ticks) and max(ticks) < 1


def test_numbers_of_the_packaged_model():
    card = " ".join((ROOT / "albert_tf" / "albert_tiny_en" / "README.md").read_text().split())
    build = " ".join((ROOT / "BUILD.md").read_text().split())
    (heldout,) = [row for row in _table("results.md", "masked LM accuracy") if "albert_tiny" in row]
    accuracy, perplexity, order = heldout.strip("| ").split(" | ")[1:]
    assert f"accuracy of {accuracy} (perplexity {perplexity}) and a sentence order" in build
    assert f"accuracy of {order}." in build
    assert (
        f"finds {100 * float(accuracy):.1f} % of the masked pieces (perplexity {perplexity})"
        in card
    )
    assert f"two segments in {100 * float(order):.0f} % of the cases" in card
    tokens = sum(float(n) for n in re.findall(r"\| ([\d.]+) M \|", card))
    published = 125_000 * 4096 * 512 / 1e6
    assert f"some {round(published / tokens, -1):,.0f} times as many tokens (125,000 steps" in card
    weights = AlbertPretrainer.from_checkpoint("albert_tiny_en").count_params()
    assert f"| weights | {weights:,}, stored" in card
    for page in ("README.md", "docs/start.md"):
        assert f"{weights / 1e6:.1f} million weights" in " ".join((ROOT / page).read_text().split())
    minutes = [int(n) for n in re.findall(r"\| (?:float32|bfloat16, mixed) \| (\d+) \|", card)]
    assert len(minutes) == 6 and 300 < sum(minutes) < 360  # "In under six hours".
    size = (ROOT / "albert_tf" / "albert_tiny_en" / "model.safetensors").stat().st_size
    assert f"({size / 1e6:.1f} MB)" in card and f"| {size / 1e6:.1f} MB |" in build
