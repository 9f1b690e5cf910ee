"""The tables: what is run for each, and what its columns mean.

Each function takes a `Setting` and returns the keys "title", "text", "reference", "columns",
"programs" and "not_measured" of a result, and "beside" if need be (see report.py).
"""

import collections
import dataclasses
import pathlib
import statistics
import time
from functools import partial

from benchmarks.speed import programs as p
from benchmarks.speed.embedding import embedding
from benchmarks.speed.rounds import PEAK, measure
from benchmarks.speed.worker import NotMeasured

BATCH, LENGTH = 32, 128


@dataclasses.dataclass
class Setting:
    """What all tables share.

    Attributes:
      launcher: `Launcher`.
      rounds: How often everything is measured.
      shapes: (batch, length) pairs of the dense table.
      sentences: texts.
      tokens: how many tokens each has, [CLS] and [SEP] included.
      batches: about how many batches of the sentences the padding table runs.
      requests: requests of one sentence in each round.
      only: names of programs; all if empty.
      xxlarge: whether the memory table has a row for xxlarge.
      done: rounds that were measured before and are gone on with.
      seconds: as of `measure`.
    """

    launcher: p.Launcher
    rounds: int
    shapes: list
    sentences: list
    tokens: list
    batches: int
    requests: int
    only: list
    xxlarge: bool
    done: int = 0
    seconds: float = float("inf")

    def select(self, programs):
        chosen = {k: v for k, v in programs.items() if not self.only or k in self.only}
        self.launcher.prepare(chosen)
        return chosen

    def measure(self, programs, cases, with_peak=True):
        def start(name):
            return self.launcher.start(programs[name])

        if not with_peak:
            return measure(start, programs, cases, self.rounds, seconds=self.seconds)
        with self.launcher.start(p.MATRIX_PRODUCT) as peak:
            return measure(start, programs, cases, self.rounds, peak, seconds=self.seconds)


def gflop(batch, length, layers=12, hidden=768, intermediate=3072, embedding=128):
    """Billions of operations of the encoder's matrix products."""
    products = 2 * batch * length * (4 * hidden**2 + 2 * hidden * intermediate)
    attention = 4 * batch * length**2 * hidden
    return 1e-9 * (layers * (products + attention) + 2 * batch * length * embedding * hidden)


def column(unit, better="higher"):
    return {"unit": unit, "better": better}


def dense(setting):
    def run(batch, length):
        rows = [length] * batch
        work = gflop(batch, length)
        return lambda w, _: work / w.ask("run", rows=rows, length=length)[0]

    cases = {f"{batch} x {length}": run(batch, length) for batch, length in setting.shapes}
    chosen = setting.select({**p.ENCODERS, **p.REDUCED})
    values, failures = setting.measure(chosen, cases)
    return {
        "title": "Dense batches",
        "text": "ALBERT base, batch x length without any padding, billions of operations of its "
        f"matrix products a second. `{PEAK}` is one product [4096, 768] x [768, 3072] in "
        "TensorFlow, timed before each case. All but `bfloat16` compute in float32.",
        "reference": p.OURS,
        "columns": {case: column("GFLOP/s") for case in cases},
        "programs": values,
        "not_measured": failures,
    }


def padding(setting):
    batches = [setting.tokens[i : i + BATCH] for i in range(0, len(setting.tokens), BATCH)]
    ordered = sorted(setting.tokens)
    by_length = [ordered[i : i + BATCH] for i in range(0, len(ordered), BATCH)]
    step = max(1, len(batches) // setting.batches)
    padded = [(rows, LENGTH) for rows in batches[:-1:step]]
    dynamic = [(rows, max(rows)) for rows in by_length[:-1:step]]

    sorted_programs = {
        f"{name}, dynamic padding, sorted": p.ENCODERS[name]
        for name in (p.OURS, "ONNX Runtime", p.PYTORCH)
    }
    without_padding = {**p.WITHOUT_PADDING, **p.REDUCED_WITHOUT_PADDING}
    chosen = setting.select({**without_padding, **p.ENCODERS, **sorted_programs})

    def sentences(*names):
        def measured(worker, name):
            run = dynamic if name in sorted_programs else padded
            if name not in sorted_programs and name not in without_padding:
                run = run[:1]  # Padding costs the same in each batch.
            seconds = worker.ask("run_all", batches=run, names=names)
            return sum(len(rows) for rows, _ in run) / seconds

        return measured

    def full(worker, name):
        if name in sorted_programs:
            return None
        seconds = worker.ask("run", rows=[LENGTH] * 8, length=LENGTH, repeat=5)
        return 8 / statistics.median(seconds)

    cases = {
        "pooled_output": sentences("pooled_output"),
        "both outputs": sentences("pooled_output", "sequence_output"),
        "nothing padded, 8 x 128": full,
    }
    values, failures = setting.measure(chosen, cases, with_peak=False)
    mean = statistics.mean(setting.tokens)
    return {
        "title": "Padding",
        "text": f"Sentences a second on SST-2 dev, {mean:.0f} tokens on average, in batches of "
        f"{BATCH} padded to {LENGTH} tokens; every {step}th batch of the file. A classifier of "
        "sentences asks for `pooled_output` alone, for which the others compute both outputs. The "
        "rows `dynamic padding, sorted` sort all sentences by length and pad to the longest of the "
        "batch. The last column has 8 sentences of 128 tokens, with nothing to skip, and both "
        "outputs, the median of five.",
        "reference": p.SKIP_PADDING,
        "columns": {case: column("sentences/s") for case in cases},
        "programs": values,
        "not_measured": failures,
    }


def latency(setting):
    length = round(statistics.median(setting.tokens))
    ours = {**p.WITHOUT_PADDING, **p.REDUCED, **p.tflite(1, length)}
    chosen = setting.select({**p.ENCODERS, **ours})
    ask = {"rows": [length], "length": length, "repeat": setting.requests}
    cases = {"": lambda worker, _: worker.ask("run", **ask)}
    values, failures = setting.measure(chosen, cases, with_peak=False)
    percentiles = {}
    for name, blocks in values.items():
        milliseconds = [sorted(1e3 * s for s in block) for block in blocks[""]]
        percentiles[name] = {
            "p50": [statistics.median(block) for block in milliseconds],
            "p99": [block[int(0.99 * len(block))] for block in milliseconds],
        }
    return {
        "title": "Latency of one sentence",
        "text": f"Milliseconds for one sentence of {length} tokens (SST-2 dev's median), "
        f"{setting.requests} requests in each of {setting.rounds} rounds. All compute in float32 "
        "but the row `bfloat16`, and the row `int8`, whose weights are int8.",
        "reference": p.OURS,
        "columns": {"p50": column("ms", "lower"), "p99": column("ms", "lower")},
        "programs": percentiles,
        "not_measured": failures,
    }


def startup(setting):
    chosen = setting.select({**p.ENCODERS, **p.WITHOUT_PADDING, **p.tflite(1, 24)})
    values, failures = collections.defaultdict(dict), {}
    for _ in range(setting.rounds):
        for name, program in chosen.items():
            try:
                with setting.launcher.start(program) as worker:
                    worker.ask("run", rows=[24], length=24)
                    seconds = time.perf_counter() - worker.start
            except NotMeasured as error:
                failures[name] = str(error)
                continue
            values[name].setdefault("first answer", []).append(seconds)
    for name in values:
        graphs = [a[1:-1] for a in chosen[name].arguments if a.startswith("{encoder")]
        if graphs:
            graph = pathlib.Path(setting.launcher.file(graphs[0])) / "saved_model.pb"
            values[name]["graph"] = [graph.stat().st_size / 1e3]
    return {
        "title": "Start-up",
        "text": "Seconds from the start of the process, imports and compilation included, to the "
        "first answer for a sentence of 24 tokens; the size of our graph.",
        "reference": p.OURS,
        "columns": {"first answer": column("s", "lower"), "graph": column("kB", "lower")},
        "programs": dict(values),
        "not_measured": failures,
    }


def preprocessing(setting):
    texts = setting.sentences * 10
    chosen = setting.select(p.PREPROCESSORS)
    cases = {"SST-2 dev": lambda w, _: len(texts) / w.ask("run", texts=texts, batch=256)}
    values, failures = setting.measure(chosen, cases, with_peak=False)
    return {
        "title": "Preprocessing",
        "text": "Text to padded ids of length 128, in batches of 256. SentencePiece's row is its "
        "own encoding alone: no normalization but lower case, no special tokens, no padding.",
        "reference": p.OURS,
        "columns": {case: column("sentences/s") for case in cases},
        "programs": values,
        "not_measured": failures,
    }


def training(setting):
    full, sentences = [LENGTH] * BATCH, setting.tokens[:BATCH]
    tasks = {"fine-tuning": full, "pre-training": full, p.SENTENCES: sentences}
    dynamic = {f"{p.PYTORCH}, dynamic padding": p.TRAINERS[p.PYTORCH]}
    trainers = {**p.TRAINERS, **dynamic, **p.REDUCED_TRAINERS}
    chosen = {p.OURS: trainers[p.OURS], **setting.select(trainers)}  # All are compared with ours.
    values, beside = collections.defaultdict(lambda: collections.defaultdict(list)), {}
    failures, columns = {}, {}

    def start(task, name):
        return setting.launcher.start(chosen[name], task)

    def speed(rows, worker, name):
        length = max(rows) if name in dynamic else LENGTH
        return BATCH / worker.ask("step", rows=rows, length=length)

    def peak_memory(worker, name):
        return worker.ask("peak_memory") / 1e6

    for task, rows in tasks.items():
        cases = {f"{task}, speed": partial(speed, rows), f"{task}, peak memory": peak_memory}
        columns |= dict(zip(cases, (column("examples/s"), column("MB", "lower"))))
        for name in chosen:
            if (name == p.OURS and len(chosen) > 1) or (name in dynamic and rows is full):
                continue
            two = dict.fromkeys([p.OURS, name])
            pair, failed = measure(partial(start, task), two, cases, setting.rounds)
            failures |= {f"{program}, {task}": why for program, why in failed.items()}
            beside.setdefault(name, {}).update(pair.get(p.OURS, {}))
            for program, measured in pair.items():
                for case, numbers in measured.items():
                    values[program][case] += numbers
    return {
        "title": "Training step",
        "text": f"ALBERT base, {BATCH} x {LENGTH} tokens, no padding, AdamW, dropout 0, float32 "
        "but for the row `bfloat16`, which is `--precision=bfloat16` of our commands; "
        f"in the last columns the first {BATCH} sentences of SST-2 dev, "
        f"{statistics.mean(sentences):.0f} tokens on average, padded to {LENGTH}: albert_tf skips "
        "padding there, as its fine-tuning does by default, and the row `dynamic padding` pads to "
        "the longest of the batch. All programs together would need too much memory: albert_tf "
        "and one other at a time take turns, step by step, and the ratio is that of their steps.",
        "reference": p.OURS,
        "beside": beside,
        "columns": columns,
        "programs": {name: values[name] for name in chosen if name in values},
        "not_measured": failures,
    }


def memory(setting):
    extra = p.XXLARGE if setting.xxlarge else {}
    ours = {**p.WITHOUT_PADDING, **p.tflite(8, LENGTH)}
    chosen = setting.select({**p.ENCODERS, **ours, **extra})
    values, failures = {}, {}
    with setting.launcher.start(p.MATRIX_PRODUCT) as worker:
        worker.ask("ready")
        values[p.TENSORFLOW] = {"load and predict": [worker.ask("peak_memory") / 1e6]}
    for name, program in chosen.items():
        rows = [32] if name in extra else [LENGTH] * 8
        try:
            with setting.launcher.start(program) as worker:
                worker.ask("run", rows=rows, length=rows[0], repeat=2)
                values[name] = {"load and predict": [worker.ask("peak_memory") / 1e6]}
        except NotMeasured as error:
            failures[name] = str(error)
    return {
        "title": "Memory",
        "text": "The most memory that a process holds which loads ALBERT base and runs 8 x 128 "
        "tokens twice; `xxlarge`: 1 x 32 tokens. A process that has just imported TensorFlow "
        f"holds what the row `{p.TENSORFLOW}` says, most of it the library's own code.",
        "reference": p.OURS,
        "columns": {"load and predict": column("MB", "lower")},
        "programs": values,
        "not_measured": failures,
    }


TABLES = {
    "dense": dense,
    "padding": padding,
    "latency": latency,
    "startup": startup,
    "preprocessing": preprocessing,
    "embedding": embedding,
    "training": training,
    "memory": memory,
}
