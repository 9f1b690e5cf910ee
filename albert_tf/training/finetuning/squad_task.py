"""SQuAD 1.1 and 2.0."""

import pathlib

import tensorflow as tf

from albert_tf.data.tasks import squad
from albert_tf.data.tasks.squad_features import squad_features
from albert_tf.data.tasks.squad_metrics import evaluate_v1, evaluate_v2
from albert_tf.data.tasks.squad_predictions import (
    SquadPredictions,
    answers_above,
    conditional_span_predictions,
    span_predictions,
)
from albert_tf.saved_model.span_labeler import export_span_labeler
from albert_tf.tasks.span_labeler import AlbertSpanLabeler, span_loss
from albert_tf.training.engine.losses import MeanOf
from albert_tf.training.finetuning.task import FinetuneTask, told_file


class SquadTask(FinetuneTask):
    """Answers to questions, as spans of a paragraph; `squad_task` makes one.

    Scores are those of the official scripts, in percent; "f1" chooses the best weights. For SQuAD
    2.0 they are at the threshold for no answer that is best on the set itself.
    """

    kind = "span"
    has_dev_loss = False  # Features to predict with have no positions of answers.

    def __init__(self, name, splits):
        super().__init__(name, splits, "f1")
        self.version_2 = name == "squad2.0"
        # The simple head's softmax is over padding, too, as in the original.
        self.ignores_padding = self.version_2
        self.answer_settings = {}
        self._answers = (None, None)

    def build(self, encoder, recipe):
        return AlbertSpanLabeler(encoder, self.version_2, recipe.head_dropout_rate)

    def losses(self):
        def loss(outputs, targets):
            return span_loss(targets, outputs)

        return {"loss": MeanOf(loss, weights="weights")}, {}

    def record(self, recipe):
        lengths = ("doc_stride", "max_query_length", "max_answer_length")
        return {
            **super().record(recipe),
            "version_2": self.version_2,
            **{name: getattr(recipe, name) for name in lengths},
        }

    def features(self, split, recipe):
        self.answer_settings = {
            "n_best_size": recipe.n_best_size,
            "max_answer_length": recipe.max_answer_length,
        }
        return squad_features(
            self.splits[split],
            self.tokenizer,
            recipe.max_seq_length,
            recipe.doc_stride,
            recipe.max_query_length,
            is_training=split == "train",
        )

    def inputs(self, rows):
        inputs = super().inputs(rows)
        return {**inputs, "p_mask": rows["p_mask"]} if self.version_2 else inputs

    def inputs_and_targets(self, rows):
        inputs = self.inputs(rows)
        targets = {
            "start_logits": rows["start_positions"],
            "end_logits": rows["end_positions"],
            "weights": tf.cast(rows["is_real_example"], tf.float32),
        }
        if self.version_2:
            inputs["start_positions"] = rows["start_positions"]
            targets["cls_logits"] = rows["is_impossible"]
        return inputs, targets

    def label_counts(self, features):
        return None

    def _predictions(self, features, outputs):
        """`SquadPredictions` that withhold no answer; made once for scores and files."""
        if self._answers[0] is not outputs:
            make = conditional_span_predictions if self.version_2 else span_predictions
            self._answers = outputs, make(features, outputs, **self.answer_settings)
        return self._answers[1]

    def scores(self, split, features, outputs):
        if not any(example.answers for example in self.splits[split]):
            return {}
        answers = self._predictions(features, outputs)
        if self.version_2:
            return evaluate_v2(self.splits[split], answers.predictions, answers.null_odds)
        return evaluate_v1(self.splits[split], answers.predictions)

    def write_predictions(self, folder, split, features, outputs, scores):
        answers = self._predictions(features, outputs)
        if self.version_2:
            # Without answers to compare with, the threshold of dev.
            threshold = scores[split if scores.get(split) else "dev"]["null_score_diff_threshold"]
            kept = answers_above(answers.predictions, answers.null_odds, threshold)
            answers = SquadPredictions(kept, answers.nbest, answers.null_odds)
        folder = pathlib.Path(folder) / split
        answers.write(folder)
        return sorted(folder.glob("*.json"))

    def export(self, model, path, vocabulary, recipe, scores):
        return export_span_labeler(
            model,
            path,
            vocabulary,
            rules=self.tokenizer.rules,
            seq_length=recipe.max_seq_length,
            doc_stride=recipe.doc_stride,
            max_query_length=recipe.max_query_length,
            max_answer_length=recipe.max_answer_length,
            no_answer_threshold=scores.get("null_score_diff_threshold"),
            overwrite=True,
        )


def squad_task(name, data_dir=None, train_file=None, dev_file=None, test_file=None):
    """SQuAD as distributed: train-v1.1.json and dev-v1.1.json, or v2.0.

    Args:
      name: "squad1.1", for the head that always answers, or "squad2.0", for the one that may not.
      data_dir: Folder with both files.
      train_file, dev_file, test_file: Files of other names. A test file may lack the answers.
    """
    version = name.removeprefix("squad")
    splits = {}
    for split, path in (("train", train_file), ("dev", dev_file), ("test", test_file)):
        if path is None and data_dir is not None and split != "test":
            path = pathlib.Path(data_dir) / f"{split}-v{version}.json"
        if path is None and split == "train":
            raise ValueError(
                f"{name} needs `data_dir`, a folder with {split}-v{version}.json, or "
                f"`{split}_file`. Received: neither."
            )
        if path is not None:
            with told_file(split, path):
                splits[split] = squad.read(path)
            if splits[split].version_2 and version == "1.1":
                raise ValueError(
                    "SQuAD 1.1 has an answer for each question. Received: "
                    f"{path} with impossible ones. Its task is squad2.0."
                )
    return SquadTask(name, splits)
