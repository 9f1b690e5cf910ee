"""Whether what was written is what the model has, bit for bit."""

import numpy as np

from albert_tf._keras import tf_variable
from albert_tf.checkpoints.matching import match, require_ok
from albert_tf.checkpoints.names.flavors import rules
from albert_tf.checkpoints.names.table import PARTS
from albert_tf.checkpoints.read import read


def compare_weights(model, path):
    """Reads a checkpoint back and compares it with a model, one variable at a time.

    Args:
      model: An `AlbertEncoder` or an `AlbertPretrainer`.
      path: A checkpoint that was written from it, as `read` takes it.

    Returns:
      The number of variables, all equal.

    Raises:
      ValueError: A variable is missing, left over, or differs in a bit.
    """
    checkpoint = read(path)
    require_ok(checkpoint, match(checkpoint, list(PARTS))[1])
    table = {rule.name: rule for rule in rules(checkpoint.config, checkpoint.flavor)}
    weights = model.weights_by_name()
    wrong = []
    for name, weight in weights.items():
        rule = table.get(name)
        if rule is None or rule.stored_name not in checkpoint.tensors:
            wrong.append(f"{name} is missing")
            continue
        stored = rule.load(checkpoint.get(rule.stored_name)).astype(np.float32)
        if stored.tobytes() != tf_variable(weight).numpy().tobytes():
            wrong.append(f"{name} differs")
    if wrong:
        raise ValueError(
            "A written checkpoint must be the model, bit for bit. Received: "
            f"{str(path)!r} where {', '.join(wrong[:8])}. Check the disk, and write it again."
        )
    return len(weights)
