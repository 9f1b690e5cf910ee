"""The optimizers that ALBERT was trained with: AdamW for fine-tuning, LAMB for pre-training."""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from albert_tf._keras import keras
from albert_tf._types import Tensor
from albert_tf.training.optimizers.base import ClippedOptimizer
from albert_tf.training.optimizers.weight_decay import EXCLUDED, is_excluded


@keras.utils.register_keras_serializable(package="albert_tf")
class AdamW(ClippedOptimizer):
    """Adam with decoupled weight decay, as ALBERT is fine-tuned with.

    In this order: clip all gradients by their global norm; update both moments; divide the first by
    `sqrt(second) + epsilon`; add `weight_decay_rate` times the weights; step by the learning rate.
    The decay is thus scaled by the learning rate. Works in `model.compile` of both Keras
    generations and in `albert_tf.training.engine.train_step.TrainStep`.

    Defaults are the original's. Options for its quirks:

    Args:
      learning_rate: Number or Keras schedule, such as `WarmupPolynomialDecay`.
      weight_decay_rate: Weight decay.
      beta_1: Decay of the first moment.
      beta_2: Decay of the second moment.
      epsilon: Added outside of the square root.
      clip_norm: Largest global norm of the gradients; None for no clipping. On a TPU the original
        clipped on each core before adding up; here it is the norm of the whole batch's gradient,
        whatever the number of replicas.
      exclude_from_weight_decay: Regular expressions, searched in the variables' names.
      bias_correction: Whether to correct the moments for their start at zero. The original and
        BERT do not. For small data sets True is better: it prevents most failed runs of
        fine-tuning (https://arxiv.org/abs/2006.05987, section 4).
      norm_of_rows: Whether a sparse gradient's norm counts repeated rows apart, as the original
        does on CPU and GPU; it is then not the gradient's norm. False is what it does on a TPU.
      name: Name of the optimizer.

    Example:

    >>> from albert_tf.training.optimizers.adamw_lamb import AdamW
    >>> import tensorflow as tf
    >>> weight = tf.Variable([1.0, -1.0], name="dense/kernel")
    >>> optimizer = AdamW(0.1, weight_decay_rate=0.0)
    >>> _ = optimizer.apply_gradients([(tf.constant([0.1, 0.1]), weight)])
    >>> [round(float(w), 3) for w in weight.numpy()]
    [0.684, -1.316]

    Reference: `AdamWeightDecayOptimizer` in the original's optimization.py;
    https://arxiv.org/abs/1711.05101.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 1e-3,
        weight_decay_rate: float = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-6,
        clip_norm: float | None = 1.0,
        exclude_from_weight_decay: Iterable[str] = EXCLUDED,
        bias_correction: bool = False,
        norm_of_rows: bool = False,
        name: str = "adamw",
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay_rate,
            beta_1,
            beta_2,
            epsilon,
            clip_norm,
            exclude_from_weight_decay,
            bias_correction,
            norm_of_rows,
            name,
        )


@keras.utils.register_keras_serializable(package="albert_tf")
class Lamb(ClippedOptimizer):
    """LAMB: `AdamW` with a step in proportion to each variable's norm, for large batches.

    The learning rate of a variable is multiplied by its norm over the norm of its change (decay
    included), or by 1 if either is 0.

    Args:
      exclude_from_layer_adaptation: Regular expressions, searched in the variables' names: these
        are updated as by AdamW. None for those excluded from weight decay.
      bias_correction: As for `AdamW`. The original lacks it; the paper of LAMB has it.

    The other arguments are those of `AdamW`.

    Example:

    >>> from albert_tf.training.optimizers.adamw_lamb import Lamb
    >>> import tensorflow as tf
    >>> weight = tf.Variable([3.0, 4.0], name="dense/kernel")
    >>> optimizer = Lamb(0.1, weight_decay_rate=0.0)
    >>> _ = optimizer.apply_gradients([(tf.constant([0.1, 0.1]), weight)])
    >>> [round(float(w), 3) for w in weight.numpy()]
    [2.646, 3.646]

    Reference: `LAMBOptimizer` in the original's lamb_optimizer.py;
    https://arxiv.org/abs/1904.00962.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 1e-3,
        weight_decay_rate: float = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-6,
        clip_norm: float | None = 1.0,
        exclude_from_weight_decay: Iterable[str] = EXCLUDED,
        exclude_from_layer_adaptation: Iterable[str] | None = None,
        bias_correction: bool = False,
        norm_of_rows: bool = False,
        name: str = "lamb",
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay_rate,
            beta_1,
            beta_2,
            epsilon,
            clip_norm,
            exclude_from_weight_decay,
            bias_correction,
            norm_of_rows,
            name,
        )
        if exclude_from_layer_adaptation is None:
            exclude_from_layer_adaptation = exclude_from_weight_decay
        self.layer_adaptation_exclusions = tuple(exclude_from_layer_adaptation)

    def build(self, variables: list) -> None:
        super().build(variables)
        self.adapted = [not is_excluded(v, self.layer_adaptation_exclusions) for v in variables]

    def trust_ratio(self, index: int, variable: tf.Variable, change: Tensor) -> Tensor | float:
        if not self.adapted[index]:
            return 1.0
        weight_norm = tf.norm(tf.convert_to_tensor(variable))
        change_norm = tf.norm(change)
        both = tf.logical_and(weight_norm > 0.0, change_norm > 0.0)
        return tf.where(both, weight_norm / tf.where(both, change_norm, 1.0), 1.0)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "exclude_from_layer_adaptation": list(self.layer_adaptation_exclusions),
        }
