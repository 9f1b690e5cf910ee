"""GLUE's tasks, and classification or regression of your own texts and pairs of texts."""

import pathlib

import numpy as np

from albert_tf.atomic import write_file
from albert_tf.data.tasks.classifier_features import classifier_features
from albert_tf.data.tasks.glue import TASKS
from albert_tf.data.tasks.metrics import METRICS
from albert_tf.data.tasks.named_rows import TABLE_ENDINGS
from albert_tf.data.tasks.user_files import read_classification, read_regression
from albert_tf.saved_model.classifier import export_classifier
from albert_tf.tasks.classifier import REGRESSION, SINGLE_LABEL, AlbertClassifier
from albert_tf.training.engine.losses import Accuracy, SparseCrossEntropy, SquaredError
from albert_tf.training.finetuning.task import FinetuneTask, read_splits, split_files, told_file

GLUE_TASKS = tuple(name for name in TASKS if name != "ax")
# What gluebenchmark.com wants the files of a submission to be called.
SUBMISSION_FILES = {
    "cola": "CoLA",
    "sst-2": "SST-2",
    "mrpc": "MRPC",
    "sts-b": "STS-B",
    "qqp": "QQP",
    "mnli": "MNLI-m",
    "mismnli": "MNLI-mm",
    "qnli": "QNLI",
    "rte": "RTE",
    "wnli": "WNLI",
    "ax": "AX",
}


class ClassificationTask(FinetuneTask):
    """Classes or a number for texts or pairs of texts; `glue_task` and `own_task` make one.

    Args:
      name: Name of the task.
      splits: {split: `ExampleSet`}; labels are None for regression.
      metrics: Names in `METRICS`; the first one chooses the best weights.
      submissions: {split: name of its file in a GLUE submission}.
    """

    def __init__(self, name, splits, metrics, submissions=None):
        super().__init__(name, splits, metrics[0])
        self.metrics = metrics
        self.submissions = submissions or {}
        self.labels = splits["train"].labels
        self.num_classes = None if self.labels is None else len(self.labels)
        self.pairs = any(example.text_b is not None for example in splits["train"])

    @property
    def kind(self):
        return "regression" if self.labels is None else "classification"

    def build(self, encoder, recipe):
        return AlbertClassifier(encoder, self.num_classes or 1, recipe.head_dropout_rate)

    def record(self, recipe):
        names = {} if self.labels is None else {"labels": list(self.labels)}
        return {
            **super().record(recipe),
            "problem_type": REGRESSION if self.labels is None else SINGLE_LABEL,
            "text_inputs": ["text_a", "text_b"] if self.pairs else ["text"],
            **names,
        }

    def losses(self):
        keys = {"labels": "labels", "weights": "weights"}
        if self.labels is None:
            return {"loss": SquaredError(**keys)}, {}
        return {"loss": SparseCrossEntropy(**keys)}, {"train_accuracy": Accuracy(**keys)}

    def features(self, split, recipe):
        return classifier_features(self.splits[split], self.tokenizer, recipe.max_seq_length)

    def _answers(self, outputs):
        """Class ids, or numbers."""
        return np.float64(outputs[:, 0]) if self.labels is None else self.classes(outputs)

    def scores(self, split, features, outputs):
        if not features.has_labels:
            return {}
        labels, answers = features["label_ids"], self._answers(outputs)
        return {name: METRICS[name](labels, answers) for name in self.metrics}

    def write_predictions(self, folder, split, features, outputs, scores):
        folder = pathlib.Path(folder)
        examples, answers = self.splits[split], self._answers(outputs)
        if self.labels is None:
            texts = [f"{answer:.4f}" for answer in answers]
        else:
            texts = [self.labels[answer] for answer in answers]
        if split in self.submissions:
            path = folder / f"{self.submissions[split]}.tsv"
            if self.labels is None:  # GLUE's scores are from 0 to 5.
                texts = [f"{min(max(answer, 0.0), 5.0):.4f}" for answer in answers]
            columns = {"index": [e.guid for e in examples], "prediction": texts}
        else:
            path = folder / f"{split}.tsv"
            columns = {"index": [e.guid for e in examples], "prediction": texts}
            if features.has_labels:
                columns["label"] = [e.label for e in examples]
            if self.labels is not None:
                for i, label in enumerate(self.labels):
                    columns[f"p({label})"] = [f"{p:.4f}" for p in _softmax(outputs)[:, i]]
        rows = [columns, *zip(*columns.values())]
        write_file(path, "".join("\t".join(map(_cell, row)) + "\n" for row in rows))
        return [path]

    def export(self, model, path, vocabulary, recipe, scores):
        return export_classifier(
            model,
            path,
            vocabulary,
            labels=self.labels,
            rules=self.tokenizer.rules,
            seq_length=recipe.max_seq_length,
            pairs=self.pairs,
            overwrite=True,
        )


def glue_task(name, data_dir=None, train_file=None, dev_file=None, test_file=None):
    """One of GLUE's nine tasks (`GLUE_TASKS`), in the files that GLUE distributes.

    A missing test file leaves out the submission. "mnli" is also scored on the mismatched set, and
    answers the diagnostic one, where they exist.

    Args:
      name: A key of `GLUE_TASKS`; "mismnli" is MNLI with the mismatched set for choosing.
      data_dir: GLUE's folder, or the task's own.
      train_file, dev_file, test_file: Files that are elsewhere, in the same layout.
    """
    task, given = TASKS[name], {"train": train_file, "dev": dev_file, "test": test_file}
    if data_dir is None and not train_file:
        raise ValueError(
            f"{name} needs `data_dir`, the folder of GLUE's data, or `train_file`. Received: "
            "neither."
        )
    splits, submissions = {}, {}
    for split, path in given.items():
        path = path or (data_dir and task.path(data_dir, split))
        if path and (split != "test" or given["test"] or pathlib.Path(path).is_file()):
            with told_file(split, path):
                splits[split] = task.read_file(path, split)
    if "test" in splits:
        submissions["test"] = SUBMISSION_FILES[name]
    if name == "mnli" and data_dir is not None:
        further = (("dev_mismatched", "mismnli", "dev"), ("test_mismatched", "mismnli", "test"))
        for split, other, part in (*further, ("diagnostic", "ax", "test")):
            if TASKS[other].path(data_dir, part).is_file():
                splits[split] = TASKS[other].read(data_dir, part)
                if part == "test":
                    submissions[split] = SUBMISSION_FILES[other]
    return ClassificationTask(name, splits, task.metrics, submissions)


def own_task(
    name,
    data_dir=None,
    train_file=None,
    dev_file=None,
    test_file=None,
    text_column="text",
    pair_column=None,
    label_column="label",
    id_column=None,
):
    """Classification or regression of your own CSV, TSV or JSON files.

    Args:
      name: "classification" or "regression".
      data_dir: Folder with train.csv and perhaps dev.csv and test.csv (or .tsv, .jsonl, .json; or
        .csv.gz and the like).
      train_file, dev_file, test_file: The files themselves. Without a dev file, `dev_fraction` of
        `FinetuneOptions` is needed. The test file needs no labels, and its labels are not read.
      text_column, pair_column, label_column, id_column: Names of the columns.
    """
    given = {"train": train_file, "dev": dev_file, "test": test_file}
    paths = split_files(data_dir, TABLE_ENDINGS, given)
    columns = {"text": text_column, "text_pair": pair_column, "guid": id_column}

    def read(path, labels, is_labeled):
        label = label_column if is_labeled else None
        if name == "regression":
            return read_regression(path, label=label, **columns)
        return read_classification(path, label=label, labels=labels, **columns)

    splits = read_splits(paths, read)
    if name == "regression":
        # Not a correlation: what hardly varies may have one by chance.
        return ClassificationTask(name, splits, ("rmse", "mae", "pearson", "spearman"))
    metrics = ("accuracy", "f1") if len(splits["train"].labels) == 2 else ("accuracy", "matthews")
    return ClassificationTask(name, splits, metrics)


def _softmax(logits):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _cell(value):
    """A value that cannot break the table."""
    return " ".join(str(value).split())
