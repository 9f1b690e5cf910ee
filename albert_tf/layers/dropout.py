"""Dropout without state of its own."""

import contextlib
import itertools
import threading

import tensorflow as tf

# The seeds for the calls of `dropout` in each thread: tf.distribute runs a thread a replica.
_scope = threading.local()


@contextlib.contextmanager
def dropout_seed(seed):
    """Makes every `dropout` inside the block a pure function of `seed`.

    For training that can be repeated and resumed exactly: each call in the block gets its own
    number, so the same code with the same seed drops the same elements. Acts on the calls of this
    thread only, and inside a tf.function while it is traced. Without it, `dropout` draws from
    TensorFlow's global generator.

    Args:
      seed: int tensor [2]. None changes nothing.

    Example:

    >>> from albert_tf.layers.dropout import dropout_seed, dropout
    >>> import tensorflow as tf
    >>> x = tf.ones([2, 4])
    >>> with dropout_seed(tf.constant([1, 2])):
    ...     first = dropout(x, 0.5, training=True)
    >>> with dropout_seed(tf.constant([1, 2])):
    ...     second = dropout(x, 0.5, training=True)
    >>> bool(tf.reduce_all(first == second))
    True
    """
    if seed is None:
        yield
        return
    previous = getattr(_scope, "seeds", None)
    fold_in = tf.random.experimental.stateless_fold_in
    _scope.seeds = (fold_in(seed, call) for call in itertools.count())
    try:
        yield
    finally:
        _scope.seeds = previous


def next_seed():
    """The seed of the next `dropout` of this thread, int32 [2], for several that belong together.

    Inside `dropout_seed` it follows from that seed, outside from TensorFlow's global generator.
    """
    seeds = getattr(_scope, "seeds", None)
    if seeds is None:
        return tf.random.uniform([2], maxval=tf.int32.max, dtype=tf.int32)
    return next(seeds)


def dropout(x, rate, training):
    """Drops elements of `x` at `rate` and scales the others up, in training only.

    Plain TensorFlow: a Keras 3 Dropout layer owns a seed variable, and the published models have
    no variable besides their weights.

    Args:
      x: float tensor of any shape.
      rate: Fraction to drop, in [0, 1). 0 adds no operation.
      training: Python bool, None (no training) or a scalar bool tensor.

    Returns:
      A tensor like `x`.
    """
    if rate == 0.0 or training is None or training is False:
        return x
    if tf.is_tensor(training):
        return tf.cond(training, lambda: _drop(x, rate), lambda: tf.identity(x))
    return _drop(x, rate) if training else x


def _drop(x, rate):
    seeds = getattr(_scope, "seeds", None)
    if seeds is None:
        return tf.nn.dropout(x, rate)
    return tf.nn.experimental.stateless_dropout(x, rate, seed=next(seeds))
