"""KerasLayer in configs, .keras files, weights files, checkpoints and SavedModels."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import KERAS_3, keras
from albert_tf.keras_layer.keras_layer import KerasLayer
from tests.saved_model.toy_models import WIDTH, arrays, classifier, compiled, tensors


def test_config(encoder, preprocessor):
    layer = KerasLayer(
        encoder, trainable=True, output_key="pooled_output", output_shape=[WIDTH], name="e"
    )
    config = layer.get_config()
    assert config["handle"] == encoder and config["output_shape"] == [WIDTH] and config["trainable"]
    again = KerasLayer.from_config(config)
    assert again.get_config() == config
    np.testing.assert_array_equal(again(tensors()), layer(tensors()))
    scalar = KerasLayer(encoder, output_key="pooled_output", output_shape=[])
    assert scalar.get_config()["output_shape"] == []
    arguments = {"mask": None}
    assert KerasLayer(encoder, arguments=arguments).get_config()["arguments"] == arguments
    with pytest.raises(ValueError, match="must be JSON. Received: arguments="):
        KerasLayer(encoder, arguments={"mask": tf.ones([1])}).get_config()
    with pytest.raises(NotImplementedError, match="Only a KerasLayer made from a path or URL"):
        KerasLayer(tf.saved_model.load(encoder).mlm).get_config()


def test_keras_file(encoder, preprocessor, tmp_path):
    handle = shutil.copytree(encoder, tmp_path / "encoder")
    text = keras.Input((), dtype="string")
    layer = KerasLayer(handle, trainable=True)
    pooled = layer(KerasLayer(preprocessor)(text))["pooled_output"]
    model = compiled(keras.Model(text, keras.layers.Dense(2)(pooled)))
    x = tf.constant(["a b c", "d", "e f", "g"])
    model.fit(x, np.arange(4) % 2, epochs=2, verbose=0)
    expected = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), expected, atol=1e-6)
    assert len(again.trainable_weights) == 5
    again.fit(x, np.arange(4) % 2, verbose=0)
    assert np.abs(again.predict(x, verbose=0) - expected).max() > 1e-6
    shutil.rmtree(handle)
    with pytest.raises(
        FileNotFoundError, match=r"Received: handle='.*encoder'.*put the SavedModel"
    ):
        keras.models.load_model(tmp_path / "model.keras")


def test_weights_file(encoder, tmp_path):
    layer = KerasLayer(tf.saved_model.load(encoder), trainable=True)
    model = classifier(layer)
    layer.set_weights([w + 1 for w in layer.get_weights()])
    model.save_weights(tmp_path / "m.weights.h5")
    other = classifier(KerasLayer(encoder))
    other.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(other(tensors()), model(tensors()))


def test_checkpoint(encoder, tmp_path):
    layer = KerasLayer(encoder, trainable=True)
    model = classifier(layer)
    layer.set_weights([w + 1 for w in layer.get_weights()])
    path = tf.train.Checkpoint(model=model).save(str(tmp_path / "ckpt"))
    other = classifier(KerasLayer(encoder))
    tf.train.Checkpoint(model=other).restore(path).assert_existing_objects_matched()
    np.testing.assert_array_equal(other(tensors()), model(tensors()))


@pytest.mark.skipif(not KERAS_3, reason="model.export is in Keras 3")
def test_export(encoder, preprocessor, tmp_path):
    handle = shutil.copytree(encoder, tmp_path / "encoder")
    text = keras.Input((), dtype="string")
    loaded = tf.saved_model.load(handle)
    pooled = KerasLayer(loaded, trainable=True)(KerasLayer(preprocessor)(text))["pooled_output"]
    model = keras.Model(text, keras.layers.Dense(2)(pooled))
    expected = model(tf.constant(["a b", "c"]))
    model.export(tmp_path / "served", verbose=False)
    shutil.rmtree(handle)
    served = tf.saved_model.load(tmp_path / "served")
    np.testing.assert_allclose(served.serve(tf.constant(["a b", "c"])), expected, atol=1e-6)


@pytest.mark.skipif(KERAS_3, reason="save_format='tf' is in tf_keras")
@pytest.mark.parametrize("keep_handle", [True, False])
def test_tf_format(encoder, tmp_path, keep_handle):
    handle = shutil.copytree(encoder, tmp_path / "encoder")
    model = compiled(classifier(KerasLayer(handle, trainable=True)))
    model.fit(arrays(), np.arange(4) % 2, verbose=0)
    expected = model.predict(arrays(), verbose=0)
    model.save(tmp_path / "model", save_format="tf")
    if not keep_handle:
        shutil.rmtree(handle)
    again = keras.models.load_model(tmp_path / "model")
    np.testing.assert_allclose(again.predict(arrays(), verbose=0), expected, atol=1e-6)
    assert len(again.trainable_weights) == 5
    again.fit(arrays(), np.arange(4) % 2, verbose=0)
    assert np.abs(again.predict(arrays(), verbose=0) - expected).max() > 1e-6
