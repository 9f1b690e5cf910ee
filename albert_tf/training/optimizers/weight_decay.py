"""Which variables an optimizer's weight decay and layer adaptation leave out."""

import re

import tensorflow as tf

from albert_tf._keras import tf_variable

# The original's list: layer normalization and biases. Embeddings are decayed.
EXCLUDED = ("LayerNorm", "layer_norm", "bias")


def raw_variable(variable):
    """The tf.Variable of a Keras variable of either generation; a tf.Variable is returned as is."""
    return variable if isinstance(variable, tf.Variable) else tf_variable(variable)


def variable_name(variable):
    """A variable's name with those of its layers, such as "transformer/output/kernel"."""
    name = raw_variable(variable).name.removesuffix(":0")
    # A Keras 3 variable made outside a layer's scopes has its layers' names in `path` only.
    return name if "/" in name else getattr(variable, "path", name)


def is_excluded(variable, patterns=EXCLUDED):
    """Whether a variable's name contains one of the regular expressions `patterns`.

    Args:
      variable: tf.Variable or Keras variable.
      patterns: Regular expressions, searched anywhere in `variable_name(variable)`.

    Reference: `_do_use_weight_decay` in the original's optimization.py.
    """
    name = variable_name(variable)
    return any(re.search(pattern, name) for pattern in patterns)
