"""Does a SavedModel keep the contract? Loads and runs it as a user would."""

import dataclasses
import os

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Check:
    """One promise, and how a SavedModel differs from it (None where it holds)."""

    promise: str
    difference: str | None


class Checklist:
    """Checks collected one by one; a promise that fails in an unexpected way counts as broken."""

    def __init__(self):
        self.checks = []

    def promise(self, text, examine, *args):
        """Records whether `examine(*args)` finds a difference, and returns whether it holds."""
        try:
            difference = examine(*args)
        except Exception as error:  # A broken promise may fail in any way; the rest still counts.
            difference = f"{type(error).__name__}: {error}".splitlines()[0]
        self.checks.append(Check(text, difference))
        return difference is None


def differs(expected, received):
    """None if both are equal, else a sentence."""
    return None if expected == received else f"expected {expected}, received {received}"


def check(path):
    """Checks the SavedModel of an encoder, a preprocessor or a task model against its contract.

    Loads it with `tf.saved_model.load` and runs it on small inputs. Does not compare numbers with a
    checkpoint.

    Args:
      path: Directory of a SavedModel.

    Returns:
      A list of `Check`; the contract holds if each `difference` is None.

    Raises:
      ValueError: There is no SavedModel at `path`.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> from albert_tf import albert_tiny_en
    >>> from albert_tf.saved_model.check import check
    >>> path = tempfile.mkdtemp() + "/preprocessor"
    >>> _ = albert_tf.export_preprocessor(albert_tiny_en.SP_MODEL, path)
    >>> all(promise.difference is None for promise in check(path))
    True
    """
    from albert_tf.saved_model.check_encoder import check_encoder
    from albert_tf.saved_model.check_preprocessor import check_preprocessor
    from albert_tf.saved_model.task_contract import check_task
    from albert_tf.text.tensorflow_text import import_tensorflow_text

    path = os.fspath(path)
    if not tf.saved_model.contains_saved_model(path):
        raise ValueError(f"There must be a SavedModel directory. Received: {path!r}.")
    if custom_ops(path):
        import_tensorflow_text()
    loaded = tf.saved_model.load(path)
    if hasattr(loaded, "task"):
        return check_task(loaded)
    if hasattr(loaded, "tokenize"):
        return check_preprocessor(loaded)
    return check_encoder(loaded, path)


def custom_ops(path):
    """The ops in a SavedModel that TensorFlow itself does not have, sorted."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    with tf.io.gfile.GFile(os.path.join(path, "saved_model.pb"), "rb") as file:
        graph = SavedModel.FromString(file.read()).meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    functions = {f.signature.name for f in graph.library.function}
    return sorted({node.op for node in nodes} - functions - set(dir(tf.raw_ops)))


def check_or_raise(path):
    """What exporters call before a SavedModel appears: the checks, or a ValueError."""
    checks = check(path)
    broken = [f"{c.promise}: {c.difference}" for c in checks if c.difference]
    if broken:
        raise ValueError(
            f"An exported SavedModel must keep its contract. Received: {'; '.join(broken)}."
        )
    return checks
