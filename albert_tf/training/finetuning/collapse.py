"""Noticing that fine-tuning has failed, while there is still time to do something."""

import math

import numpy as np

from albert_tf.training.engine.callbacks import Callback


class TrainingCollapsed(RuntimeError):
    """Training does not learn: the message says how it shows and what to try."""


class CollapseDetector(Callback):
    """Stops a classifier's training when its loss stays where guessing is.

    A model that ignores its input reaches the entropy of the labels, at most ln(classes), and stays
    there: the failed runs of large ALBERTs look like this. Stops when the mean loss of the last
    `patience` steps is not below `(1 - tolerance)` times that entropy, or when an evaluation
    predicts a single class for all examples although there are more among the labels.

    Args:
      label_counts: How often each class occurs in the training set.
      patience: Steps over which the loss is averaged. Warm-up counts, so give it twice its length.
      tolerance: How far the loss must get below the entropy of the labels, as a fraction.
      name: Which of the reported numbers is the loss.

    Raises:
      TrainingCollapsed: From `on_steps` and `check_predictions`.

    Reference: https://arxiv.org/abs/2006.04884, "On the Stability of Fine-tuning BERT".
    """

    chief_only = False

    def __init__(self, label_counts, patience=500, tolerance=0.03, name="loss"):
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
        self.patience = patience
        self.tolerance = tolerance
        self.name = name
        self.recent = []

    def on_steps(self, logs):
        self.recent += [float(x) for x in logs[self.name]]
        self.recent = self.recent[-self.patience :]
        mean = math.fsum(self.recent) / len(self.recent)
        if len(self.recent) == self.patience and mean > (1 - self.tolerance) * self.entropy:
            raise TrainingCollapsed(
                f"The mean loss of the last {self.patience} steps up to step {logs['step'][-1]} is "
                f"{mean:.4f}; guessing by the labels' frequencies gives {self.entropy:.4f} (ln of "
                f"{self.num_classes} classes is {math.log(self.num_classes):.4f}). {_ADVICE}"
            )

    def check_predictions(self, predictions, labels):
        """Raises if all predicted classes are the same one while the labels differ.

        Args:
          predictions: int array [examples].
          labels: int array [examples].
        """
        predicted, true = np.unique(predictions), np.unique(labels)
        if len(predictions) > 1 and len(predicted) == 1 and len(true) > 1:
            raise TrainingCollapsed(
                f"All {len(predictions)} predictions are class {predicted[0]}, while the labels "
                f"have {len(true)} classes. {_ADVICE}"
            )


_ADVICE = (
    "The model has not learned from its input. Try, in this order: a learning rate 2 to 5 times "
    "smaller; a longer warm-up (10 % of the steps); AdamW(bias_correction=True); another seed; "
    "more epochs for small data sets; for v2 models no dropout. Check that the checkpoint was "
    "restored (`restore_report`) and that the labels fit the texts."
)
