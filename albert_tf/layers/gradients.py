"""Gradients of our own, which gradient tapes know and graphs do not hold."""

import tensorflow as tf


def record_gradient(name, inputs, output):
    """Makes gradient tapes take `output` for the result of one operation on `inputs`.

    For less memory and time in training than the gradients of the operations that computed it.
    Those stay in effect wherever no tape records, such as in what is traced for a SavedModel: the
    same numbers.

    Unlike `tf.custom_gradient`, it leaves nothing in the graph. TensorFlow keeps each custom
    gradient of a graph for as long as the process lives, and with it the graph and its model: for
    each model that is trained, and again for each load of a SavedModel that holds it.

    Args:
      name: Under which the gradient is registered: `@tf.RegisterGradient(name)` on a function of
        the operation (`op.inputs`, `op.outputs`) and the gradient of the output, which returns a
        gradient, or None, for each input.
      inputs: list of the tensors that the gradient needs, apart from the output. Those that
        `output` was computed from by way of others in the list get None.
      output: The tensor.

    Example:

    >>> @tf.RegisterGradient("Cube")
    ... def cube_gradient(op, upstream):
    ...     return upstream * 3.0 * op.inputs[0] ** 2
    >>> x = tf.constant(2.0)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = x * x * x
    ...     record_gradient("Cube", [x], y)
    >>> float(tape.gradient(y, x))
    12.0
    """
    tf.__internal__.record_gradient(name, inputs, (), [output])
