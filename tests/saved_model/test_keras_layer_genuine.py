"""KerasLayer on SavedModels that the published exporters made (ALBERT_TF_SHARED)."""

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import keras
from albert_tf.keras_layer.keras_layer import KerasLayer
from tests.saved_model.toy_models import KEYS, arrays, changed, classifier, compiled, output, values


@pytest.mark.parametrize(("name", "as_list"), [("albert_en_v1", True), ("albert_en_v3", False)])
def test_genuine_encoders_train(shared, name, as_list):
    layer = KerasLayer(str(shared / f"hub_reference/{name}"), trainable=True)
    golden = np.load(str(shared / "hub_reference/golden/encoder_golden.npz"))
    x = [tf.constant(golden[f"s20/{key}"], tf.int64) for key in KEYS]
    pooled = output(layer(x if as_list else dict(zip(KEYS, x))))
    np.testing.assert_allclose(pooled, golden[f"s20/{name[-2:]}/pooled_output"], atol=1e-5)
    model = compiled(classifier(layer, as_list))
    before = values(layer.resolved_object.trainable_variables)
    model.fit(arrays(), np.arange(4) % 2, verbose=0)
    assert sum(changed(before, layer.resolved_object.trainable_variables)) == 25
    assert len(layer.trainable_weights) == 25 and not layer.non_trainable_weights


def test_genuine_preprocessor(shared):
    pytest.importorskip("tensorflow_text")
    path = str(shared / "hub_reference/albert_en_preprocess_v3")
    loaded = KerasLayer(path).resolved_object
    tokenize = KerasLayer(loaded.tokenize)
    pack = KerasLayer(loaded.bert_pack_inputs, arguments={"seq_length": 16})
    inputs = [keras.Input((), dtype="string", name=name) for name in "ab"]
    packed = pack([tokenize(x) for x in inputs])
    assert tuple(packed["input_word_ids"].shape) == (None, 16)
    encoder = KerasLayer(str(shared / "hub_reference/albert_en_v3"), trainable=True)
    model = keras.Model(inputs, encoder(packed)["pooled_output"])
    assert model([tf.constant(["Hello"]), tf.constant(["world, 1,000"])]).shape == (1, 64)
    mlm = KerasLayer(encoder.resolved_object.mlm, trainable=True)
    assert len(mlm.trainable_weights) == 30


def test_tf1_hub_format(shared):
    path = str(shared / "golden/tf1_hub_module")
    golden = np.load(str(shared / "golden/tf1_hub_module_golden.npz"))
    with pytest.raises(ValueError, match=r"signature='default'.*'tokens'"):
        KerasLayer(path)
    layer = KerasLayer(path, signature="tokens", signature_outputs_as_dict=True)
    outputs = layer({key: golden[key] for key in ("input_ids", "input_mask", "segment_ids")})
    for key, value in outputs.items():
        np.testing.assert_allclose(value, golden[f"notrain/tokens/{key}"], atol=1e-5)
    assert len(layer.weights) == 32 and not layer.trainable_weights
    with_dropout = KerasLayer(path, tags=["train"], signature="tokens", output_key="pooled_output")
    assert with_dropout.get_config()["tags"] == ["train"]
