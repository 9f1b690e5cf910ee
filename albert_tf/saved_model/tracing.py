"""Functions that `tf.saved_model.save` writes as they were traced."""

import contextlib

import tensorflow as tf

try:
    from tensorflow.python.saved_model.save_context import save_context
except ImportError:  # A private name. Without it, exports are equal and take longer.
    save_context = None


@contextlib.contextmanager
def traced_once():
    """What is traced inside, `tf.saved_model.save` takes; otherwise it traces all once more.

    A trace belongs to the context it was made in, and saving has a context of its own. This is that
    context, without anything being saved. Specifications of tensors need names, as a saved trace
    has them and is another one without.
    """
    if save_context is None:
        yield
    else:
        with save_context(tf.saved_model.SaveOptions()):
            yield
