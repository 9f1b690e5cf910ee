"""Less memory in training: a block's inner results are computed again when gradients need them."""

import tensorflow as tf

from albert_tf.layers.dropout import dropout_seed


def recompute_block(block, x, mask, parameters, training, grid=None):
    """Calls a `Transformer` so that only its input is kept for the gradients.

    Dropout drops the same elements both times. Not for gradients of gradients.

    Args:
      block: The `Transformer`.
      x, mask, parameters, training, grid: As its inputs.

    Returns:
      Its output.

    Reference: https://arxiv.org/abs/1604.06174.
    """
    if training is None or training is False:
        return block(x, mask, parameters, training=training, grid=grid)
    seed = block.next_seed(training)

    def compute(x, *tensors):
        with dropout_seed(seed):
            again = tf.nest.pack_sequence_as(parameters, tensors)
            return block(x, mask, again, training=training, grid=grid)

    return tf.recompute_grad(compute)(x, *tf.nest.flatten(parameters))
