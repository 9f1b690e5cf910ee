"""What `albert_tf._keras` refuses."""

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
