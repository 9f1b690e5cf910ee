"""Keeping float16 gradients from vanishing."""

import tensorflow as tf

from albert_tf._keras import flat_layers


class LossScale:
    """The factor that the loss is multiplied by before the gradients are taken, and its rule.

    float16 gradients below 6e-8 vanish; a large factor lifts them, and is taken out again in
    float32. The factor doubles after `growth_steps` steps without overflow and is halved by one
    with overflow, which is skipped.

    Args:
      initial: The first factor.
      growth_steps: Steps after which it doubles; None for a factor that never changes.

    Reference: https://arxiv.org/abs/1710.03740, section 3.2.
    """

    def __init__(self, initial=2.0**15, growth_steps=2000):
        self.growth_steps = growth_steps
        first = tf.VariableAggregation.ONLY_FIRST_REPLICA
        self.scale = tf.Variable(initial, trainable=False, name="loss_scale", aggregation=first)
        self.good_steps = tf.Variable(
            0, trainable=False, name="loss_scale_good_steps", aggregation=first
        )

    @property
    def variables(self):
        return [self.scale, self.good_steps]

    def update(self, finite):
        """Takes note of one step, in replica context; `finite` is the same on all replicas."""
        if self.growth_steps is None:
            return
        good_steps = tf.where(finite, self.good_steps + 1, 0)
        grow = good_steps >= self.growth_steps
        scale = tf.where(finite, self.scale, tf.maximum(self.scale / 2.0, 1.0))
        self.scale.assign(tf.where(grow, scale * 2.0, scale))
        self.good_steps.assign(tf.where(grow, 0, good_steps))


def uses_float16(model):
    """Whether a layer of the model computes in float16."""
    return any(layer.compute_dtype == "float16" for layer in flat_layers(model))
