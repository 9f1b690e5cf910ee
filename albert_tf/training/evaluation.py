"""What a model answers to a whole data set, on all devices."""

import functools

import numpy as np
import tensorflow as tf

from albert_tf.training.batches import Batches


def predict(model, dataset, strategy=None, jit_compile=False):
    """The model's outputs for all examples, in their order.

    Every example is answered exactly once on any number of devices: the last batch is filled up
    with copies of zeros, whose answers are dropped, so that all batches have one static shape.

    Args:
      model: A Keras model, or a function of (inputs, training=False) -> tensor or structure of
        tensors [batch, ...].
      dataset: tf.data.Dataset of inputs, or of tuples that begin with them; batches of one size,
        of which the last may be smaller. With several processes each reads all of it.
      strategy: A tf.distribute.Strategy; None for the current one.
      jit_compile: Whether to compile with XLA.

    Returns:
      NumPy arrays [examples, ...], in the structure of the model's outputs.

    Raises:
      ValueError: The data set is empty.
    """
    strategy = strategy or tf.distribute.get_strategy()
    replicas = strategy.num_replicas_in_sync
    function = functools.partial(tf.function, autograph=False)
    answer = function(lambda inputs: model(inputs, training=False), jit_compile=jit_compile)

    @function
    def on_all_devices(inputs):
        outputs = strategy.run(answer, args=(inputs,))
        return tf.nest.map_structure(lambda x: strategy.gather(x, axis=0), outputs)

    rows, pieces = None, []
    for batch in dataset:
        inputs = batch[0] if isinstance(batch, tuple) else batch
        real = tf.nest.flatten(inputs)[0].shape[0]
        rows = rows or -(-real // replicas) * replicas
        if real > rows:
            raise ValueError(f"No batch may be larger than the first, {rows}. Received: {real}.")
        part = rows // replicas

        def of_replica(context, inputs=inputs, missing=rows - real, part=part):
            first = context.replica_id_in_sync_group * part
            return tf.nest.map_structure(
                lambda x: _filled(x, missing)[first : first + part], inputs
            )

        values = strategy.experimental_distribute_values_from_function(of_replica)
        outputs = on_all_devices(values)
        pieces.append(tf.nest.map_structure(lambda x, real=real: x.numpy()[:real], outputs))
    if not pieces:
        raise ValueError("The data set must have at least one example. Received: none.")
    return tf.nest.map_structure(lambda *arrays: np.concatenate(arrays), *pieces)


def evaluate_terms(step, dataset_fn, seed=0):
    """The losses and metrics of a `TrainStep` over a whole data set, without training.

    Args:
      step: A `TrainStep`: its model, devices and terms.
      dataset_fn: As for `train`; epoch 0 is evaluated.
      seed: Handed to `dataset_fn`.

    Returns:
      {name of the term: mean over all its items}, and "loss", the sum of the losses.
    """
    batches = Batches(dataset_fn, step.strategy, seed)
    if batches.steps_per_epoch is None:
        raise ValueError("An evaluation needs an end. Received: an infinite data set.")
    terms = step.terms

    def sums(batch):
        inputs, targets = batch
        outputs = step.model(inputs, training=False)
        weights = [tf.reduce_sum(tf.cast(t.weights(targets), tf.float32)) for t in terms.values()]
        sums = [term.weighted_sum(outputs, targets) for term in terms.values()]
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.stack([sums, weights]))

    @functools.partial(tf.function, autograph=False)
    def next_sums(iterator):
        result = step.strategy.run(sums, args=(next(iterator),))
        return step.strategy.experimental_local_results(result)[0]

    iterator = batches.iterator(0)
    total = np.zeros([2, len(terms)])  # float64: the sum of many batches.
    for _ in range(batches.steps_per_epoch):
        total += next_sums(iterator).numpy()
    means = {
        name: float(term.mean(*(tf.constant(x, tf.float32) for x in column)))
        for (name, term), column in zip(terms.items(), total.T)
    }
    return {"loss": sum(means[name] for name in step.losses), **means}


def _filled(x, missing):
    return tf.pad(x, [[0, missing]] + [[0, 0]] * (x.shape.rank - 1))
