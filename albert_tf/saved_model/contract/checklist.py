"""Promises and whether they hold: what the checks of all SavedModels share."""

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


def vocabulary_asset(loaded, needed=True):
    """Whether `sp_model_file`, or `vocab_file` with `do_lower_case`, is there, with its file."""
    names = [name for name in ("sp_model_file", "vocab_file") if hasattr(loaded, name)]
    if not names and not needed:
        return None
    if len(names) != 1:
        return f"expected one of sp_model_file and vocab_file, received {names or 'none'}"
    path = getattr(loaded, names[0]).asset_path.numpy().decode()
    if names == ["vocab_file"] and loaded.do_lower_case.dtype != tf.bool:
        return f"do_lower_case is {loaded.do_lower_case.dtype.name}"
    return None if tf.io.gfile.exists(path) else f"{path} does not exist"


def custom_ops(path):
    """The ops in a SavedModel that TensorFlow itself does not have, sorted."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    with tf.io.gfile.GFile(os.path.join(path, "saved_model.pb"), "rb") as file:
        graph = SavedModel.FromString(file.read()).meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    functions = {f.signature.name for f in graph.library.function}
    return sorted({node.op for node in nodes} - functions - set(dir(tf.raw_ops)))
