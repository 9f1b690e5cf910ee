"""The real client: tensorflow_hub's KerasLayer, which exists for tf_keras only."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401  (registers the preprocessor's operations)

from albert_tf._keras import KERAS_3, keras

pytestmark = pytest.mark.skipif(KERAS_3, reason="hub.KerasLayer needs TF_USE_LEGACY_KERAS=1")
hub = None if KERAS_3 else pytest.importorskip("tensorflow_hub")

NAMES = ("input_word_ids", "input_mask", "input_type_ids")


def keras_inputs(length=16):
    return [keras.layers.Input((length,), dtype=tf.int32, name=name) for name in NAMES]


def data(batch=8, length=16, seed=0):
    ids = np.random.default_rng(seed).integers(5, 1000, [batch, length]).astype("int32")
    return [ids, np.ones_like(ids), np.zeros_like(ids)]


@pytest.mark.parametrize("as_dict", [False, True], ids=["TF Hub /1", "TF Hub /3"])
def test_trains_all_25_in_five_steps(exported_encoder, as_dict):
    keras.utils.set_random_seed(1)
    layer = hub.KerasLayer(exported_encoder, trainable=True)
    inputs = keras_inputs()
    outputs = layer(dict(zip(NAMES, inputs)) if as_dict else inputs)
    pooled_output = outputs["pooled_output"] if as_dict else outputs[0]
    assert len(layer.trainable_weights) == 25 and not layer.non_trainable_weights
    model = keras.Model(inputs, keras.layers.Dense(2)(pooled_output))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    before = [w.numpy() for w in layer.trainable_weights]
    history = model.fit(data(), np.arange(8) % 2, epochs=6, verbose=0).history["loss"]
    assert history[5] < history[0]
    assert all((b != w.numpy()).any() for b, w in zip(before, layer.trainable_weights))


def test_frozen_by_default(exported_encoder):
    layer = hub.KerasLayer(exported_encoder)
    layer(data())
    assert not layer.trainable_weights and len(layer.non_trainable_weights) == 25


def test_masked_lm_trains(exported_encoder):
    encoder = hub.load(exported_encoder)
    mlm = hub.KerasLayer(encoder.mlm, trainable=True)
    inputs = dict(zip(NAMES, keras_inputs()))
    inputs["masked_lm_positions"] = keras.layers.Input(
        (4,), dtype=tf.int32, name="masked_lm_positions"
    )
    model = keras.Model(inputs, mlm(inputs)["mlm_logits"])
    assert len(mlm.trainable_weights) == 30
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    positions = np.tile(np.arange(4, dtype="int32"), [8, 1])
    x = {**dict(zip(NAMES, data())), "masked_lm_positions": positions}
    history = model.fit(x, data()[0][:, :4], epochs=6, verbose=0).history["loss"]
    assert history[5] < history[0]


def test_output_key_and_signature(exported_encoder):
    x = dict(zip(NAMES, map(tf.constant, data())))
    pooled = hub.KerasLayer(exported_encoder, output_key="pooled_output")(x)
    served = hub.KerasLayer(exported_encoder, signature="tokens", signature_outputs_as_dict=True)(
        dict(zip(("input_ids", "input_mask", "segment_ids"), x.values()))
    )
    np.testing.assert_allclose(pooled, served["pooled_output"], atol=1e-6)


def test_asset_of_the_layer(exported_encoder):
    import sentencepiece

    layer = hub.KerasLayer(exported_encoder)
    path = layer.resolved_object.sp_model_file.asset_path.numpy()
    processor = sentencepiece.SentencePieceProcessor(model_file=path.decode())
    assert processor.id_to_piece([0, 1, 2, 3, 4]) == ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]


def test_text_model_saves_and_reloads(exported_preprocessor, exported_encoder, tmp_path):
    text = keras.layers.Input((), dtype=tf.string)
    encoder_inputs = hub.KerasLayer(exported_preprocessor)(text)
    outputs = hub.KerasLayer(exported_encoder, trainable=True)(encoder_inputs)
    model = keras.Model(text, outputs["pooled_output"])
    sentences = tf.constant(["(your text here)", ""])
    expected = model.predict(sentences, verbose=0)
    model.save(tmp_path / "model", save_format="tf")
    loaded = keras.models.load_model(tmp_path / "model")
    np.testing.assert_allclose(loaded.predict(sentences, verbose=0), expected, atol=1e-6)
    assert len(loaded.trainable_weights) == 25


def test_pairs_packed_by_hand(exported_preprocessor, exported_encoder):
    preprocessor = hub.load(exported_preprocessor)
    tokenize = hub.KerasLayer(preprocessor.tokenize)
    pack = hub.KerasLayer(preprocessor.bert_pack_inputs, arguments=dict(seq_length=16))
    texts = [keras.layers.Input((), dtype=tf.string) for _ in range(2)]
    packed = pack([tokenize(text) for text in texts])
    assert packed["input_word_ids"].shape == (None, 16)
    outputs = hub.KerasLayer(exported_encoder)(packed)
    model = keras.Model(texts, outputs["sequence_output"])
    assert model([tf.constant(["a b"]), tf.constant(["c"])]).shape == (1, 16, 64)


def test_mirrored_strategy(exported_encoder):
    # Several strategies in one process collide in TensorFlow's collective ops; this one has none.
    reduction = tf.distribute.ReductionToOneDevice()
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=reduction)
    with strategy.scope():
        layer = hub.KerasLayer(exported_encoder, trainable=True)
        inputs = keras_inputs()
        model = keras.Model(inputs, keras.layers.Dense(2)(layer(inputs)[0]))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(1e-3), loss)
    before = [w.numpy() for w in layer.trainable_weights]
    history = model.fit(data(), np.arange(8) % 2, epochs=6, verbose=0).history["loss"]
    assert history[5] < history[0] and len(layer.trainable_weights) == 25
    assert all((b != w.numpy()).any() for b, w in zip(before, layer.trainable_weights))
