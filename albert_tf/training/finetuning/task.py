"""What a task brings along to be fine-tuned: its data, model, losses, scores and files."""

import contextlib
import copy
import math
import pathlib

import numpy as np
import tensorflow as tf

from albert_tf.data.tasks.dev_split import described, split_off
from albert_tf.data.tasks.metrics import LOWER_IS_BETTER

SPLITS = ("train", "dev", "test")


class FinetuneTask:
    """One task with its data. Base class; the training in `finetune` knows no other.

    Attributes:
      name: Such as "sst-2".
      kind: What its model answers, `task` of the record task.json and of the SavedModel.
      splits: {name: `ExampleSet`}: "train", "dev" (which `split_dev` makes where there is none),
        and further ones to score or to predict at the end, such as "test".
      ignores_padding: Whether padding has no part in the answers, so that it need not be computed.
      best_metric: Which of `scores(...)`, or "loss", chooses the best weights.
      has_dev_loss: Whether the features of "dev" have the labels that the losses take.
      not_by_token: Names of features whose rows are no values of tokens, whatever their length.
      num_classes: Number of classes whose entropy the collapse detector watches; None for none.
      settings: {name: value} of what else decides the scores of a run, for its record.
      tokenizer: `ReferenceTokenizer` or `WordPieceReferenceTokenizer`; set by `finetune` before the
        first `features`.
    """

    kind = None
    num_classes = None
    ignores_padding = True
    has_dev_loss = True
    not_by_token = ()

    def __init__(self, name, splits, best_metric):
        self.name = name
        self.splits = splits
        self.best_metric = best_metric
        self.settings = {}
        self.tokenizer = None

    def build(self, encoder, recipe):
        """The Keras model: an encoder with this task's head."""
        raise NotImplementedError

    def losses(self):
        """({name: Term} to minimize, {name: Term} to report)."""
        raise NotImplementedError

    def features(self, split, recipe):
        """`Features` of a split; with the labels of "train" as training needs them."""
        raise NotImplementedError

    def inputs(self, rows):
        """What the model takes, of a batch of rows; the answers are in `inputs_and_targets`."""
        return {
            "input_word_ids": rows["input_ids"],
            "input_mask": rows["input_mask"],
            "input_type_ids": rows["segment_ids"],
        }

    def inputs_and_targets(self, rows):
        """Rows for training, with a weight of 0 for those that only fill a batch."""
        weights = tf.cast(rows["is_real_example"], tf.float32)
        return self.inputs(rows), {"labels": rows["label_ids"], "weights": weights}

    def label_counts(self, features):
        """How often each class occurs in the training set, or None."""
        if self.num_classes is None:
            return None
        return np.bincount(features["label_ids"], minlength=self.num_classes)

    def classes(self, outputs):
        """The predicted class of each row, int [rows]; only where there are classes."""
        return np.argmax(outputs, -1)

    def scores(self, split, features, outputs):
        """{name: number} by the task's official definitions; {} for a split without labels."""
        raise NotImplementedError

    def write_predictions(self, folder, split, features, outputs, scores):
        """Writes the answers to a split into a folder; returns the paths."""
        raise NotImplementedError

    def export(self, model, path, vocabulary, recipe, scores):
        """Writes the SavedModel, with an opened vocabulary; returns the checks that it passed.

        `scores` are those of "dev".
        """
        raise NotImplementedError

    def record(self, recipe):
        """What a checkpoint of the run tells about itself; see `albert_tf.task_record`."""
        return {
            "task": self.kind,
            "name": self.name,
            "rules": self.tokenizer.rules,
            "seq_length": recipe.max_seq_length,
        }

    def split_dev(self, fraction, seed):
        """Sets a fraction of the training examples aside as "dev"; see `split_off`.

        Args:
          fraction: float, or None where there is a dev set.
          seed: int.

        Returns:
          What was done, in words; "" for nothing.

        Raises:
          ValueError: There is a dev set as well, or neither; or there are too few examples.
        """
        if "dev" in self.splits:
            if fraction is None:
                return ""
            raise ValueError(
                "`dev_fraction` makes a dev set where there is none. Received: "
                f"dev_fraction={fraction!r} (--dev_fraction), and the dev set "
                f"{', '.join(self.splits['dev'].files)}. Leave one out."
            )
        if fraction is None:
            raise ValueError(
                "Fine-tuning needs a set to choose the best weights with. Received: no dev file. "
                "Pass dev_file (--dev_file=...), a data_dir that has one, or dev_fraction "
                "(--dev_fraction=0.1) to set a part of the training examples aside."
            )
        train, dev = split_off(self.splits["train"], fraction, seed)
        others = {name: x for name, x in self.splits.items() if name != "train"}
        self.splits = {"train": train, "dev": dev, **others}
        return described(train, dev)

    def cut(self, split, count):
        """Leaves a random sample of `count` examples in a split, the same one for every seed."""
        examples = self.splits[split]
        if count is None or count >= len(examples):
            return
        if count < 1:
            raise ValueError(f"A sample must have at least 1 example. Received: {count}.")
        kept = np.sort(np.random.RandomState(0).permutation(len(examples))[:count])
        sample = copy.copy(examples)
        sample.examples = [examples[i] for i in kept]
        self.splits[split] = sample


def ranked(scores):
    """Scores for choosing the best: one that is not defined (NaN) is the worst of all."""
    worst = {name: math.inf if name in LOWER_IS_BETTER else -math.inf for name in scores}
    return {name: worst[name] if math.isnan(x) else float(x) for name, x in scores.items()}


def split_files(data_dir, endings, given):
    """{split: path} of files called train, dev and test, unless they are given.

    Args:
      data_dir: Folder, or None.
      endings: Endings to look for, such as (".csv", ".tsv"); each also with ".gz" behind it.
      given: {split: path or None}.

    Raises:
      FileNotFoundError: There is no such file for "train".
      ValueError: There are several for a split.
    """
    endings, paths = [*endings, *(f"{ending}.gz" for ending in endings)], {}
    for split in SPLITS:
        path = given.get(split)
        if path is None and data_dir is not None:
            found = [pathlib.Path(data_dir) / f"{split}{ending}" for ending in endings]
            found = [path for path in found if path.is_file()]
            if len(found) > 1:
                raise ValueError(
                    f"A data_dir must have one file for a split. Received: {data_dir} with "
                    f"{', '.join(path.name for path in found)}. Name the one that is meant "
                    f"(--{split}_file={found[0]})."
                )
            path = found[0] if found else None
        if path is not None:
            paths[split] = path
        elif split == "train":
            raise FileNotFoundError(
                "Fine-tuning needs a set to learn from. Received: no train file. Pass train_file "
                f"(--train_file=...), or a data_dir with train and one of {', '.join(endings)}."
            )
    return paths


@contextlib.contextmanager
def told_file(split, path):
    """Names the flag of a split's file in errors about it."""
    try:
        yield
    except (ValueError, FileNotFoundError) as error:
        kind = ValueError if isinstance(error, ValueError) else FileNotFoundError
        raise kind(f"{error} (--{split}_file={path})") from None


def read_splits(paths, read):
    """{split: examples} of a task's own files; the labels of "train" are those of all.

    Args:
      paths: {split: path}, "train" first.
      read: Function (path, labels, is_labeled) that returns an `ExampleSet`.
    """
    splits = {}
    for split, path in paths.items():
        with told_file(split, path):
            labels = splits["train"].labels if splits else None
            splits[split] = read(path, labels, split != "test")
    return splits
