"""Failures of TensorFlow that a user can do something about, in words that say what."""

import contextlib

import tensorflow as tf

from albert_tf.data.tfrecord import read_records
from albert_tf.training.engine.op_errors import one_line
from albert_tf.training.engine.strategy import num_workers

_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


@contextlib.contextmanager
def told_failures(strategy, files=()):
    """Raises what TensorFlow says of damaged files and lost workers as errors that say what to do.

    Args:
      strategy: The tf.distribute.Strategy that the block uses.
      files: Paths of the TFRecord files that the block reads.

    Raises:
      ValueError: A file is damaged; the message names it.
      ConnectionError: One of several workers is gone.
    """
    try:
        yield
    except tf.errors.DataLossError:
        for path in files:
            with open(path, "rb") as file:
                for _ in read_records(file, path):
                    pass
        raise
    except _LOST as error:
        if num_workers(strategy) == 1:
            raise
        raise ConnectionError(
            "All workers must be there until the end. Received: no answer from one of them "
            f"({one_line(error)}). Start the same command on all of them again: it goes on from "
            "the newest saved state."
        ) from error
