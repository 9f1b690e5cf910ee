"""Pre-training records of raw text: speed and memory beside the original's algorithm.

    python benchmarks/pretraining_data.py --input='corpus/*.txt' --sp_model=30k-clean.model

Both read the same file, one sentence a line, and write the same kind of records. The original's
algorithm is `replay_original`, which makes Google's records one by one and in Google's order, with
everything in memory; it runs on the first --baseline_megabytes, for its speed does not depend on
the size. Tokens are those of the records, [CLS] and [SEP] included; ratios are to the original's
algorithm with as many passes. With a single pass over the text, SentencePiece's own time, which
both have, is most of ours. CPU time shows what a busy machine hides. Memory is the sum of the peaks
of all processes (Linux only).
"""

import dataclasses
import itertools
import multiprocessing
import os
import pathlib
import resource
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
from absl import app, flags  # noqa: E402

from albert_tf.data.example_proto import serialize_examples  # noqa: E402
from albert_tf.data.pretraining.document_format import DocumentFormat  # noqa: E402
from albert_tf.data.pretraining.documents import DocumentFiles  # noqa: E402
from albert_tf.data.pretraining.options import PretrainingOptions  # noqa: E402
from albert_tf.data.pretraining.workers import available_cores  # noqa: E402
from albert_tf.data.pretraining.write import write_pretraining_data  # noqa: E402
from albert_tf.data.tfrecord import frame_records  # noqa: E402
from benchmarks.original_replay import replay_original  # noqa: E402

_INPUT = flags.DEFINE_list("input", None, "Text files, each a document.", required=True)
_LINES = flags.DEFINE_string("lines", "paragraph", "What a line is: sentence, paragraph, wrapped.")
_SP_MODEL = flags.DEFINE_string("sp_model", None, "SentencePiece model.", required=True)
_MEGABYTES = flags.DEFINE_list("megabytes", ["40", "120"], "Sizes of the corpus.")
_BASELINE_MEGABYTES = flags.DEFINE_integer("baseline_megabytes", 4, "Text for the original.")
_DUPE_FACTORS = flags.DEFINE_list("dupe_factor", ["1", "10"], "Passes over the text.")
_LENGTH = flags.DEFINE_integer("max_seq_length", 512, "Tokens of a record.")


@dataclasses.dataclass
class Result:
    tokens: int
    seconds: float
    cpu_seconds: float
    megabytes: float


def original(text, output, sp_model, options):
    """Makes all records as the original does; returns their tokens."""
    with open(text, encoding="utf-8") as lines:
        records = replay_original(lines, sp_model, options, numpy_seed=1)
    with open(output, "wb") as file:
        columns = {name: np.array([record[name] for record in records]) for name in records[0]}
        file.write(frame_records(serialize_examples(columns)))
    return sum(sum(record["input_mask"]) for record in records)


def ours(text, output, sp_model, options, workers):
    """Makes all records with this package; returns their tokens."""
    counts = write_pretraining_data(
        DocumentFiles(text), output, sp_model, options, workers=workers, show_progress=False
    )
    return counts["record_tokens"]


def measure(function, *arguments):
    """Runs a function in a process of its own: `Result`."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_timed, args=(sender, function, arguments))
    process.start()
    sender.close()
    peak, done = 0, threading.Event()

    def watch():
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, _peak_of_tree(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    tokens, seconds, cpu_seconds = receiver.recv()
    done.set()
    watcher.join()
    process.join()
    return Result(tokens, seconds, cpu_seconds, peak / 1e6)


def _timed(sender, function, arguments):
    start = time.perf_counter()
    tokens = function(*arguments)
    seconds = time.perf_counter() - start
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu_seconds = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    sender.send((tokens, seconds, cpu_seconds))


def _peak_of_tree(pid):
    """Bytes: the sum of what a process and its descendants have held at most so far."""
    try:
        with open(f"/proc/{pid}/status") as status:
            held = [line.split()[1] for line in status if line.startswith("VmHWM")]
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            descendants = children.read().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(size) * 1024 for size in held) + sum(map(_peak_of_tree, descendants))


def write_corpus(path, megabytes):
    """Writes so much text, a sentence a line and empty lines between documents."""
    files = DocumentFiles(
        _INPUT.value, DocumentFormat("text", lines=_LINES.value, whole_files=True)
    )
    size = 0
    with open(path, "w", encoding="utf-8") as file:
        for document in itertools.chain.from_iterable(files.read(0, 1) for _ in itertools.count()):
            for sentence in document:
                size += file.write(sentence + "\n")
                if size >= megabytes * 1e6:
                    return
            size += file.write("\n")


def main(_):
    cores = available_cores()
    print(f"{cores} cores, {_LENGTH.value} tokens a record, recipe 'original'\n")
    print("| program | text | passes | tokens/s | ratio | tokens/CPU s | ratio | peak memory |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for passes in map(int, _DUPE_FACTORS.value):
            options = PretrainingOptions(
                recipe="original", max_seq_length=_LENGTH.value, dupe_factor=passes
            )
            text = os.path.join(folder, "baseline.txt")
            write_corpus(text, _BASELINE_MEGABYTES.value)
            output = os.path.join(folder, "baseline.tfrecord")
            baseline = measure(original, text, output, _SP_MODEL.value, options)
            _report("original's algorithm", _BASELINE_MEGABYTES.value, passes, baseline, baseline)
            for size, workers in itertools.product(map(int, _MEGABYTES.value), sorted({1, cores})):
                text = os.path.join(folder, f"{size}.txt")
                if not os.path.exists(text):
                    write_corpus(text, size)
                with tempfile.TemporaryDirectory(dir=folder) as output:
                    result = measure(ours, text, output, _SP_MODEL.value, options, workers)
                _report(f"albert_tf, {workers} workers", size, passes, result, baseline)


def _report(name, megabytes, passes, result, baseline):
    cells = [name, f"{megabytes} MB", str(passes)]
    for seconds, of in (
        (result.seconds, baseline.seconds),
        (result.cpu_seconds, baseline.cpu_seconds),
    ):
        speed = result.tokens / seconds
        cells += [f"{speed:,.0f}", f"{speed * of / baseline.tokens:.1f} x"]
    print(f"| {' | '.join(cells)} | {result.megabytes:.0f} MB |", flush=True)


if __name__ == "__main__":
    app.run(main)
