"""Features as tf.data pipelines of batches, epoch by epoch: seeded and of static shape."""

import os

import numpy as np
import tensorflow as tf

from albert_tf.data.example_proto import serialize_examples
from albert_tf.data.tasks.records import parse, read_metadata

REMAINDERS = ("keep", "drop", "pad")


class Rows:
    """The rows of features, in memory, ready to be cut into batches.

    Args:
      source: `Features`, or the path of TFRecords from `cached_records`, which stay serialized in
        memory until a batch needs them.

    Attributes:
      num_rows: Number of rows, int.

    Example:
      >>> import numpy as np
      >>> from albert_tf.data.tasks.features import Features
      >>> from albert_tf.data.tasks.rows import Rows
      >>> rows = Rows(Features({"input_ids": np.arange(15, dtype=np.int32).reshape(5, 3)}))
      >>> train = rows.batches(2, seed=1, epoch=0, remainder="drop")
      >>> evaluation = rows.batches(2, remainder="pad")
      >>> len(train), len(evaluation)
      (2, 3)
    """

    def __init__(self, source):
        if isinstance(source, (str, os.PathLike)):
            self._gather, self.num_rows = _from_file(source)
        else:
            self._gather, self.num_rows = _from_memory(source)

    def batches(self, batch_size, seed=None, epoch=0, remainder="keep"):
        """One epoch of batches.

        The order is a pure function of `seed` and `epoch`, so a run resumes at any batch.

        Args:
          batch_size: Rows of a (global) batch, int.
          seed: int; shuffles all rows. None keeps their order.
          epoch: int; each has an order of its own.
          remainder: What becomes of the last batch if it is not full: "keep" it smaller, "drop" it,
            or "pad" it with rows of zeros and is_real_example 0. With the last two all shapes are
            static, as TPUs need.

        Returns:
          tf.data.Dataset of dicts from name to tensor [batch, ...], int32 or float32, of known
          cardinality; with is_real_example, int32 [batch], even if the source has none.

        Raises:
          ValueError: For an unknown remainder; if no batch would result.
        """
        if remainder not in REMAINDERS:
            raise ValueError(f"remainder must be one of {REMAINDERS}. Received: {remainder!r}.")
        if batch_size < 1 or (remainder == "drop" and batch_size > self.num_rows):
            raise ValueError(
                "batch_size must be at least 1 and, if the last batch is dropped, at most the "
                f"number of rows, {self.num_rows}. Received: {batch_size}."
            )
        positions = tf.range(self.num_rows, dtype=tf.int64)
        if seed is not None:
            positions = tf.random.experimental.stateless_shuffle(positions, seed=[seed, epoch])
        if remainder == "pad":  # A row of zeros lies behind the last one.
            positions = tf.pad(
                positions,
                [[0, -self.num_rows % batch_size]],
                constant_values=tf.constant(self.num_rows, tf.int64),
            )
        dataset = tf.data.Dataset.from_tensor_slices(positions)
        dataset = dataset.batch(batch_size, drop_remainder=remainder != "keep")
        dataset = dataset.map(self._gather, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return dataset.prefetch(tf.data.AUTOTUNE)


def _from_memory(features):
    """(function from row numbers to a batch, number of rows); the number of rows gives padding."""
    arrays = features.rows(0, features.num_rows)
    arrays.setdefault("is_real_example", np.ones(features.num_rows, np.int32))
    with tf.device("CPU"):
        arrays = {
            name: tf.constant(np.concatenate([array, np.zeros_like(array[:1])]))
            for name, array in arrays.items()
        }

    def gather(positions):
        return {name: tf.gather(array, positions) for name, array in arrays.items()}

    return gather, features.num_rows


def _from_file(path):
    metadata = read_metadata(path)
    rows, fields = metadata["rows"], metadata["fields"]
    padding = serialize_examples(
        {name: np.zeros([1, *field["shape"]], field["dtype"]) for name, field in fields.items()}
    )
    dataset = tf.data.TFRecordDataset(os.fspath(path))
    dataset = dataset.concatenate(tf.data.Dataset.from_tensor_slices(padding))
    try:
        serialized = dataset.batch(rows + 1).get_single_element()
    except tf.errors.DataLossError as error:
        raise ValueError(
            "A TFRecord file must be as it was written. Received: "
            f"{path} ({error.message}). Remove it, so that it is made again."
        ) from None

    def gather(positions):
        batch = parse(tf.gather(serialized, positions), fields)
        if "is_real_example" not in batch:
            batch["is_real_example"] = tf.cast(positions < rows, tf.int32)
        return batch

    return gather, rows
