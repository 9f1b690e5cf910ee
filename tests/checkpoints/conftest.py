import numpy as np
import pytest

# TensorFlow is imported late: `python -m tests` starts by reading this file.


def _write(prefix, arrays):
    """Writes a TF1 checkpoint with these variables, as tf.compat.v1.train.Saver does."""
    import tensorflow as tf

    prefix.parent.mkdir(parents=True, exist_ok=True)
    names = list(arrays)
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[tf.convert_to_tensor(arrays[name]) for name in names],
    )
    return prefix


def _random_arrays(config, parts=("encoder", "masked_lm", "sentence_order")):
    from albert_tf.checkpoints.names.table import rules

    rng = np.random.default_rng(0)
    return {
        rule.stored_name: rng.normal(0, 0.1, rule.stored_shape).astype(np.float32)
        for rule in rules(config, "tf1")
        if rule.part in parts
    }


@pytest.fixture
def write_tf1():
    """Function (prefix, {name: array}) that writes a TF1 checkpoint and returns the prefix."""
    return _write


@pytest.fixture
def random_arrays():
    """Function (config, parts) that returns {TF1 name: random array}."""
    return _random_arrays
