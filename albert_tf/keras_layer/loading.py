"""From the handle of a SavedModel to the loaded object, for `KerasLayer`."""

import os
import re

import tensorflow as tf

from albert_tf.text.tensorflow_text import import_tensorflow_text

_LOAD_ERRORS = (RuntimeError, tf.errors.OpError, OSError)
_TF1_HUB_MARKER = "tfhub_module.pb"


def load_handle(handle, tags=None, options=None):
    """Loads the SavedModel that a handle names.

    TensorFlow Text is imported when the graph needs its operations. A SavedModel is a program: load
    only handles that you trust.

    Args:
      handle: path of a SavedModel directory, or the https:// URL of one (fetched and cached by
        `tensorflow_hub`, which only URLs need).
      tags: tags of the graph to load. Default: the only one; for the TF1 Hub format, the one
        without tags.
      options: `tf.saved_model.LoadOptions`.

    Returns:
      The loaded object, and whether it is in the TF1 Hub format.

    Raises:
      FileNotFoundError: nothing exists at the handle.
      ValueError: what is there is not a SavedModel, or the URL begins with http://.
      ImportError: a library that the handle or the graph needs is missing.

    Example:
      >>> import tempfile
      >>> import tensorflow as tf
      >>> from albert_tf.keras_layer.loading import load_handle
      >>> path = tempfile.mkdtemp()
      >>> tf.saved_model.save(tf.Module(), path)
      >>> loaded, is_tf1_hub = load_handle(path)
      >>> is_tf1_hub
      False
    """
    handle = os.fspath(handle)
    if re.match(r"http://", handle, re.IGNORECASE):
        raise ValueError(
            "A handle that is a URL must begin with https://: a SavedModel is a program, and over "
            f"http:// anyone on the way can exchange it. Received: handle={handle!r}. Write "
            f"'https://{handle[len('http://') :]}', or download it and give its path."
        )
    path = _fetch(handle) if re.match(r"https://", handle, re.IGNORECASE) else handle
    if not tf.io.gfile.exists(path):
        raise FileNotFoundError(
            "A handle must be the path of a SavedModel, and nothing exists at this one. "
            f"Received: handle={handle!r} in working directory {os.getcwd()!r}. "
            "Give the path of a directory that holds saved_model.pb, or pass a loaded object."
        )
    if not tf.saved_model.contains_saved_model(path):
        found = tf.io.gfile.listdir(path)[:8] if tf.io.gfile.isdir(path) else "a file"
        raise ValueError(
            "A handle must be a SavedModel directory (one that holds saved_model.pb). "
            f"Received: handle={handle!r}, which is {found}. "
            "Checkpoints and .keras or .h5 files have to be exported as a SavedModel first."
        )
    is_tf1_hub = tf.io.gfile.exists(os.path.join(path, _TF1_HUB_MARKER))
    if tags is None and is_tf1_hub:
        tags = []

    def load():
        return tf.saved_model.load(path, tags=tags, options=options), is_tf1_hub

    try:
        return load()
    except _LOAD_ERRORS as error:
        _import_tensorflow_text(handle, _unregistered_op(error), error)
    try:
        return load()
    except _LOAD_ERRORS as error:
        raise ImportError(
            "The operations of a SavedModel must be registered before it is loaded, and neither "
            f"TensorFlow nor TensorFlow Text has {_unregistered_op(error)!r}. Received: "
            f"handle={handle!r}. Import the library that defines this operation first."
        ) from error


def _unregistered_op(error):
    """The name of the operation that TensorFlow does not know; other errors are raised again."""
    unknown = re.search(r"Op type not registered '(\w+)'", str(error))
    if not unknown:
        raise error
    return unknown.group(1)


def _import_tensorflow_text(handle, op, cause):
    try:
        import_tensorflow_text()
    except ImportError as error:
        raise ImportError(
            "The operations of a SavedModel must be registered before it is loaded, and "
            f"TensorFlow alone has no {op!r}. Received: handle={handle!r}. {error}"
        ) from cause


def _fetch(url):
    try:
        import tensorflow_hub
    except ImportError as error:
        raise ImportError(
            f"A URL as handle needs tensorflow-hub to fetch it. Received: handle={url!r}. Install "
            "it with `pip install tensorflow-hub tf-keras`, or download the SavedModel and give "
            f"its path. The import failed with: {error}"
        ) from error
    return tensorflow_hub.resolve(url)
