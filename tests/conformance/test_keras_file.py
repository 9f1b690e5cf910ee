"""A saved Keras model loads in a process that only imports the package."""

import subprocess
import sys

import numpy as np

import albert_tf
from albert_tf._keras import keras

LOAD = """
import sys
import albert_tf
import numpy as np
import tensorflow as tf
model = tf.keras.models.load_model(sys.argv[1])
np.save(sys.argv[2], model.predict(np.array([[1, 2, 3, 4, 5]]), verbose=0))
"""


def test_loads_in_a_fresh_process(tmp_path):
    ids = keras.Input((5,), dtype="int32")
    encoder = albert_tf.AlbertEncoder(50, 8, 16, 2, 2, intermediate_size=8)
    pooled_output, _ = encoder(ids)
    model = keras.Model(ids, keras.layers.Dense(2)(pooled_output))
    expected = model.predict(np.array([[1, 2, 3, 4, 5]]), verbose=0)
    path, result = str(tmp_path / "model.keras"), str(tmp_path / "result.npy")
    model.save(path)
    subprocess.run([sys.executable, "-c", LOAD, path, result], check=True)
    np.testing.assert_allclose(np.load(result), expected, atol=1e-6)
