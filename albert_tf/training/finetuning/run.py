"""A fine-tuning from its data to its best weights; it writes none of the results."""

import dataclasses

import numpy as np

from albert_tf.config import AlbertConfig
from albert_tf.data.tasks.metrics import LOWER_IS_BETTER
from albert_tf.encoder import AlbertEncoder
from albert_tf.task_record import recorded_rules
from albert_tf.text.given_vocabulary import reference_tokenizer, vocabulary_record
from albert_tf.training.engine.evaluation import Predictor
from albert_tf.training.finetuning.collapse import CollapseDetector, advice
from albert_tf.training.finetuning.data import EvaluationData, TrainingData
from albert_tf.training.finetuning.recipes import Recipe
from albert_tf.training.finetuning.task import FinetuneTask, ranked
from albert_tf.training.run import Run


@dataclasses.dataclass
class FinetuneRun(Run):
    """One fine-tuning: `read_data`, `build` and `train`, in this order, in a block of `held`.

    Attributes:
      task: `FinetuneTask`; it is given its tokenizer.
      recipe: `Recipe`.
      config: `AlbertConfig` of the checkpoint; its dropout gives way to the recipe's.
      vocabulary: `SentencePieceModel` or `WordPieceVocabulary`.
      vocab_size: Number of word embeddings, if the checkpoint's are to grow; or None.
      The others: See `Run`; `options` are `FinetuneOptions`.
    """

    task: FinetuneTask
    recipe: Recipe
    config: AlbertConfig
    vocabulary: object
    vocab_size: int | None = None

    def __post_init__(self):
        super().__post_init__()
        self.skips_padding = self.options.skips_padding(self.task)
        self.task.tokenizer = reference_tokenizer(self.vocabulary)

    def read_data(self, cache_dir):
        """Makes the features of all splits and says what was cut or left out."""
        for split, examples in self.task.splits.items():
            self.say(f"{split}: {len(examples)} examples")
            self.say(_indented(examples.report))
        self.training = TrainingData(self.task, self.recipe, cache_dir, self.vocabulary.path)
        self.num_steps, self.warmup = self.recipe.steps(self.training.num_rows)
        length = self.training.length or self.recipe.max_seq_length
        self.say(f"train: {self.training.num_rows} rows of {length} tokens")
        self.say(_indented(self.training.report))
        # A part of the batch fits in training, so it fits here.
        batch_size = max(self.recipe.batch_size // self.options.accumulate_steps, 1)
        self.evaluation = {}
        for split in self.task.splits:
            if split != "train":
                data = EvaluationData(self.task, split, self.recipe, batch_size)
                self.evaluation[split] = data
                self.say(_indented(data.report and f"{split}: {data.report}"))

    def build(self, checkpoint):
        """Makes model and optimizer, from a `Checkpoint`, or with random weights of None."""
        self.build_step(
            lambda: self.task.build(self._encoder(checkpoint), self.recipe),
            self.task.losses,
            (self.num_steps, self.warmup),
            self.recipe,
            bias_correction=self.recipe.bias_correction,
        )
        self.predictor = Predictor(self.model, self.strategy, self.options.jit_compile)
        report = getattr(self.model.encoder, "restore_report", None)
        self.say(str(report or "random weights: nothing was restored, as --from_scratch says"))
        if (rules := recorded_rules(self.model.encoder)) not in (None, self.task.tokenizer.rules):
            self.say(
                f"note: the checkpoint was trained with the text rules {rules}; this run and its "
                f"SavedModel cut text by the rules {self.task.tokenizer.rules}"
            )
        record = {**self.task.record(self.recipe), **vocabulary_record(self.vocabulary)}
        self.begin(self.config, self.vocabulary, record)

    def _encoder(self, checkpoint):
        how = {
            "dtype": self.options.policy,
            "skip_padding": self.skips_padding,
            "recompute": self.options.recompute,
        }
        if (rate := self.recipe.dropout_rate) is not None:
            how |= {"dropout_rate": rate, "attention_dropout_rate": rate}
        if checkpoint is None:
            return AlbertEncoder.from_albert_config(self.config, **how)
        if self.vocab_size is not None:
            how["vocab_size"] = self.vocab_size
        return AlbertEncoder.from_checkpoint(checkpoint, **how)

    def train(self):
        """Trains, or goes on where an interrupted call stopped; returns the loop's `RunState`."""
        options, counts = self.options, self.training.label_counts
        self.detector = None
        if options.detect_collapse and counts is not None and (counts > 0).sum() > 1:
            self.detector = CollapseDetector(
                counts,
                advice(self.recipe, self.num_steps, self.warmup),
                patience=max(500, 2 * self.warmup),
                warn=None if options.stop_on_collapse else self._warn,
                history=self.output / "history.csv",
            )
        if options.best_metric:
            self._evaluate()  # A wrong name is an error now, not after a tenth of the training.
        return super().train(
            self.training.batches,
            self._evaluate,
            [self.detector] if self.detector else [],
            best_metric=self.best_metric,
            best_is="min" if self.best_metric in LOWER_IS_BETTER else "max",
            tie_breaker="loss",
            patience=options.patience,
        )

    @property
    def best_metric(self):
        """Which of the dev scores, or "loss", chooses the best weights."""
        return self.options.best_metric or self.task.best_metric

    def _warn(self, text):
        self.say(f"\nWARNING: {text}")

    def check_best(self, outputs, warnings):
        """Warns if the answers of the best weights to dev tell nothing about its rows.

        Args:
          outputs: What the model answers to dev.
          warnings: Those of the `RunState`, which get this one.
        """
        data = self.evaluation["dev"]
        if self.detector:
            classes, labels = self.task.classes(outputs), data.features["label_ids"]
            self.detector.check_predictions(classes, labels, getattr(self.task, "labels", None))
        elif self.task.kind == "regression":
            answers, labels = np.asarray(outputs)[:, 0], data.features["label_ids"]
            if len(labels) > 1 and np.std(answers) < 0.05 * np.std(labels):
                warnings["spread"] = (
                    f"The dev predictions hardly vary: they have a standard deviation of "
                    f"{np.std(answers):.3g}, the labels of {np.std(labels):.3g}. The model has "
                    f"learned little more than their mean, {np.mean(answers):.3g}. "
                    f"{advice(self.recipe, self.num_steps, self.warmup)}"
                )
                self._warn(warnings["spread"])

    def _evaluate(self):
        data, outputs = self.evaluation["dev"], self.outputs("dev")
        done = int(self.step.optimizer.iterations.numpy())
        # Early on, one class for all is no sign of failure yet.
        if self.options.stop_on_collapse and self.detector and 2 * done >= self.num_steps:
            classes = self.task.classes(outputs)
            self.detector.check_predictions(classes, data.features["label_ids"])
        scores = self.task.scores("dev", data.features, outputs)
        if self.best_metric not in (*scores, "loss"):
            raise ValueError(
                f"`best_metric` must be one of {', '.join([*scores, 'loss'])}. Received: "
                f"{self.best_metric!r}."
            )
        return ranked({**scores, "loss": data.loss(outputs)})

    def outputs(self, split):
        """What the model answers to a split, with its weights as they are."""
        return self.predictor(self.evaluation[split].batches())


def _indented(report):
    return "\n".join(f"  {line}" for line in str(report).splitlines())
