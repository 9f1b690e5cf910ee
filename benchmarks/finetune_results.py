"""Fine-tunes small ALBERTs from scratch on real data and writes docs/results.md.

    python -m benchmarks.finetune_results --data=DATA --sp_model=30k-clean.model --runs=RUNS \
        --minutes=60

runs `albert-tf finetune` for each task and seed of the plan below, one after the other, and scores
baselines on the same data. Runs that are complete in --runs are not repeated; what --minutes does
not allow is "not measured" in the table. DATA has the folders glue, squad and race.
"""

import dataclasses
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

from albert_tf.commands.run import run
from albert_tf.training.finetune_tasks import make_task
from benchmarks.bag_of_words import bag_of_words, majority, word_overlap

ROOT = pathlib.Path(__file__).parent.parent
COMMAND = "import sys; from albert_tf.commands.finetune import start; start(sys.argv)"

_DATA = flags.DEFINE_string("data", None, "Folder with glue, squad and race.", required=True)
_SP_MODEL = flags.DEFINE_string("sp_model", None, "SentencePiece model.", required=True)
_RUNS = flags.DEFINE_string("runs", None, "Directory of the runs.", required=True)
_MINUTES = flags.DEFINE_float("minutes", 60.0, "No run is begun after so many minutes.")
_OUTPUT = flags.DEFINE_string("output", str(ROOT / "docs" / "results.md"), "File to write.")
_SQUAD_TRAIN = flags.DEFINE_string("squad_train", "train-v1.1.json", "File in DATA/squad.")

CONFIG = {
    "vocab_size": 30000,
    "embedding_size": 64,
    "hidden_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 512,
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
}


@dataclasses.dataclass(frozen=True)
class Cell:
    """One row of the table: a task, how it is run, and how often."""

    task: str
    folder: str
    seeds: tuple
    flags: str
    what: str
    variant: str = ""

    @property
    def name(self):
        return self.task + self.variant


SHORT = "short run: shows that the command works, not what can be learned"
CELLS = (
    Cell(
        "sst-2",
        "glue",
        (0, 1, 2),
        "--max_seq_length=48 --epochs=1 --batch_size=64 --learning_rate=1e-3",
        "1 epoch, rate 1e-3",
        "-fast",
    ),
    Cell(
        "cola",
        "glue",
        (0,),
        "--max_seq_length=32 --train_steps=150 --batch_size=32 --nodetect_collapse",
        SHORT,
    ),
    Cell(
        "mrpc",
        "glue",
        (0,),
        "--max_seq_length=96 --train_steps=100 --batch_size=32 --nodetect_collapse",
        SHORT,
    ),
    Cell(
        "rte",
        "glue",
        (0,),
        "--max_seq_length=96 --train_steps=60 --batch_size=32 --nodetect_collapse",
        SHORT,
    ),
    Cell("sts-b", "glue", (0,), "--max_seq_length=64 --train_steps=150 --batch_size=32", SHORT),
    Cell(
        "squad1.1",
        "squad",
        (0,),
        "--max_seq_length=192 --train_steps=60 --batch_size=16 --max_train_examples=800 "
        "--max_dev_examples=300",
        f"{SHORT}; 800 questions to learn from, 300 of dev's",
    ),
    Cell(
        "race-middle",
        "race",
        (0,),
        "--max_seq_length=128 --max_qa_length=48 --train_steps=40 --batch_size=8 "
        "--max_train_examples=800 --max_dev_examples=300 --nodetect_collapse",
        f"{SHORT}; 800 questions to learn from, 300 of dev's",
    ),
    Cell(
        "sst-2",
        "glue",
        (0, 1, 2),
        "--max_seq_length=48 --epochs=1 --batch_size=64",
        "1 epoch, rate 5e-4 as in the recipe",
    ),
)


def main():
    end = time.monotonic() + 60 * _MINUTES.value
    runs = pathlib.Path(_RUNS.value)
    runs.mkdir(parents=True, exist_ok=True)
    config = runs / "config.json"
    config.write_text(json.dumps(CONFIG))
    rows = []
    for cell in CELLS:
        results = [measure(cell, seed, runs, config, end) for seed in cell.seeds]
        begun = [result for result in results if result is not None]
        rows.append(row(cell, begun, baselines(cell)))
        write(rows)


def data_flags(cell):
    folder = pathlib.Path(_DATA.value) / cell.folder
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
        arguments += ["--from_scratch", f"--config={config}", f"--sp_model={_SP_MODEL.value}"]
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


def baselines(cell):
    """(score of the most frequent answer, score of the words) or None for each."""
    if cell.task == "squad1.1":
        return None, None
    splits = make_task(cell.task, **data_flags(cell)).splits
    if cell.folder == "race":
        letters = [example.label for example in splits["train"]]
        most = statistics.mode(letters)
        return sum(e.label == most for e in splits["dev"]) / len(splits["dev"]), word_overlap(
            splits["dev"]
        )
    metric = make_task(cell.task, **data_flags(cell)).best_metric
    pair = splits["train"], splits["dev"]
    return majority(*pair, metric), bag_of_words(*pair, metric)


def row(cell, results, scores):
    done = [result for result in results if result]
    if not results:
        measured = ["not measured"] * 4
    elif not done:
        measured = ["all failed", f"{len(results)} of {len(results)}", "", ""]
    else:
        best = done[0]["best_metric"]
        values = sorted(result["scores"]["dev"][best] or 0.0 for result in done)
        spread = f" ({_number(values[0])} to {_number(values[-1])})" if len(values) > 1 else ""
        minutes = statistics.median(result["minutes"] for result in done)
        measured = [
            f"{_number(statistics.median(values))}{spread}",
            ", ".join(str(result["seed"]) for result in done),
            f"{len(results) - len(done)} of {len(results)}",
            f"{minutes:.1f}",
        ]
    metric = done[0]["best_metric"] if done else ""
    columns = [cell.task, metric, *map(_number, scores), *measured, cell.what]
    return f"| {' | '.join(columns)} |"


def write(rows):
    header = (
        "| task | metric on dev | most frequent answer | linear model of words | "
        "ALBERT: median (min to max) | seeds | failed runs | minutes a run | how |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    path = pathlib.Path(_OUTPUT.value)
    path.parent.mkdir(parents=True, exist_ok=True)
    parameters = ", ".join(f"{name} {value}" for name, value in CONFIG.items())
    body = f"{header}{chr(10).join(rows)}\n"
    path.write_text(
        f"""# What fine-tuning gave

Written by `python -m benchmarks.finetune_results`; `--help` tells how.

## From scratch, small

Encoders with **random weights** ({parameters}), trained on the task alone with
`albert-tf finetune --from_scratch`. They show that the program learns from real data; scores of
pre-trained models are far higher. Scores are those of the official metrics; SQuAD's f1 is in
percent, the others are fractions. As in the paper, a score is the best of some ten evaluations on
dev during the run, not a score of held-out data. A failed run is one that the collapse detector
stopped; the median is that of the others.

{body}
For RACE the words' column is the option with most words that the passage has. Baselines are
scored on the whole dev set, also where the ALBERT is scored on a sample of it. Texts were cut to
the length that the plan in the program says (44 of SST-2's 872 dev sentences, to 48 tokens).

Machine: {_machine()}.

## With published weights

Not measured: no published weights were at hand. The recipes are those of the paper (each prints its
source when it starts), whose results are in Google's README.

## On a GPU

Not measured: tokens/s, memory and the loss in bfloat16.
""",
        encoding="utf-8",
    )
    print(f"wrote {path}", flush=True)


def _number(value):
    if value is None:
        return "none"
    return (
        "not defined" if value != value else f"{value:.3f}" if abs(value) <= 1 else f"{value:.1f}"
    )


def _machine():
    name = platform.processor() or platform.machine()
    info = pathlib.Path("/proc/cpuinfo")
    if info.is_file():
        lines = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        name = lines[0].partition(":")[2].strip() if lines else name
    return f"{os.cpu_count()} cores of {name}, shared with other work; TensorFlow {tf.__version__}"


if __name__ == "__main__":
    run(main)
