"""What AdamW and LAMB share: clipping, moments, and being a Keras optimizer of both generations."""

from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from albert_tf._keras import (
    KERAS_3,
    build_learning_rate,
    given_learning_rate,
    keras,
    trained_variables,
    variable_key,
)
from albert_tf._types import Tensor
from albert_tf.training.optimizers.weight_decay import is_excluded, raw_variable, variable_name


class ClippedOptimizer(keras.optimizers.Optimizer):
    """Base of `AdamW` and `Lamb`; see there for the arguments.

    It is a Keras optimizer, so that `model.compile` and `fit` take it in both generations, but
    brings its own `apply_gradients`: Keras 3 clips the gradients of each replica before it adds
    them up, which makes the result depend on the number of replicas. Here gradients are added up,
    then clipped. Features of Keras's base class that would change the arithmetic (`clipnorm`,
    moving averages, `gradient_accumulation_steps`) are not offered.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        weight_decay_rate: float,
        beta_1: float,
        beta_2: float,
        epsilon: float,
        clip_norm: float | None,
        exclude_from_weight_decay: Iterable[str],
        bias_correction: bool,
        norm_of_rows: bool,
        name: str,
    ) -> None:
        if clip_norm is not None and clip_norm <= 0.0:
            raise ValueError(f"`clip_norm` must be positive or None. Received: {clip_norm!r}.")
        if KERAS_3:
            super().__init__(learning_rate, name=name)
        else:
            super().__init__(name=name, jit_compile=False)
            build_learning_rate(self, learning_rate)
        self.weight_decay_rate = weight_decay_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.clip_norm = clip_norm
        self.weight_decay_exclusions = tuple(exclude_from_weight_decay)
        self.bias_correction = bias_correction
        self.norm_of_rows = norm_of_rows

    # === Variables ===

    def build(self, variables: list) -> None:
        """Creates the two moments of each variable; does nothing when called again."""
        if getattr(self, "first_moments", None) is not None:
            return
        super().build(variables)
        # The original's names of the slots, for both optimizers.
        self.first_moments = [self.add_variable_from_reference(v, "adam_m") for v in variables]
        self.second_moments = [self.add_variable_from_reference(v, "adam_v") for v in variables]
        self.decayed = [not is_excluded(v, self.weight_decay_exclusions) for v in variables]
        self.index_of = {variable_key(self, v): i for i, v in enumerate(variables)}

    def current_learning_rate(self) -> Tensor:
        """The rate of the next update, a float32 scalar tensor."""
        rate = given_learning_rate(self)
        if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
            rate = rate(self._iteration_variable())
        return tf.cast(tf.convert_to_tensor(rate), tf.float32)

    def _iteration_variable(self):
        return raw_variable(self.iterations)

    # === Updates ===

    def apply_gradients(
        self,
        grads_and_vars: Iterable,
        name: str | None = None,
        skip_gradients_aggregation: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Adds up the gradients of all replicas, clips them, and updates the variables.

        Args:
          grads_and_vars: Pairs (gradient, variable). Pairs without a gradient are left out.
          name: Not used; for Keras 2.
          skip_gradients_aggregation: Whether the gradients are already sums over all replicas.
        """
        del name
        pairs = [(gradient, variable) for gradient, variable in grads_and_vars]
        if not kwargs.pop("experimental_aggregate_gradients", True):
            skip_gradients_aggregation = True  # The older name, that LossScaleOptimizer uses.
        with tf.init_scope():
            self.build([variable for _, variable in pairs])
        pairs = [(gradient, variable) for gradient, variable in pairs if gradient is not None]
        if not pairs:
            raise ValueError(
                "At least one variable must have a gradient. Received: no gradient. Does the loss "
                "depend on the model's output?"
            )
        gradients, variables = zip(*pairs)
        rows = [row_squares(gradient) for gradient in gradients]
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        context = tf.distribute.get_replica_context()
        if context is not None and not skip_gradients_aggregation:
            gradients, rows = context.all_reduce(tf.distribute.ReduceOp.SUM, (gradients, rows))
        self.apply_summed(gradients, variables, rows)
        return self.iterations

    def apply(self, grads: list, trainable_variables: list | None = None) -> Any:
        """The entry point of Keras 3; see `apply_gradients`."""
        if trainable_variables is None:
            trainable_variables = trained_variables(self)
        self.apply_gradients(zip(grads, trainable_variables))

    def apply_summed(
        self,
        gradients: Sequence,
        variables: Sequence,
        rows: Sequence | None = None,
        apply: Tensor | None = None,
    ) -> Any:
        """Clips and applies gradients that are already sums over all replicas.

        Args:
          gradients: Dense float32 gradients.
          variables: Their variables.
          rows: `row_squares` of each gradient, for the option `norm_of_rows`.
          apply: Scalar bool tensor: False leaves everything as it is, the count of updates too.

        Returns:
          The gradients' global norm before clipping, a float32 scalar.
        """
        squares = [tf.reduce_sum(tf.square(gradient)) for gradient in gradients]
        if self.norm_of_rows and rows is not None:
            squares = [tf.where(row < 0.0, square, row) for row, square in zip(rows, squares)]
        norm = tf.sqrt(tf.add_n(squares))
        clip = 1.0
        if self.clip_norm is not None:
            clip = self.clip_norm * tf.minimum(1.0 / norm, 1.0 / self.clip_norm)
        indices = [self._known_index(variable) for variable in variables]
        moments = [(self.first_moments[i], self.second_moments[i]) for i in indices]
        updates = [
            (*map(raw_variable, (variable, m, v)), gradient, i)
            for gradient, variable, (m, v), i in zip(gradients, variables, moments, indices)
        ]
        tf.__internal__.distribute.interim.maybe_merge_call(
            self._update_all,
            tf.distribute.get_strategy(),
            updates,
            clip,
            self.current_learning_rate(),
            apply,
        )
        return norm

    def _known_index(self, variable):
        index = self.index_of.get(variable_key(self, variable))
        if index is None:
            raise ValueError(
                "An optimizer updates only the variables that it first saw. Received: "
                f"{variable_name(variable)!r}. Construct a new optimizer for other variables."
            )
        return index

    def _update_all(self, strategy, updates, clip, rate, apply):
        for variable, m, v, gradient, index in updates:

            def update(variable, m, v, gradient, clip, rate, step, apply, index=index):
                self._update_one(index, variable, m, v, gradient * clip, rate, step, apply)

            step = self._iteration_variable()
            arguments = (m, v, gradient, clip, rate, step, apply)
            strategy.extended.update(variable, update, args=arguments, group=False)

        def count(iterations, apply):
            one = tf.ones([], iterations.dtype)
            iterations.assign_add(one if apply is None else tf.cast(apply, iterations.dtype))

        # After the others: they read it.
        strategy.extended.update(self._iteration_variable(), count, args=(apply,), group=False)

    def _update_one(self, index, variable, m, v, gradient, rate, step, apply):
        new_m = self.beta_1 * m + (1.0 - self.beta_1) * gradient
        new_v = self.beta_2 * v + (1.0 - self.beta_2) * tf.square(gradient)
        m_hat, v_hat = new_m, new_v
        if self.bias_correction:
            t = tf.cast(step, tf.float32) + 1.0
            m_hat = new_m / (1.0 - self.beta_1**t)
            v_hat = new_v / (1.0 - self.beta_2**t)
        change = m_hat / (tf.sqrt(v_hat) + self.epsilon)
        if self.decayed[index] and self.weight_decay_rate:
            change += self.weight_decay_rate * variable
        new_value = variable - rate * self.trust_ratio(index, variable, change) * change
        for target, value in ((variable, new_value), (m, new_m), (v, new_v)):
            target.assign(value if apply is None else tf.where(apply, value, target))

    def trust_ratio(self, index: int, variable: tf.Variable, change: Tensor) -> Tensor | float:
        """What multiplies the learning rate of variable number `index`; 1 but for LAMB."""
        del index, variable, change
        return 1.0

    def get_config(self) -> dict[str, Any]:
        rate = given_learning_rate(self)
        if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
            rate = keras.optimizers.schedules.serialize(rate)
        else:
            rate = float(tf.convert_to_tensor(rate))
        return {
            "name": self.name,
            "learning_rate": rate,
            "weight_decay_rate": self.weight_decay_rate,
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "clip_norm": self.clip_norm,
            "exclude_from_weight_decay": list(self.weight_decay_exclusions),
            "bias_correction": self.bias_correction,
            "norm_of_rows": self.norm_of_rows,
        }


def row_squares(gradient):
    """Sum of the squares of a sparse gradient's rows, repeated rows counted apart; -1 if dense."""
    if isinstance(gradient, tf.IndexedSlices):
        return tf.reduce_sum(tf.square(tf.cast(gradient.values, tf.float32)))
    return tf.constant(-1.0)
