"""Noticing that fine-tuning fails, while there is still time to do something."""

import math
import pathlib

import numpy as np

from albert_tf.training.engine.callbacks import Callback
from albert_tf.training.engine.history import rows_up_to


class TrainingCollapsed(RuntimeError):
    """Training does not learn: the message says how it shows and what to try."""


class CollapseDetector(Callback):
    """Notices that a classifier answers without looking at its input.

    A model that ignores its input reaches the entropy of the labels, at most ln(classes), and stays
    there: the failed runs of large ALBERTs look like this. So may runs that are too short to learn
    anything, and those on data that cannot be told apart. Two signs are looked for: a mean loss of
    the last `patience` steps that is not below `(1 - tolerance)` times that entropy, and an
    evaluation that predicts one class for all examples although there are more among the labels,
    so that its accuracy is the share of that class.

    Args:
      label_counts: How often each class occurs in the training set.
      advice: What to try, in words.
      patience: Steps over which the loss is averaged. Warm-up counts, so give it twice its length.
      tolerance: How far the loss must get below the entropy of the labels, as a fraction.
      name: Which of the reported numbers is the loss.
      warn: Function that is called with the message, once for each sign in all calls of a run.
        None to raise instead.
      history: Path of the `history.csv` that `History` writes, of every step: the losses that a
        run begins with which goes on. None: the average begins anew.

    Raises:
      TrainingCollapsed: From `on_steps` and `check_predictions`, if `warn` is None.

    Reference: https://arxiv.org/abs/2006.04884, "On the Stability of Fine-tuning BERT".
    """

    chief_only = False

    def __init__(
        self,
        label_counts,
        advice="",
        patience=500,
        tolerance=0.03,
        name="loss",
        warn=None,
        history=None,
    ):
        counts = np.asarray(label_counts, np.float64)
        if counts.ndim != 1 or (counts < 0).any() or (counts > 0).sum() < 2:
            raise ValueError(
                "`label_counts` must count at least two classes that occur. Received: "
                f"{label_counts!r}. With one class there is nothing to learn."
            )
        if patience < 1:
            raise ValueError(f"`patience` must be positive. Received: {patience!r}.")
        shares = counts[counts > 0] / counts.sum()
        self.entropy = float(-(shares * np.log(shares)).sum())
        self.num_classes = int((counts > 0).sum())
        self.advice = advice
        self.patience = patience
        self.tolerance = tolerance
        self.name = name
        self.recent = []
        self.history = None if history is None else pathlib.Path(history)
        self.warnings = {}
        self._warn = warn

    def on_begin(self, run):
        self.recent, self.warnings = [], run["warnings"]
        if run["step"] and self.history and self.history.is_file():
            rows = rows_up_to(self.history, run["step"])[-self.patience :]
            self.recent = [float(row[self.name]) for row in rows]

    def on_steps(self, logs):
        self.recent += [float(x) for x in logs[self.name]]
        self.recent = self.recent[-self.patience :]
        mean = math.fsum(self.recent) / len(self.recent)
        if len(self.recent) == self.patience and mean > (1 - self.tolerance) * self.entropy:
            self._collapsed(
                "loss",
                f"The mean loss of the last {self.patience} steps up to step {logs['step'][-1]} is "
                f"{mean:.4f}; guessing by the labels' frequencies gives {self.entropy:.4f} (ln of "
                f"{self.num_classes} classes is {math.log(self.num_classes):.4f}).",
            )

    def check_predictions(self, predictions, labels, names=None):
        """Notices if all predicted classes are the same one while the labels differ.

        Args:
          predictions: int array [examples].
          labels: int array [examples].
          names: Names of the classes; default: their numbers.
        """
        predicted, true = np.unique(predictions), np.unique(labels)
        if len(predictions) > 1 and len(predicted) == 1 and len(true) > 1:
            name = predicted[0] if names is None else repr(names[predicted[0]])
            share = np.mean(np.asarray(labels) == predicted[0])
            self._collapsed(
                "predictions",
                f"All {len(predictions)} dev predictions are class {name}, while the labels have "
                f"{len(true)} classes: the accuracy of {share:.3f} is the share of that class.",
            )

    def _collapsed(self, sign, what):
        text = f"The model does not look at its input. {what} {self.advice}".rstrip()
        if self._warn is None:
            raise TrainingCollapsed(text)
        if sign not in self.warnings:
            self.warnings[sign] = text
            self._warn(text)


def advice(recipe, num_steps, warmup_steps):
    """What to try next, as flags of `albert-tf finetune`.

    Args:
      recipe: `Recipe` of the run.
      num_steps: Its updates.
      warmup_steps: How many of them are warm-up.
    """
    rate = recipe.learning_rate
    if num_steps < 1000:
        more = [
            f"train longer than these {num_steps} steps (--train_steps={4 * num_steps})",
            f"a higher learning rate (--learning_rate={3 * rate:g})",
        ]
    else:
        more = [
            f"a lower learning rate (--learning_rate={rate / 3:g})",
            f"a longer warm-up (--warmup_steps={max(num_steps // 10, 2 * warmup_steps)})",
        ]
    if not recipe.bias_correction:
        more.append("--bias_correction")
    more.append("another --seed")
    return (
        f"Try, in this order: {'; '.join(more)}; each with an --output of its own. Check that the "
        "labels fit the texts."
    )
