"""RACE: questions with four options."""

import json
import pathlib

from albert_tf.atomic import new_file
from albert_tf.data.tasks import race
from albert_tf.data.tasks.multiple_choice_features import multiple_choice_features
from albert_tf.saved_model.multiple_choice import export_multiple_choice
from albert_tf.tasks.multiple_choice import AlbertMultipleChoice
from albert_tf.training.engine.losses import Accuracy, SparseCrossEntropy
from albert_tf.training.finetuning.task import FinetuneTask


class RaceTask(FinetuneTask):
    """The right one of four options; `race_task` makes one. "accuracy" chooses the best weights."""

    kind = "multiple_choice"
    num_classes = len(race.LABELS)

    def __init__(self, name, splits):
        super().__init__(name, splits, "accuracy")

    def build(self, encoder, recipe):
        return AlbertMultipleChoice(encoder, recipe.head_dropout_rate)

    def losses(self):
        keys = {"labels": "labels", "weights": "weights"}
        return {"loss": SparseCrossEntropy(**keys)}, {"train_accuracy": Accuracy(**keys)}

    def record(self, recipe):
        return {**super().record(recipe), "max_qa_length": recipe.max_qa_length}

    def features(self, split, recipe):
        return multiple_choice_features(
            self.splits[split], self.tokenizer, recipe.max_seq_length, recipe.max_qa_length
        )

    def scores(self, split, features, outputs):
        if not features.has_labels:
            return {}
        return race.race_accuracy(self.splits[split], self.classes(outputs))

    def write_predictions(self, folder, split, features, outputs, scores):
        path = pathlib.Path(folder) / f"{split}_answers.jsonl"
        numbers = {}
        with new_file(path) as partial, open(partial, "w", encoding="utf-8") as file:
            for example, answer in zip(self.splits[split], self.classes(outputs)):
                passage = (example.level, example.guid)
                numbers[passage] = numbers.get(passage, -1) + 1
                row = {"id": example.guid, "level": example.level, "question": numbers[passage]}
                row["prediction"] = race.LABELS[answer]
                if example.label is not None:
                    row["answer"] = race.LABELS[example.label]
                file.write(json.dumps(row) + "\n")
        return [path]

    def export(self, model, path, vocabulary, recipe, scores):
        return export_multiple_choice(
            model,
            path,
            vocabulary,
            rules=self.tokenizer.rules,
            seq_length=recipe.max_seq_length,
            max_qa_length=recipe.max_qa_length,
            overwrite=True,
        )


def race_task(name, data_dir=None):
    """RACE in any of its layouts; see `albert_tf.data.tasks.race.read`.

    Args:
      name: "race", or "race-middle" or "race-high" for one level alone.
      data_dir: Folder that holds RACE. A missing test split is left out.
    """
    if data_dir is None:
        raise ValueError("RACE needs `data_dir`, the folder that holds it. Received: none.")
    level = name.partition("-")[2] or None
    splits = {split: race.read(data_dir, split, level) for split in ("train", "dev")}
    levels = race.LEVELS if level is None else (level,)
    if any(_has(data_dir, "test", level) for level in levels):
        splits["test"] = race.read(data_dir, "test", level)
    return RaceTask(name, splits)


def _has(data_dir, split, level):
    try:
        race.read(data_dir, split, level)
    except FileNotFoundError:
        return False
    return True
