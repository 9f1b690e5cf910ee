"""Several processes that train together find out whether they were started alike."""

import contextlib
import functools
import hashlib
import importlib.metadata
import json

import numpy as np
import sentencepiece
import tensorflow as tf

from albert_tf._keras import keras
from albert_tf.training.engine.strategy import is_chief, num_workers

_ALIKE = (
    "All workers must be started alike: with the same options, seed, checkpoint, data and versions "
    "of packages."
)


def agree(strategy, settings, rule=_ALIKE, way_out="Start all of them with the same command."):
    """Raises in all workers unless `settings` are the same in all of them.

    Does nothing where there is one process only.

    Args:
      strategy: A tf.distribute.Strategy.
      settings: dict for JSON, of anything that must not differ.
      rule, way_out: Beginning and end of the message.

    Raises:
      ValueError: They differ; the message says in what, and on which worker.
    """
    if num_workers(strategy) == 1:
        return
    first, *others = gather(strategy, settings)
    differences = [
        f"{name} is {_short(theirs.get(name))} on worker {number}, {_short(first.get(name))} on "
        "worker 0"
        for number, theirs in enumerate(others, start=1)
        for name in {**first, **theirs}
        if theirs.get(name) != first.get(name)
    ]
    if differences:
        raise ValueError(f"{rule} Received: {'; '.join(differences)}. {way_out}")


def chief_first(strategy, action):
    """Runs `action()` in the chief while the others wait; what it raises is raised in all.

    Raises:
      ValueError, OSError: As `action`; in the other processes a ValueError with the same message.
    """
    error = None
    if is_chief(strategy):
        try:
            action()
        except (ValueError, OSError) as caught:
            error = caught
    if num_workers(strategy) > 1:
        messages = [message for message in gather(strategy, error and str(error)) if message]
        if messages and error is None:
            raise ValueError(f"The chief of the workers could not begin: {messages[0]}")
    if error is not None:
        raise error


def gather(strategy, value):
    """A value of each worker: list in their order, the chief first.

    Args:
      strategy: A tf.distribute.Strategy.
      value: Anything for JSON.
    """
    text = np.frombuffer(json.dumps(value).encode(), np.uint8).astype(np.float32)
    longest = int(_rows(strategy)(np.float32([len(text)])).max())
    texts = _rows(strategy)(np.pad(text, [0, longest - len(text)]))
    per_worker = strategy.num_replicas_in_sync // num_workers(strategy)
    return [
        json.loads(row[row > 0].astype(np.uint8).tobytes().decode()) for row in texts[::per_worker]
    ]


def versions():
    """What this process computes with: {name of a package: version}."""
    packages = (tf, np, keras, sentencepiece)
    found = {package.__name__.split(".")[0]: package.__version__ for package in packages}
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):  # Run from its source.
        found["albert_tf"] = importlib.metadata.version("albert_tf")
    return found


def digest_of(variables):
    """Fingerprint of the values of some variables, in their order."""
    whole = hashlib.sha256()
    for variable in variables:
        whole.update(np.ascontiguousarray(variable.numpy()))
    return whole.hexdigest()[:16]


@functools.cache
def _rows(strategy):
    """A function: float32 [n] -> [replicas, n], of each replica's process; exact up to 2**24."""

    def of_replica(values):
        context = tf.distribute.get_replica_context()
        mine = tf.one_hot(context.replica_id_in_sync_group, context.num_replicas_in_sync)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, mine[:, None] * values[None, :])

    @tf.function(input_signature=[tf.TensorSpec([None])], autograph=False)
    def rows(values):
        results = strategy.run(of_replica, args=(values,))
        return strategy.experimental_local_results(results)[0]

    return lambda values: rows(values).numpy()


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
