"""A benchmark's process: one JSON request a line in, one answer a line out.

Needs NumPy only, for it runs in the environments of all peers. The driver (`benchmarks/speed`) asks
one process at a time, so that all of them have the whole machine when it is their turn.
"""

import json
import os
import sys
import time

import numpy as np


def serve(functions):
    """Answers requests {"run": name, ...arguments} with {"result": ...} or {"error": ...}.

    Args:
      functions: {name: function of the request's other keys that returns something for JSON}.
    """
    answers = os.fdopen(int(os.environ["ANSWERS"]), "w")
    functions = {"ready": lambda: None, "peak_memory": peak_memory, "memory": memory, **functions}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": functions[request.pop("run")](**request)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:300]}
        print(json.dumps(answer), file=answers, flush=True)


BOTH = ("pooled_output", "sequence_output")


def serve_encoder(forward):
    """Serves an encoder.

    Args:
      forward: function of the names of outputs (`BOTH`, or one of them) and of int arrays word ids,
        mask and type ids, each [batch, length], that returns when these outputs are there. A
        program that can only compute both does.
    """

    def run(rows, length, repeat=1, names=BOTH):
        """Seconds of each of `repeat` runs on rows with so many tokens, padded to `length`."""
        inputs = batch(rows, length)
        return [seconds(forward, tuple(names), *inputs) for _ in range(repeat)]

    def run_all(batches, names=BOTH):
        """Seconds for a list of (rows, length)."""
        batches = [batch(*b) for b in batches]
        return seconds(lambda: [forward(tuple(names), *inputs) for inputs in batches])

    serve({"run": run, "run_all": run_all})


def serve_embedder(embed):
    """Serves a function from a list of sentences to their vectors, an array [sentences, H]."""

    def run(texts, output):
        """Seconds that the vectors take; writes them to the file `output`."""
        start = time.perf_counter()
        vectors = embed(texts)
        end = time.perf_counter()
        np.save(output, vectors)
        return end - start

    serve({"run": run})


def batch(rows, length):
    """Random ids, with as many tokens in each row as `rows` says."""
    mask = np.arange(length) < np.asarray(rows)[:, np.newaxis]
    ids = np.random.default_rng(0).integers(5, 1000, mask.shape) * mask
    return ids.astype(np.int32), mask.astype(np.int32), np.zeros(mask.shape, np.int32)


def seconds(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def peak_memory():
    """The most memory that this process has held, in bytes (Linux)."""
    return _of_status("VmHWM")


def memory():
    """The memory that this process holds, in bytes (Linux)."""
    return _of_status("VmRSS")


def _of_status(name):
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith(name))
