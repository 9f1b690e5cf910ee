"""The learning rate at each update."""

from typing import Any

import tensorflow as tf

from albert_tf._keras import keras
from albert_tf._types import Tensor, TensorLike


@keras.utils.register_keras_serializable(package="albert_tf")
class WarmupPolynomialDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up, then polynomial decay, as ALBERT was trained with.

    With the defaults the rate of update k (k counts from 0) is the original's lr(k):
    `learning_rate * k / num_warmup_steps` while k < num_warmup_steps, then
    `learning_rate * (1 - k / num_train_steps) ** power`. The decay is counted from step 0, so the
    rate jumps down where the warm-up ends, and the first update has rate 0.

    The published recipes were tuned with these rules, so they are the defaults. Options:

    Args:
      learning_rate: The highest rate, reached at the end of the warm-up.
      num_train_steps: Updates after which the rate is `end_learning_rate`.
      num_warmup_steps: Updates of linear warm-up; 0 for none.
      start_warmup_step: Update at which the warm-up begins.
      power: Exponent of the decay; 1 is linear.
      end_learning_rate: The rate from `num_train_steps` on.
      decay_start: "first_step" counts the decay from step 0, as the original does; "warmup_end"
        counts it from the end of the warm-up: no jump, and better for warm-ups that are a large
        part of the training.
      warmup_offset: 0 gives update k the warm-up's rate at k, so update 0 changes no weight. 1
        gives it the rate at k + 1: no update is wasted, and it is what the original's graph often
        did, as it read the step counter and increased it in no fixed order.
      negative_before_start: The original's rate is negative before `start_warmup_step`, which
        walks uphill. By default it is 0 there; True repeats the original.

    Raises:
      ValueError: An argument is out of its range.

    Example:

    >>> from albert_tf.training.optimizers.schedules import WarmupPolynomialDecay
    >>> schedule = WarmupPolynomialDecay(1e-3, num_train_steps=10, num_warmup_steps=3)
    >>> [round(float(schedule(k)), 6) for k in range(5)]
    [0.0, 0.000333, 0.000667, 0.0007, 0.0006]

    Reference: `create_optimizer` in the original's optimization.py.
    """

    def __init__(
        self,
        learning_rate: float,
        num_train_steps: int,
        num_warmup_steps: int = 0,
        start_warmup_step: int = 0,
        power: float = 1.0,
        end_learning_rate: float = 0.0,
        decay_start: str = "first_step",
        warmup_offset: int = 0,
        negative_before_start: bool = False,
    ) -> None:
        super().__init__()
        if num_train_steps < 1:
            raise ValueError(f"`num_train_steps` must be positive. Received: {num_train_steps!r}.")
        if num_warmup_steps < 0:
            raise ValueError(
                f"`num_warmup_steps` must not be negative. Received: {num_warmup_steps!r}."
            )
        if decay_start not in ("first_step", "warmup_end"):
            raise ValueError(
                "`decay_start` must be 'first_step' (the original) or 'warmup_end'. Received: "
                f"{decay_start!r}."
            )
        if warmup_offset not in (0, 1):
            raise ValueError(f"`warmup_offset` must be 0 or 1. Received: {warmup_offset!r}.")
        self.learning_rate = learning_rate
        self.num_train_steps = num_train_steps
        self.num_warmup_steps = num_warmup_steps
        self.start_warmup_step = start_warmup_step
        self.power = power
        self.end_learning_rate = end_learning_rate
        self.decay_start = decay_start
        self.warmup_offset = warmup_offset
        self.negative_before_start = negative_before_start

    def __call__(self, step: TensorLike) -> Tensor:
        step = tf.cast(tf.convert_to_tensor(step), tf.float32)
        end_of_warmup = self.start_warmup_step + self.num_warmup_steps
        first = end_of_warmup if self.decay_start == "warmup_end" else 0
        length = float(max(self.num_train_steps - first, 1))
        progress = tf.clip_by_value((step - first) / length, 0.0, 1.0)
        span = self.learning_rate - self.end_learning_rate
        decayed = span * (1.0 - progress) ** self.power + self.end_learning_rate
        if not self.num_warmup_steps:
            return decayed

        warm = step + (self.warmup_offset - self.start_warmup_step)
        if not self.negative_before_start:
            warm = tf.maximum(warm, 0.0)
        warming = self.learning_rate * (warm / self.num_warmup_steps)
        return tf.where(warm < self.num_warmup_steps, warming, decayed)

    def get_config(self) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "num_train_steps": self.num_train_steps,
            "num_warmup_steps": self.num_warmup_steps,
            "start_warmup_step": self.start_warmup_step,
            "power": self.power,
            "end_learning_rate": self.end_learning_rate,
            "decay_start": self.decay_start,
            "warmup_offset": self.warmup_offset,
            "negative_before_start": self.negative_before_start,
        }
