"""What a model answers to a whole data set, and its losses there, on all devices."""

import numpy as np
import tensorflow as tf

from albert_tf.training.engine.batches import Batches


class Predictor:
    """A model's answers to whole data sets, on all devices, with its weights at the time.

    Every example is answered exactly once on any number of devices: the last batch is filled up
    with copies of zeros, whose answers are dropped, so that all batches have one static shape. The
    function on the devices is traced once for each shape of a batch, not once for each call: keep
    the predictor for all evaluations of a run.

    Args:
      model: A Keras model, or a function of (inputs, training=False) -> tensor or structure of
        tensors [batch, ...].
      strategy: A tf.distribute.Strategy; None for the current one.
      jit_compile: Whether to compile with XLA.

    Example:

    >>> from albert_tf.training.engine.evaluation import Predictor
    >>> import tensorflow as tf
    >>> double = Predictor(lambda x, training: 2 * x)
    >>> double(tf.data.Dataset.range(5).batch(2))
    array([0, 2, 4, 6, 8])
    """

    def __init__(self, model, strategy=None, jit_compile=False):
        self.strategy = strategy or tf.distribute.get_strategy()
        answer = tf.function(
            lambda inputs: model(inputs, training=False), jit_compile=jit_compile, autograph=False
        )

        def on_all_devices(inputs):
            outputs = self.strategy.run(answer, args=(inputs,))
            return tf.nest.map_structure(lambda x: self.strategy.gather(x, axis=0), outputs)

        self._on_all_devices = tf.function(on_all_devices, autograph=False)

    def __call__(self, dataset):
        """The outputs for all examples, in their order.

        Args:
          dataset: tf.data.Dataset of inputs, or of tuples that begin with them; batches of one
            size, of which the last may be smaller. With several processes each reads all of it.

        Returns:
          NumPy arrays [examples, ...], in the structure of the model's outputs.

        Raises:
          ValueError: The data set is empty, or a batch is larger than the first.
        """
        rows, pieces = None, []
        for batch in dataset:
            inputs = batch[0] if isinstance(batch, tuple) else batch
            real = tf.nest.flatten(inputs)[0].shape[0]
            rows = rows or self._rows(real)
            if real > rows:
                raise ValueError(
                    f"No batch may be larger than the first, {rows}. Received: {real}."
                )
            outputs = self._on_all_devices(self._spread(inputs, rows - real, rows))
            pieces.append(tf.nest.map_structure(lambda x, real=real: x.numpy()[:real], outputs))
        if not pieces:
            raise ValueError("The data set must have at least one example. Received: none.")
        return tf.nest.map_structure(lambda *arrays: np.concatenate(arrays), *pieces)

    def _rows(self, real):
        replicas = self.strategy.num_replicas_in_sync
        return -(-real // replicas) * replicas

    def _spread(self, inputs, missing, rows):
        """A batch with `missing` rows of zeros, a part of it on each device."""
        part = rows // self.strategy.num_replicas_in_sync

        def of_replica(context):
            first = context.replica_id_in_sync_group * part
            return tf.nest.map_structure(
                lambda x: _filled(x, missing)[first : first + part], inputs
            )

        return self.strategy.experimental_distribute_values_from_function(of_replica)


def evaluate_terms(step, dataset_fn, seed=0):
    """The losses and metrics of a `TrainStep` over a whole data set, without training.

    Args:
      step: A `TrainStep`: its model, devices and terms.
      dataset_fn: As for `train`; epoch 0 is evaluated.
      seed: Handed to `dataset_fn`.

    Returns:
      {name of the term: mean over all its items}, and "loss", the sum of the losses.

    Raises:
      ValueError: The data set has no end.
    """
    batches = Batches(dataset_fn, step.strategy, seed)
    if batches.steps_per_epoch is None:
        raise ValueError("An evaluation needs an end. Received: an infinite data set.")
    if not hasattr(step, "_next_sums"):  # Kept with the step: traced once, however often called.
        step._next_sums = _sums_of_next_batch(step)
    iterator = batches.iterator(0)
    total = np.zeros([2, len(step.terms)])  # float64: the sum of many batches.
    for _ in range(batches.steps_per_epoch):
        total += step._next_sums(iterator).numpy()
    means = {
        name: float(term.mean(*(tf.constant(x, tf.float32) for x in column)))
        for (name, term), column in zip(step.terms.items(), total.T)
    }
    return {"loss": sum(means[name] for name in step.losses), **means}


def _sums_of_next_batch(step):
    """A compiled function: iterator -> the terms' weighted sums and their weights, [2, terms]."""
    terms = step.terms.values()

    def sums(batch):
        inputs, targets = batch
        outputs = step.model(inputs, training=False)
        weights = [tf.reduce_sum(tf.cast(t.weights(targets), tf.float32)) for t in terms]
        sums = [term.weighted_sum(outputs, targets) for term in terms]
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.stack([sums, weights]))

    def next_sums(iterator):
        result = step.strategy.run(sums, args=(next(iterator),))
        return step.strategy.experimental_local_results(result)[0]

    return tf.function(next_sums, autograph=False)


def _filled(x, missing):
    return tf.pad(x, [[0, missing]] + [[0, 0]] * (x.shape.rank - 1))
