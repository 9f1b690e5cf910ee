"""Whether what was written is what the model has, bit for bit."""

import numpy as np

from albert_tf._keras import tf_variable
from albert_tf.checkpoints.matching import match, require_ok
from albert_tf.checkpoints.names.flavors import rules
from albert_tf.checkpoints.names.table import PARTS
from albert_tf.checkpoints.read import read
from albert_tf.checkpoints.task_head import stored_name


def compare_weights(model, path):
    """Reads a checkpoint back and compares it with a model, one variable at a time.

    Args:
      model: An `AlbertEncoder`, an `AlbertPretrainer` or a task model.
      path: A checkpoint that was written from it, as `read` takes it.

    Returns:
      The number of variables, all equal.

    Raises:
      ValueError: A variable is missing, left over, or differs in a bit.
    """
    checkpoint = read(path)
    require_ok(checkpoint, match(checkpoint, list(PARTS))[1])
    table = {
        rule.name: (rule.stored_name, rule.load)
        for rule in rules(checkpoint.config, checkpoint.flavor)
    }
    for head_weight in getattr(model, "head_weight_names", ()):
        stored, transposed = stored_name(head_weight, checkpoint.flavor)
        table[head_weight.name] = stored, np.transpose if transposed else np.asarray
    weights = model.weights_by_name()
    wrong = []
    for name, weight in weights.items():
        stored_as, load = table.get(name, (None, None))
        if stored_as not in checkpoint.tensors:
            if name not in checkpoint.absent or tf_variable(weight).numpy().any():
                wrong.append(f"{name} is missing")
            continue
        stored = load(checkpoint.get(stored_as)).astype(np.float32)
        if stored.tobytes() != tf_variable(weight).numpy().tobytes():
            wrong.append(f"{name} differs")
    if wrong:
        raise ValueError(
            "A written checkpoint must be the model, bit for bit. Received: "
            f"{str(path)!r} where {', '.join(wrong[:8])}. Check the disk, and write it again."
        )
    return len(weights)
