"""A task's features as data sets for the training loop and for evaluations."""

import hashlib
import math
import pathlib

import numpy as np
import tensorflow as tf

from albert_tf.data.tasks.records import cached_records, feature_key, read_metadata
from albert_tf.data.tasks.rows import Rows

_ROWS = 4096  # That a loss is computed of at a time.
_ALIGNMENT = 8  # Lengths are multiples of it, for the sake of matrix products.


class TrainingData:
    """The rows to learn from, batch by batch.

    Args:
      task: `FinetuneTask`, with its tokenizer.
      recipe: `Recipe`.
      cache_dir: Where the rows are kept as TFRecords.
      vocab_file: Path of the vocabulary.

    Attributes:
      num_rows: Number of rows.
      length: Length that the rows are trimmed to.
      label_counts: How often each class occurs, or None.
      report: What was cut or left out, as text; "" for nothing.
    """

    def __init__(self, task, recipe, cache_dir, vocab_file):
        self.task = task
        self.batch_size = recipe.batch_size
        key = feature_key(
            task.name,
            "train",
            recipe.max_seq_length,
            vocab_file,
            [],
            examples=digest(task.splits["train"]),
            doc_stride=recipe.doc_stride,
            max_query_length=recipe.max_query_length,
            max_qa_length=recipe.max_qa_length,
            lower=task.tokenizer.lower,
        )
        name = f"{task.name}.train.{recipe.max_seq_length}"
        path = cached_records(cache_dir, name, key, lambda: task.features("train", recipe))
        self.rows = Rows(path)
        self.num_rows = self.rows.num_rows
        self.report = read_metadata(path)["report"]
        lengths, labels = [], []
        for batch in self.rows.batches(1024):
            lengths.append(int(_longest(batch["input_mask"])))
            if task.num_classes is not None:
                labels.append(batch["label_ids"].numpy())
        self.length = (
            _aligned(max(lengths), recipe.max_seq_length) if task.ignores_padding else None
        )
        self.label_counts = None
        if labels:
            self.label_counts = task.label_counts({"label_ids": np.concatenate(labels)})

    def batches(self, seed, epoch):
        """The `dataset_fn` of `albert_tf.training.engine.loop.train`.

        The rows that do not fill a batch are left out, other ones in each epoch; of a set that is
        smaller than a batch, the batch is filled up with rows of weight 0.
        """
        remainder = "drop" if self.num_rows >= self.batch_size else "pad"
        rows = self.rows.batches(self.batch_size, seed, epoch, remainder)
        return rows.map(lambda x: self.task.inputs_and_targets(_trimmed(x, self.length, self.task)))


class EvaluationData:
    """The rows of a split that answers are wanted for, in order.

    Attributes:
      features: The split's `Features`.
      report: What was cut or left out, as text; "" for nothing.
    """

    def __init__(self, task, split, recipe, batch_size):
        self.task = task
        self.features = task.features(split, recipe)
        self.report = str(self.features.report)
        self.batch_size = batch_size
        self.rows = Rows(self.features)
        longest = _longest(self.features["input_mask"])
        self.length = (
            _aligned(int(longest), recipe.max_seq_length) if task.ignores_padding else None
        )

    def loss(self, outputs):
        """The mean of what training minimizes, float; NaN where the rows have no such labels.

        Args:
          outputs: What the model answered to all rows, arrays.
        """
        if not (self.task.has_dev_loss and self.features.has_labels):
            return math.nan
        terms, _ = self.task.losses()
        sums = np.zeros([len(terms), 2])
        for start in range(0, self.features.num_rows, _ROWS):
            rows = self.features.rows(start, start + _ROWS)
            rows = _trimmed({n: tf.constant(x) for n, x in rows.items()}, self.length, self.task)
            _, targets = self.task.inputs_and_targets(rows)
            window = slice(start, start + _ROWS)
            piece = tf.nest.map_structure(lambda x, w=window: tf.constant(x[w]), outputs)
            for total, term in zip(sums, terms.values()):
                weight = tf.reduce_sum(tf.cast(term.weights(targets), tf.float32))
                total += [float(term.weighted_sum(piece, targets)), float(weight)]
        return float(sum(value / weight if weight else 0.0 for value, weight in sums))

    def batches(self):
        """tf.data.Dataset of the model's inputs."""
        rows = self.rows.batches(self.batch_size)
        return rows.map(lambda x: self.task.inputs(_trimmed(x, self.length, self.task)))


def digest(examples):
    """Fingerprint of the content and the order of examples, labels included."""
    whole = hashlib.sha256(repr(examples.labels).encode())
    for example in examples:
        whole.update(repr(example).encode())
    return whole.hexdigest()[:16]


def file_digest(path):
    """Fingerprint of a file."""
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()[:16]


def _longest(mask):
    return tf.reduce_max(tf.reduce_sum(mask, -1))


def _aligned(length, most):
    return min(-(-length // _ALIGNMENT) * _ALIGNMENT, most)


def _trimmed(rows, length, task):
    """Rows without the padding behind the first `length` tokens."""
    if length is None:
        return rows
    most = rows["input_ids"].shape[-1]

    def trim(name, x):
        by_token = x.shape.rank > 1 and x.shape[-1] == most and name not in task.not_by_token
        return x[..., :length] if by_token else x

    return {name: trim(name, x) for name, x in rows.items()}
