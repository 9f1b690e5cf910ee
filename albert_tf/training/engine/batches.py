"""Global batches on the devices, from any position of any epoch on."""

import tensorflow as tf


class Batches:
    """Iterators over a distributed data set, epoch by epoch, that can begin anywhere.

    Args:
      dataset_fn: (seed, epoch) -> tf.data.Dataset of global batches (inputs, targets), in one epoch
        all of one static shape (`drop_remainder=True`, or padded with examples of weight 0). Called
        with the same arguments it must return the same batches in the same order, so every shuffle
        needs a seed that is made of both. To resume within an epoch its first batches are skipped,
        so for very large data sets let an epoch be a part of the files.
      strategy: A tf.distribute.Strategy. Every process reads the global batches and keeps its part.
      seed: An integer.
      accumulate_steps: Micro-batches that each device's part will be cut into.
      steps_per_epoch: Batches of an epoch, or a function epoch -> batches where epochs differ; None
        to ask the data set, or to count them, once.

    Attributes:
      batch_size: Rows of a global batch of the first epoch.
      element_spec: Of the epoch that was iterated last, at the beginning the first.
    """

    def __init__(self, dataset_fn, strategy, seed=0, accumulate_steps=1, steps_per_epoch=None):
        self.dataset_fn = dataset_fn
        self.strategy = strategy
        self.seed = seed
        self.accumulate_steps = accumulate_steps
        dataset = dataset_fn(seed, 0)
        self.element_spec = dataset.element_spec
        self._parts = strategy.num_replicas_in_sync * accumulate_steps
        self.batch_size = self._checked_batch_size(dataset)
        self.steps_per_epoch = steps_per_epoch or _count(dataset)

    def steps_in(self, epoch):
        """The number of batches of an epoch; None without end."""
        steps = self.steps_per_epoch
        return steps(epoch) if callable(steps) else steps

    def iterator(self, epoch, skip=0):
        """An iterator over epoch number `epoch` without its first `skip` batches."""

        def for_worker(context):
            dataset = self.dataset_fn(self.seed, epoch).skip(skip)
            batch_size = self._checked_batch_size(dataset)
            self.element_spec = dataset.element_spec
            rows = batch_size // context.num_input_pipelines
            first = rows * context.input_pipeline_id
            if context.num_input_pipelines > 1:
                dataset = dataset.map(
                    lambda *batch: tf.nest.map_structure(lambda x: x[first : first + rows], batch)
                )
            per_replica = batch_size // context.num_replicas_in_sync
            if per_replica != rows:
                dataset = dataset.rebatch(per_replica, drop_remainder=True)
            return dataset.prefetch(tf.data.AUTOTUNE)

        return iter(self.strategy.distribute_datasets_from_function(for_worker))

    def _checked_batch_size(self, dataset):
        spec = dataset.element_spec
        shapes = [part.shape for part in tf.nest.flatten(spec)]
        if not isinstance(spec, tuple) or len(spec) != 2:
            raise ValueError(
                f"A data set for training has elements (inputs, targets). Received: {spec}."
            )
        if not all(shape.is_fully_defined() and shape.rank for shape in shapes):
            raise ValueError(
                "Batches must have one static shape. Received: "
                f"{[str(shape) for shape in shapes]}. Batch with `drop_remainder=True`, and pad "
                "sequences to a fixed length."
            )
        sizes = sorted({shape[0] for shape in shapes})
        if len(sizes) > 1 or sizes[0] % self._parts:
            raise ValueError(
                "The global batch must be a multiple of devices x accumulate_steps = "
                f"{self._parts // self.accumulate_steps} x {self.accumulate_steps}. Received: "
                f"{sizes} rows."
            )
        return sizes[0]


def _count(dataset):
    count = int(dataset.cardinality())
    if count == tf.data.UNKNOWN_CARDINALITY:
        count = int(dataset.reduce(tf.constant(0, tf.int64), lambda n, *_: n + 1))
    if count == 0:
        raise ValueError(
            "An epoch must have at least one batch. Received: an empty data set. Is the batch "
            "larger than the data, or the path wrong?"
        )
    return None if count == tf.data.INFINITE_CARDINALITY else count
