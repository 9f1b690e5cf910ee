"""Tagging the words of your own texts, such as named entities."""

import json
import pathlib

import numpy as np

from albert_tf.atomic import new_file
from albert_tf.data.tasks.conll import CONLL_ENDINGS
from albert_tf.data.tasks.named_rows import TABLE_ENDINGS
from albert_tf.data.tasks.token_features import token_features
from albert_tf.data.tasks.user_files import read_tagging
from albert_tf.saved_model.token_classifier import export_token_classifier
from albert_tf.tasks.token_classifier import AlbertTokenClassifier, token_classification_loss
from albert_tf.text.reference import WORD_START
from albert_tf.training.engine.losses import MeanOf
from albert_tf.training.finetuning.entities import entity_f1, is_bio
from albert_tf.training.finetuning.task import FinetuneTask, read_splits, split_files


class TaggingTask(FinetuneTask):
    """A tag for each word; `tagging_task` makes one.

    Scores: `accuracy` over all words; `entity_f1`, which chooses the best weights, if the labels
    are of the form O, B-x, I-x. Words that were cut off, or that have no piece, get no tag: wrong
    for the accuracy, O for the entities.
    """

    kind = "token_classification"

    def __init__(self, name, splits):
        self.labels = splits["train"].labels
        self.has_entities = is_bio(self.labels)
        super().__init__(name, splits, "entity_f1" if self.has_entities else "accuracy")

    def build(self, encoder, recipe):
        return AlbertTokenClassifier(encoder, len(self.labels), recipe.head_dropout_rate)

    def losses(self):
        def loss(outputs, targets):
            return token_classification_loss(targets["labels"], outputs)

        return {"loss": MeanOf(loss, weights="weights")}, {}

    def record(self, recipe):
        return {**super().record(recipe), "labels": list(self.labels)}

    def features(self, split, recipe):
        return token_features(self.splits[split], self.tokenizer, recipe.max_seq_length)

    def _tags(self, split, features, outputs):
        """A list of tags for each example, None for a word without one."""
        answers, answered = [], features["label_ids"] >= 0
        for example, row, here in zip(self.splits[split], np.argmax(outputs, -1), answered):
            found = iter(row[here[: len(row)]])
            tags = []
            for word in example.words:
                has_piece = any(p != WORD_START for p in self.tokenizer.tokenize(word))
                tag = next(found, None) if has_piece else None
                tags.append(None if tag is None else self.labels[tag])
            answers.append(tags)
        return answers

    def scores(self, split, features, outputs):
        if not features.has_labels:
            return {}
        right = [example.tags for example in self.splits[split]]
        answers = self._tags(split, features, outputs)
        pairs = [pair for a, b in zip(right, answers) for pair in zip(a, b)]
        scores = {"accuracy": float(np.mean([a == b for a, b in pairs]))}
        if self.has_entities:
            scores |= entity_f1(right, [[tag or "O" for tag in tags] for tags in answers])
        return scores

    def write_predictions(self, folder, split, features, outputs, scores):
        path = pathlib.Path(folder) / f"{split}.jsonl"
        with new_file(path) as partial, open(partial, "w", encoding="utf-8") as file:
            for example, tags in zip(self.splits[split], self._tags(split, features, outputs)):
                row = {"index": example.guid, "words": example.words, "tags": tags}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return [path]

    def export(self, model, path, vocabulary, recipe, scores):
        return export_token_classifier(
            model,
            path,
            vocabulary,
            labels=self.labels,
            rules=self.tokenizer.rules,
            seq_length=recipe.max_seq_length,
            stride=max(recipe.max_seq_length // 2, 1),
            overwrite=True,
        )


def tagging_task(
    name,
    data_dir=None,
    train_file=None,
    dev_file=None,
    test_file=None,
    text_column="words",
    label_column="tags",
    id_column=None,
):
    """Tagging of your own JSON, CSV, TSV or CoNLL files; see `read_tagging`.

    Args:
      name: "tagging".
      data_dir, train_file, dev_file, test_file, id_column: As for `own_task`.
      text_column: Column of the words.
      label_column: Column of their tags.
    """
    given = {"train": train_file, "dev": dev_file, "test": test_file}

    def read(path, labels, is_labeled):
        tags = label_column if is_labeled else None
        return read_tagging(path, text_column, tags, labels, id_column)

    endings = (*TABLE_ENDINGS, *CONLL_ENDINGS)
    splits = read_splits(split_files(data_dir, endings, given), read)
    return TaggingTask(name, splits)
