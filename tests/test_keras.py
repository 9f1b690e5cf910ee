"""What `albert_tf._keras` refuses, and what it alone may use."""

import ast
import pathlib
import runpy

import pytest
import tensorflow as tf

from albert_tf import _keras


@pytest.mark.skipif(_keras.KERAS_3, reason="Keras 3 has versions of its own")
def test_tf_keras_for_another_tensorflow_is_a_plain_error(monkeypatch):
    monkeypatch.setattr(_keras.keras, "__version__", "2.2.0")
    minor = ".".join(tf.__version__.split(".")[:2])
    message = rf"Received: tf-keras 2.2.0 with TensorFlow .*pip install tf-keras~={minor}\.0`"
    with pytest.raises(ImportError, match=message):
        runpy.run_path(_keras.__file__)


def test_private_names_of_keras_are_used_here_alone():
    """So that what a new version of Keras may break is in one place."""
    dense = _keras.keras.layers.Dense(2)
    model = _keras.keras.Sequential([_keras.keras.Input([2]), dense])
    objects = (model, dense, _keras.keras.optimizers.SGD())
    names = {name for x in objects for name in (*dir(x), *vars(x)) if name.startswith("_")}
    names = {name for name in names if not name.endswith("__")} - {"_path"}  # Which is ours, too.
    assert names > {"_flatten_layers", "_learning_rate", "_var_key"}
    package = pathlib.Path(_keras.__file__).parent
    used = {
        (path.relative_to(package).as_posix(), node.attr)
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in names
    }
    assert {path for path, _ in used} == {"_keras.py"}, used
