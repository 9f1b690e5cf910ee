"""Any number of labels for each of your own texts or pairs of texts."""

import pathlib

import numpy as np

from albert_tf.atomic import write_file
from albert_tf.data.tasks.classifier_features import classifier_features
from albert_tf.data.tasks.labels import LABEL_SEPARATOR
from albert_tf.data.tasks.metrics import f1_macro, f1_micro, subset_accuracy
from albert_tf.data.tasks.named_rows import TABLE_ENDINGS
from albert_tf.data.tasks.user_files import read_multi_label
from albert_tf.saved_model.classifier import export_classifier
from albert_tf.tasks.classifier import MULTI_LABEL, AlbertClassifier, multi_label_loss
from albert_tf.training.engine.losses import MeanOf
from albert_tf.training.finetuning.task import FinetuneTask, read_splits, split_files


class MultiLabelTask(FinetuneTask):
    """Any number of labels for a text or a pair of texts; `multi_label_task` makes one.

    Scores, by the definitions of scikit-learn: `f1_micro`, which chooses the best weights,
    `f1_macro`, and `subset_accuracy`, the share of texts whose labels are all right.

    Args:
      name: Name of the task.
      splits: {split: `ExampleSet`} whose labels are tuples of str.
      threshold: Probability from which a label is predicted.
      separator: What divides labels in the files of predictions.
    """

    kind = "multi_label"
    not_by_token = ("label_ids",)

    def __init__(self, name, splits, threshold=0.5, separator=LABEL_SEPARATOR):
        super().__init__(name, splits, "f1_micro")
        if not 0.0 < threshold < 1.0:
            raise ValueError(f"`threshold` must be between 0 and 1. Received: {threshold!r}.")
        self.threshold = threshold
        self.separator = separator
        self.settings = {"threshold": threshold}
        self.labels = splits["train"].labels
        self.pairs = any(example.text_b is not None for example in splits["train"])

    def build(self, encoder, recipe):
        return AlbertClassifier(
            encoder, len(self.labels), recipe.head_dropout_rate, problem_type=MULTI_LABEL
        )

    def losses(self):
        def loss(outputs, targets):
            return multi_label_loss(targets["labels"], outputs)

        return {"loss": MeanOf(loss, weights="weights")}, {}

    def record(self, recipe):
        return {
            **super().record(recipe),
            "problem_type": MULTI_LABEL,
            "text_inputs": ["text_a", "text_b"] if self.pairs else ["text"],
            "labels": list(self.labels),
            "thresholds": [self.threshold] * len(self.labels),
        }

    def features(self, split, recipe):
        return classifier_features(self.splits[split], self.tokenizer, recipe.max_seq_length)

    def scores(self, split, features, outputs):
        if not features.has_labels:
            return {}
        labels, predictions = features["label_ids"], _sigmoid(outputs) >= self.threshold
        return {
            metric.__name__: metric(labels, predictions)
            for metric in (f1_micro, f1_macro, subset_accuracy)
        }

    def write_predictions(self, folder, split, features, outputs, scores):
        path = pathlib.Path(folder) / f"{split}.tsv"
        rows = [["index", "prediction", *(["label"] if features.has_labels else [])]]
        rows[0] += [f"p({label})" for label in self.labels]
        for example, probabilities in zip(self.splits[split], _sigmoid(outputs)):
            found = [n for n, p in zip(self.labels, probabilities) if p >= self.threshold]
            row = [example.guid, self.separator.join(found)]
            if features.has_labels:
                row.append(self.separator.join(example.label))
            rows.append([*row, *(f"{p:.4f}" for p in probabilities)])
        lines = ("\t".join(" ".join(str(cell).split()) for cell in row) for row in rows)
        write_file(path, "".join(f"{line}\n" for line in lines))
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
            threshold=self.threshold,
        )


def multi_label_task(
    name,
    data_dir=None,
    train_file=None,
    dev_file=None,
    test_file=None,
    text_column="text",
    pair_column=None,
    label_column="label",
    id_column=None,
    label_separator=LABEL_SEPARATOR,
    threshold=0.5,
):
    """Any number of labels for each text of your own CSV, TSV or JSON files.

    Args:
      name: "multi-label".
      data_dir, train_file, dev_file, test_file, text_column, pair_column, id_column: As for
        `own_task`.
      label_column: Column of the labels; see `albert_tf.data.tasks.user_files.read_multi_label`.
      label_separator: What divides labels in a field of CSV or TSV.
      threshold: Probability from which a label is predicted.
    """
    given = {"train": train_file, "dev": dev_file, "test": test_file}

    def read(path, labels, is_labeled):
        return read_multi_label(
            path,
            text=text_column,
            text_pair=pair_column,
            label=label_column if is_labeled else None,
            labels=labels,
            guid=id_column,
            separator=label_separator,
        )

    splits = read_splits(split_files(data_dir, TABLE_ENDINGS, given), read)
    return MultiLabelTask(name, splits, threshold, label_separator)


def _sigmoid(logits):
    return 1.0 / (1.0 + np.exp(-np.float64(logits)))
