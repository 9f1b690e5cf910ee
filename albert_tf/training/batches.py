"""Global batches on the devices, from any position of any epoch on."""

import tensorflow as tf


class Batches:
    """Iterators over a distributed data set, epoch by epoch, that can begin anywhere.

    Args:
      dataset_fn: (seed, epoch) -> tf.data.Dataset of global batches (inputs, targets), all of one
        static shape (`drop_remainder=True`, or padded with examples of weight 0). Called with the
        same arguments it must return the same batches in the same order, so every shuffle needs a
        seed that is made of both. To resume within an epoch its first batches are skipped, so for
        very large data sets let an epoch be a part of the files.
      strategy: A tf.distribute.Strategy. Every process reads the global batches and keeps its part.
      seed: An integer.
      accumulate_steps: Micro-batches that each device's part will be cut into.
      steps_per_epoch: Batches of an epoch; None to ask the data set, or to count them, once.
    """

    def __init__(self, dataset_fn, strategy, seed=0, accumulate_steps=1, steps_per_epoch=None):
        self.dataset_fn = dataset_fn
        self.strategy = strategy
        self.seed = seed
        dataset = dataset_fn(seed, 0)
        shapes = [spec.shape for spec in tf.nest.flatten(dataset.element_spec)]
        self.element_spec = dataset.element_spec
        if not isinstance(self.element_spec, tuple) or len(self.element_spec) != 2:
            raise ValueError(
                "A data set for training has elements (inputs, targets). Received: "
                f"{self.element_spec}."
            )
        if not all(shape.is_fully_defined() and shape.rank for shape in shapes):
            raise ValueError(
                "Batches must have one static shape. Received: "
                f"{[str(shape) for shape in shapes]}. Batch with `drop_remainder=True`, and pad "
                "sequences to a fixed length."
            )
        self.batch_size = shapes[0][0]
        parts = strategy.num_replicas_in_sync * accumulate_steps
        if any(shape[0] != self.batch_size for shape in shapes) or self.batch_size % parts:
            raise ValueError(
                "The global batch must be a multiple of devices x accumulate_steps = "
                f"{strategy.num_replicas_in_sync} x {accumulate_steps}. Received: "
                f"{sorted({shape[0] for shape in shapes})} rows."
            )
        self.steps_per_epoch = steps_per_epoch or _count(dataset)

    def iterator(self, epoch, skip=0):
        """An iterator over epoch number `epoch` without its first `skip` batches."""

        def for_worker(context):
            dataset = self.dataset_fn(self.seed, epoch).skip(skip)
            rows = self.batch_size // context.num_input_pipelines
            first = rows * context.input_pipeline_id
            if context.num_input_pipelines > 1:
                dataset = dataset.map(
                    lambda *batch: tf.nest.map_structure(lambda x: x[first : first + rows], batch)
                )
            per_replica = self.batch_size // context.num_replicas_in_sync
            if per_replica != rows:
                dataset = dataset.rebatch(per_replica, drop_remainder=True)
            return dataset.prefetch(tf.data.AUTOTUNE)

        return iter(self.strategy.distribute_datasets_from_function(for_worker))


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
