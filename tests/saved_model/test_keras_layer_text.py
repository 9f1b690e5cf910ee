"""KerasLayer with text, ragged tensors, signatures, and what it refuses."""

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import KERAS_3, keras
from albert_tf.keras_layer.keras_layer import KerasLayer
from tests.saved_model.toy_models import (
    KEYS,
    arrays,
    build_encoder,
    compiled,
    output,
    tensors,
)


def test_text_to_output_in_one_model(encoder, preprocessor):
    text = keras.Input((), dtype="string")
    pooled = KerasLayer(encoder, trainable=True)(KerasLayer(preprocessor)(text))["pooled_output"]
    model = compiled(keras.Model(text, keras.layers.Dense(2)(pooled)))
    model.fit(tf.constant(["a b c", "d", "e f", "g"]), np.arange(4) % 2, verbose=0)
    assert model.predict(tf.constant(["a b"]), verbose=0).shape == (1, 2)


@pytest.mark.parametrize("segments", [1, 2])
def test_tokenize_and_pack_ragged(preprocessor, segments):
    loaded = tf.saved_model.load(preprocessor)
    tokenize = KerasLayer(loaded.tokenize)
    pack = KerasLayer(loaded.bert_pack_inputs, arguments={"seq_length": np.int64(9)})
    inputs = [keras.Input((), dtype="string", name=f"text{i}") for i in range(segments)]
    tokens = [tokenize(x) for x in inputs]
    assert tuple(tokens[0].shape) == (None, None)
    model = keras.Model(inputs, pack(tokens))
    text = [tf.constant(["a b c", "d"]), tf.constant(["e", "f g"])][:segments]
    got = model(text)
    expected = loaded.bert_pack_inputs([loaded.tokenize(x) for x in text], seq_length=9)
    assert got["input_word_ids"].shape == (2, 9)
    for key in KEYS:
        np.testing.assert_array_equal(got[key], expected[key])
    eager = pack([tokenize(x) for x in text])
    np.testing.assert_array_equal(eager["input_word_ids"], expected["input_word_ids"])


def test_python_strings(preprocessor):
    layer = KerasLayer(preprocessor)
    expected = layer(tf.constant(["a b", "c"]))
    for text in (["a b", "c"], np.array(["a b", "c"]), np.array(["a b", "c"], object)):
        np.testing.assert_array_equal(layer(text)["input_word_ids"], expected["input_word_ids"])


@pytest.mark.parametrize("with_input", [True, False])
def test_sequential(preprocessor, encoder, with_input):
    if not KERAS_3:
        # tf_keras refuses layers with several outputs in Sequential.
        model = keras.Sequential([KerasLayer(preprocessor, output_key="input_word_ids")])
        assert model(tf.constant(["a b"])).shape == (1, 6)
        return
    layers = [keras.Input((), dtype="string")] if with_input else []
    layers += [
        KerasLayer(preprocessor),
        KerasLayer(encoder, trainable=True, output_key="pooled_output"),
        keras.layers.Dense(2),
    ]
    model = compiled(keras.Sequential(layers))
    model.fit(tf.constant(["a b c", "d"]), np.arange(2), verbose=0)
    assert model(tf.constant(["a b"])).shape == (1, 2) and len(model.trainable_weights) == 5


def test_input_shape_and_dtype_as_in_hub_snippets(preprocessor):
    layer = KerasLayer(preprocessor, input_shape=[], dtype=tf.string, output_key="input_word_ids")
    model = keras.Sequential([layer])
    assert model(tf.constant(["a b"])).shape == (1, 6)


def test_signature(encoder):
    expected = output(KerasLayer(encoder)(tensors()))
    layer = KerasLayer(encoder, signature="serving_default", signature_outputs_as_dict=True)
    assert set(layer(tensors())) == {"pooled_output", "sequence_output"}
    layer = KerasLayer(encoder, signature="serving_default", output_key="pooled_output")
    np.testing.assert_allclose(layer(tensors("int64")), expected, atol=1e-6)
    inputs = {key: keras.Input((5,), dtype="int32", name=key) for key in KEYS}
    model = keras.Model(inputs, layer(inputs))
    np.testing.assert_allclose(model.predict(arrays(), verbose=0), expected, atol=1e-6)
    assert len(layer.weights) == 4
    with pytest.raises(ValueError, match=r"as a dict with the keys \['input_mask'"):
        layer(list(tensors().values()))
    with pytest.raises(ValueError, match="cannot train through it"):
        KerasLayer(encoder, True, signature="serving_default", output_key="pooled_output")
    layer.trainable = True
    with pytest.raises(ValueError, match=r"Received: trainable=True, signature='serving_default'"):
        layer(tensors())


def test_signature_with_one_input(tmp_path):
    root = tf.Module()
    root.f = tf.function(lambda x: {"y": x + 1}, input_signature=[tf.TensorSpec([None])])
    tf.saved_model.save(root, str(tmp_path), signatures=root.f)
    layer = KerasLayer(tmp_path, signature="serving_default", output_key="y")
    np.testing.assert_array_equal(layer(tf.zeros([2])), [1, 1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"signature": "serving_default"}, "goes with either output_key"),
        ({"signature_outputs_as_dict": True}, "only with a signature"),
        ({"signature": "x", "output_key": "y"}, r"Received: signature='x'.*\['serving_default'\]"),
        ({"output_key": "y"}, r"output_key='y' for the outputs \{default: float32"),
    ],
)
def test_signature_and_output_key_errors(encoder, arguments, message):
    with pytest.raises(ValueError, match=message):
        KerasLayer(encoder, **arguments)(tensors())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda x: list(x.values()),
            r"Pass inputs as a dict with the keys \['input_mask', 'input_type_ids'",
        ),
        (lambda x: x["input_mask"], "Pass inputs as a dict"),
        (lambda x: {k: x[k] for k in KEYS[:2]}, r"add \['input_type_ids'\]"),
        (lambda x: {**x, "labels": x["input_mask"]}, r"remove \['labels'\]"),
        (
            lambda x: {**x, "input_mask": tf.cast(x["input_mask"], tf.float32)},
            r"\['input_mask'\] must have dtype int32: tf.cast",
        ),
        (lambda x: {k: v[0] for k, v in x.items()}, r"must have shape \[None, None\], not \[5\]"),
        (
            lambda x: {**x, "input_mask": tf.RaggedTensor.from_tensor(x["input_mask"])},
            r"to_tensor\(\)",
        ),
    ],
)
def test_inputs_that_do_not_fit(made_once, change, message):
    layer = KerasLayer(
        made_once("dict_encoder", lambda path: build_encoder(path, (tf.int32,), ("dict",)))
    )
    with pytest.raises(ValueError, match=message) as error:
        layer(change(tensors()))
    assert "takes inputs of the form {input_mask: int32 [None, None], " in str(error.value)
    assert "Received: " in str(error.value)
    assert len(str(error.value)) < 2500


def test_list_object_refuses_dict_and_wrong_length(narrow_encoder):
    layer = KerasLayer(narrow_encoder)
    with pytest.raises(ValueError, match="Pass inputs as a list of 3"):
        layer(tensors())
    with pytest.raises(ValueError, match="list of 3 instead of 2"):
        layer(list(tensors().values())[:2])


def test_ragged_inputs_that_do_not_fit(preprocessor):
    pack = KerasLayer(tf.saved_model.load(preprocessor).bert_pack_inputs)
    with pytest.raises(ValueError, match="must be ragged"):
        pack([tf.ones([2, 3], tf.int32)])
    with pytest.raises(ValueError, match="ragged rank 1"):
        pack([tf.ragged.constant([[[1], [2]]], ragged_rank=2)])
    wide = tf.ragged.constant([[1, 2], [3]], dtype=tf.int64, row_splits_dtype=tf.int32)
    assert pack([wide])["input_word_ids"].shape == (2, 6)


def test_arguments_that_were_not_exported(preprocessor, encoder):
    loaded = tf.saved_model.load(preprocessor)
    tokens = loaded.tokenize(tf.constant(["a"]))
    with pytest.raises(ValueError, match=r"exported for: .*seq_length=int32 \[\].*Received"):
        KerasLayer(loaded.bert_pack_inputs, arguments={"seq_length": "six"})([tokens])
    with pytest.raises(ValueError, match=r"exported for.*training=False.*seq_length"):
        KerasLayer(encoder, arguments={"seq_length": 6})(tensors())


def test_handles_that_cannot_be_used(tmp_path):
    root = tf.Module()
    root.answer = tf.function(lambda x: x, input_signature=[tf.TensorSpec([])])
    tf.saved_model.save(root, str(tmp_path / "m"), signatures={"ask": root.answer})
    with pytest.raises(
        ValueError, match=r"signatures \['ask'\] and the callable attributes \['answer'\]"
    ):
        KerasLayer(str(tmp_path / "m"))
    with pytest.raises(ValueError, match="tags and load_options apply to a handle"):
        KerasLayer(root.answer, tags=["serve"])
    with pytest.raises(ValueError, match="passes `training` to the object"):
        KerasLayer(root.answer, arguments={"training": True})
