"""Short names of types that signatures share."""

import os
from typing import TYPE_CHECKING, Any, TypeAlias

Path: TypeAlias = str | os.PathLike[str]
Arrays: TypeAlias = dict[str, Any]  # NumPy arrays, tensors or weights by name.

# TensorFlow's own are for type checkers alone: what is typed must not start it.
if TYPE_CHECKING:
    import tensorflow as tf

    Tensor: TypeAlias = tf.Tensor
    TensorLike: TypeAlias = tf.types.experimental.TensorLike
else:
    Tensor = TensorLike = Any
# What models take: the ids, a list of up to three tensors, or a dict of them by name.
Inputs: TypeAlias = TensorLike | list | tuple | dict[str, TensorLike]
