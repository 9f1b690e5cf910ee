"""Does a SavedModel keep the contract? Loads and runs it as a user would."""

import os

import tensorflow as tf

from albert_tf._types import Path
from albert_tf.saved_model.contract.check_encoder import check_encoder
from albert_tf.saved_model.contract.checklist import Check, custom_ops
from albert_tf.saved_model.contract.preprocessor import check_preprocessor
from albert_tf.saved_model.contract.tasks import check_task
from albert_tf.text.tensorflow_text import import_tensorflow_text


def check(path: Path) -> list[Check]:
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
    >>> from albert_tf.saved_model.contract.check import check
    >>> path = tempfile.mkdtemp() + "/preprocessor"
    >>> _ = albert_tf.export_preprocessor(albert_tiny_en.SP_MODEL, path)
    >>> all(promise.difference is None for promise in check(path))
    True
    """
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


def check_or_raise(path):
    """What exporters call before a SavedModel appears: the checks, or a ValueError."""
    checks = check(path)
    broken = [f"{c.promise}: {c.difference}" for c in checks if c.difference]
    if broken:
        raise ValueError(
            f"An exported SavedModel must keep its contract. Received: {'; '.join(broken)}."
        )
    return checks
