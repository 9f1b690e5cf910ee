"""Scores the packaged model and the same architecture with random weights: docs/results.md.

    python -m benchmarks.finetune_results --data=DATA --runs=RUNS --heldout=RECORDS --minutes=60

evaluates both on held-out pre-training records, runs `albert-tf finetune` for each task, start and
seed of the plan below, --jobs at a time, and scores baselines on the same data. Runs that are
complete in --runs are not repeated; what --minutes does not allow is "not measured" in the table.
DATA has the folders glue, squad and race; RECORDS is made as BUILD.md says.
"""

import concurrent.futures
import dataclasses
import functools
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from absl import flags

from albert_tf.checkpoints.read import read
from albert_tf.checkpoints.vocabulary_file import find_vocabulary
from albert_tf.commands.run import run
from albert_tf.training.finetuning.tasks import make_task
from benchmarks.bag_of_words import (
    answer_majority,
    bag_of_words,
    majority,
    sentence_overlap,
    word_overlap,
)
from benchmarks.heldout import heldout_explanation, heldout_scores

ROOT = pathlib.Path(__file__).parent.parent
COMMAND = "import sys; from albert_tf.commands.finetune import start; start(sys.argv)"

_DATA = flags.DEFINE_string("data", None, "Folder with glue, squad and race.", required=True)
_RUNS = flags.DEFINE_string("runs", None, "Directory of the runs.", required=True)
_HELDOUT = flags.DEFINE_string("heldout", None, "Held-out pre-training records.", required=True)
_MINUTES = flags.DEFINE_float("minutes", 60.0, "No run is begun after so many minutes.")
_JOBS = flags.DEFINE_integer("jobs", 1, "Runs at a time.", lower_bound=1)
_OUTPUT = flags.DEFINE_string("output", str(ROOT / "docs" / "results.md"), "File to write.")
_SQUAD_TRAIN = flags.DEFINE_string("squad_train", "train-v1.1.json", "File in DATA/squad.")

MODEL = "albert_tiny_en"
FOLDERS = {"squad1.1": "squad", "race-middle": "race"}
STARTS = ("pre-trained", "random")


@dataclasses.dataclass(frozen=True)
class Cell:
    """A row of the table: a task, what it starts from, how it is run, and how often."""

    task: str
    start: str
    seeds: tuple
    flags: str
    what: str
    learning_rate: str = "1e-4"

    @property
    def name(self):
        rate = f"-{self.learning_rate}" if self.learning_rate != Cell.learning_rate else ""
        return f"{self.task}-{self.start}{rate}"


def both(task, *arguments):
    """The same row for both starts."""
    return [Cell(task, start, *arguments) for start in STARTS]


SST2 = (
    "sst-2",
    (0, 1, 2),
    "--max_seq_length=64 --epochs=1 --max_train_examples=10000 --nodetect_collapse",
    "1 epoch of 10000 examples",
)
CELLS = (
    *both(*SST2),
    *both(*SST2, "3e-4"),
    *both(
        "mrpc", (0, 1, 2, 3, 4), "--max_seq_length=128 --epochs=5 --nodetect_collapse", "5 epochs"
    ),
    *both(
        "cola",
        (0, 1, 2),
        "--max_seq_length=64 --epochs=3 --batch_size=32 --nodetect_collapse",
        "3 epochs",
    ),
    *both("rte", (0, 1, 2), "--max_seq_length=128 --epochs=5 --nodetect_collapse", "5 epochs"),
    *both("sts-b", (0, 1, 2), "--max_seq_length=64 --epochs=5 --batch_size=32", "5 epochs"),
    Cell(
        "squad1.1",
        "pre-trained",
        (0, 1, 2),
        # Shorter windows would often be without the answer: their label is [CLS], which crowds out.
        "--max_seq_length=384 --epochs=1 --batch_size=16 --max_train_examples=10000 "
        "--max_dev_examples=1000",
        "1 epoch of 10000 questions; 1000 of dev's",
        "3e-4",
    ),
    Cell(
        "race-middle",
        "pre-trained",
        (0, 1, 2),
        "--max_seq_length=256 --max_qa_length=48 --epochs=1 --batch_size=8 "
        "--max_train_examples=2000 --max_dev_examples=500 --nodetect_collapse",
        "1 epoch of 2000 questions; 500 of dev's",
    ),
)
WARMUP = "--warmup_proportion=0.1"
FIRST = ("sst-2", "mrpc")  # What the comparison of the two starts is made of.


def main():
    end = time.monotonic() + 60 * _MINUTES.value
    runs = pathlib.Path(_RUNS.value)
    runs.mkdir(parents=True, exist_ok=True)
    config = read(MODEL).config
    path = runs / "config.json"
    path.write_text(config.to_json(), encoding="utf-8")
    heldout = heldout_scores(MODEL, config, _HELDOUT.value, runs / "heldout.json")
    results = {cell: [] for cell in CELLS}
    tables = {}
    plan = [(cell, seed) for cell in CELLS for seed in cell.seeds]
    plan.sort(key=_turn)
    with concurrent.futures.ThreadPoolExecutor(_JOBS.value) as pool:
        measured = pool.map(lambda run: measure(*run, runs, path, end), plan)
        for (cell, _), result in zip(plan, measured):
            results[cell].append(result)
            tables[cell] = row(cell, [r for r in results[cell] if r is not None])
            write([tables[c] for c in CELLS if c in tables], heldout, config)


def _turn(run):
    """Sorts the runs.

    What the starts are compared by; then each task once; then seeds beyond the three that every row
    has; last, random starts.
    """
    cell, seed = run
    if seed > 2:
        return 2, seed, 0
    if cell.task in FIRST:
        return 0, seed, FIRST.index(cell.task)
    return (1 if cell.start == "pre-trained" else 3), seed, 0


def data_flags(cell):
    folder = pathlib.Path(_DATA.value) / FOLDERS.get(cell.task, "glue")
    if cell.task == "squad1.1":
        return {
            "train_file": str(folder / _SQUAD_TRAIN.value),
            "dev_file": str(folder / "dev-v1.1.json"),
        }
    return {"data_dir": str(folder)}


def measure(cell, seed, runs, config, end):
    """The metrics.json of a run; {} for a failed one; None for one that was not begun."""
    output = runs / f"{cell.name}-{seed}"
    metrics, failed = output / "metrics.json", runs / f"{cell.name}-{seed}.failed"
    if not metrics.is_file() and not failed.is_file():
        if time.monotonic() > end:
            return None
        where = [f"--{name}={value}" for name, value in data_flags(cell).items()]
        arguments = [f"--task={cell.task}", *where, *cell.flags.split(), f"--seed={seed}"]
        arguments += [f"--learning_rate={cell.learning_rate}", WARMUP]
        if cell.start == "random":
            sp_model = find_vocabulary(read(MODEL).path)
            arguments += ["--from_scratch", f"--config={config}", f"--sp_model={sp_model}"]
        else:
            arguments += [f"--checkpoint={MODEL}"]
        arguments += [f"--output={output}", f"--cache_dir={runs / 'cache'}", "--noexport"]
        print("albert-tf finetune", *arguments, flush=True)
        with open(runs / f"{cell.name}-{seed}.log", "w", encoding="utf-8") as log:
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            process = subprocess.run(
                [sys.executable, "-c", COMMAND, *arguments], stdout=log, stderr=log, env=environment
            )
        if process.returncode:
            failed.touch()
            print(f"failed: see {log.name}", flush=True)
    return {} if failed.is_file() else json.loads(metrics.read_text(encoding="utf-8"))


@functools.cache
def baselines(task):
    """(score of the most frequent answer, score of the words)."""
    cell = next(cell for cell in CELLS if cell.task == task)
    splits = make_task(cell.task, **data_flags(cell)).splits
    if task == "squad1.1":
        return answer_majority(splits["train"], splits["dev"]), sentence_overlap(splits["dev"])
    if task.startswith("race"):
        letters = [example.label for example in splits["train"]]
        most = statistics.mode(letters)
        return sum(e.label == most for e in splits["dev"]) / len(splits["dev"]), word_overlap(
            splits["dev"]
        )
    metric = make_task(cell.task, **data_flags(cell)).best_metric
    pair = splits["train"], splits["dev"]
    return majority(*pair, metric), bag_of_words(*pair, metric)


def row(cell, results):
    number = functools.partial(_number, task=cell.task)
    done = [result for result in results if result]
    if not results:
        measured = ["not measured"] * 4
    elif not done:
        measured = ["all failed", f"{len(results)} of {len(results)}", "", ""]
    else:
        best = done[0]["best_metric"]
        values = sorted(result["scores"]["dev"][best] or 0.0 for result in done)
        spread = f" ({number(values[0])} to {number(values[-1])})" if len(values) > 1 else ""
        minutes = statistics.median(result["minutes"] for result in done)
        measured = [
            f"{number(statistics.median(values))}{spread}",
            ", ".join(str(result["seed"]) for result in done),
            f"{len(results) - len(done)} of {len(results)}",
            f"{minutes:.1f}",
        ]
    metric = done[0]["best_metric"] if done else ""
    scores = map(number, baselines(cell.task))
    columns = [cell.task, metric, *scores, cell.start, cell.learning_rate, *measured, cell.what]
    return f"| {' | '.join(columns)} |"


def write(rows, heldout, config):
    header = (
        "| task | metric on dev | most frequent answer | linear model of words | starts from | "
        "rate | ALBERT: median (min to max) | seeds | failed runs | minutes a run | how |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|\n"
    )
    path = pathlib.Path(_OUTPUT.value)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"""# What was measured

`python -m benchmarks.finetune_results` writes this page; `--help` explains its flags.

The packaged `{MODEL}` ({config.num_hidden_layers} layers, H {config.hidden_size},
E {config.embedding_size}, {config.vocab_size} pieces), beside the **same architecture with random
weights**.

## Held-out text

{heldout}

{heldout_explanation()}

## Fine-tuning

{header}{chr(10).join(rows)}

Runs of `albert-tf finetune`, from the packaged weights with `--checkpoint={MODEL}` and from random
ones with `--from_scratch`, both with {WARMUP} and the same rates; SQuAD and RACE, which take
longest, from the packaged weights only. Scores are those of the official metrics;
SQuAD's f1 is in percent, the others are fractions. As in the paper, a score is the best of some ten
evaluations on dev during the run, not a score of held-out data. A failed run is one that the
collapse detector stopped; the median is that of the others. Minutes are those of the last call,
where a run was interrupted. The scores show that the programs learn; published models score far
higher.

For RACE the words' column is the option with most words that the passage has, for SQuAD the
sentence with most words of the question. Baselines are scored on the whole dev set, also where the
ALBERT is scored on a sample of it. Texts were cut to the length that the plan in the program says.
MRPC's dev set has 408 pairs: near 0.7, the standard error of an accuracy on so few is 0.023.

Machine: {_machine()}.

## With published weights

Not measured: published weights were not available. The recipes are those of the paper (each prints
its source when it starts), whose results are in Google's README.

## On a GPU

Not measured: tokens/s, memory and the loss in bfloat16.
""",
        encoding="utf-8",
    )
    print(f"wrote {path}", flush=True)


def _number(value, task):
    if value != value:
        return "not defined"
    return f"{value:.1f}" if task == "squad1.1" else f"{value:.3f}"


def _machine():
    name = platform.processor() or platform.machine()
    info = pathlib.Path("/proc/cpuinfo")
    if info.is_file():
        lines = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        name = lines[0].partition(":")[2].strip() if lines else name
    return f"{os.cpu_count()} cores of {name}, shared with other work; TensorFlow {tf.__version__}"


if __name__ == "__main__":
    run(main)
