"""KerasLayer on a small reusable SavedModel: weights, calls, training."""

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import KERAS_3, keras
from albert_tf.keras_layer.keras_layer import KerasLayer
from tests.saved_model.toy_models import (
    KEYS,
    WIDTH,
    arrays,
    changed,
    classifier,
    compiled,
    output,
    tensors,
    values,
)


def test_weights_are_the_variables_of_the_object(encoder):
    layer = KerasLayer(encoder, trainable=True, name="albert")
    assert len(layer.trainable_weights) == 3 and len(layer.non_trainable_weights) == 1
    assert [w.dtype for w in layer.weights] == ["float32"] * 4
    own = layer.resolved_object.trainable_variables
    layer.set_weights([np.full(w.shape, 2.0, "float32") for w in layer.weights])
    assert all((v.numpy() == 2).all() for v in own)
    own[0].assign(own[0] * 3)
    assert (layer.trainable_weights[0].numpy() == 6).all()
    assert "word_embeddings" in layer.trainable_weights[0].name
    assert layer.resolved_object.sp_model_file.asset_path.numpy().endswith(b"spm.model")


def test_frozen_by_default_and_toggled(encoder):
    layer = KerasLayer(encoder)
    assert not layer.trainable and not layer.trainable_weights and len(layer.weights) == 4
    model = compiled(classifier(layer))
    for trainable, expected in ((True, 5), (False, 2), (True, 5)):
        layer.trainable = trainable
        compiled(model)
        assert len(model.trainable_weights) == expected and len(model.weights) == 6
        before = values(layer.resolved_object.trainable_variables)
        model.fit(arrays(), np.arange(4) % 2, verbose=0)
        assert changed(before, layer.resolved_object.trainable_variables) == [trainable] * 3
    model.trainable = False
    assert not layer.trainable and not model.trainable_weights


def test_layers_on_one_object_share_weights(encoder):
    loaded = tf.saved_model.load(encoder)
    inputs = {key: keras.Input((5,), dtype="int32", name=key) for key in KEYS}
    inputs["masked_lm_positions"] = keras.Input((2,), dtype="int32", name="masked_lm_positions")
    ids = {key: inputs[key] for key in KEYS}
    for train_encoder, train_mlm, expected in ((True, True, 4), (True, False, 3), (False, True, 4)):
        first = KerasLayer(loaded, trainable=train_encoder)
        second = KerasLayer(loaded.mlm, trainable=train_mlm)
        outputs = [first(ids)["pooled_output"], second(inputs)["mlm_logits"]]
        model = keras.Model(inputs, outputs)
        assert len(model.trainable_weights) == expected
        if train_encoder and train_mlm:
            assert len(model.weights) == 5
        assert len(first.trainable_weights) == 3 * train_encoder
        assert len(second.trainable_weights) == 4 * train_mlm


def test_regularization_losses(encoder):
    layer = KerasLayer(encoder, trainable=True)
    model = classifier(layer)
    kernel = layer.resolved_object.trainable_variables[2]
    expected = 0.5 * np.sum(kernel.numpy() ** 2)
    np.testing.assert_allclose(np.sum([np.array(x) for x in model.losses]), expected, rtol=1e-6)
    compiled(model)
    with_loss = model.evaluate(arrays(), np.zeros(4), verbose=0)
    layer.trainable = False
    assert np.sum([np.array(x) for x in model.losses]) == 0
    compiled(model)
    without = model.evaluate(arrays(), np.zeros(4), verbose=0)
    np.testing.assert_allclose(with_loss - without, expected, rtol=1e-5)


def test_regularization_losses_must_be_callable(encoder):
    loaded = tf.saved_model.load(encoder)
    loaded.regularization_losses = [tf.constant(1.0)]
    with pytest.raises(TypeError, match=r"must be callables.*Received"):
        KerasLayer(loaded)


def test_mixed_policy_changes_nothing(encoder):
    expected = output(KerasLayer(encoder)(tensors()))
    layer = KerasLayer(encoder, dtype="mixed_bfloat16", trainable=True)
    assert all(w.dtype == "float32" for w in layer.weights)
    np.testing.assert_array_equal(output(layer(tensors())), expected)
    assert layer(tensors())["pooled_output"].dtype == tf.float32


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("form", [dict, list, tuple])
def test_forms_and_dtypes(encoder, form, dtype):
    layer = KerasLayer(encoder)
    expected = output(layer.resolved_object(tensors()))
    for inputs in (tensors(dtype), arrays(dtype)):
        inputs = inputs if form is dict else form(inputs.values())
        np.testing.assert_array_equal(output(layer(inputs)), expected)
    names = dict(zip(KEYS, [keras.Input((5,), dtype=dtype, name=key) for key in KEYS]))
    symbolic = layer(names if form is dict else form(names.values()))
    pooled = symbolic["pooled_output"] if form is dict else symbolic[0]
    assert tuple(pooled.shape) == (None, WIDTH) and pooled.dtype in ("float32", tf.float32)
    model = keras.Model(names, symbolic)
    np.testing.assert_allclose(output(model.predict(arrays(dtype), verbose=0)), expected, atol=1e-6)


@pytest.mark.parametrize("form", [list, tuple])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_object_that_takes_only_a_list_of_int32(narrow_encoder, form, dtype):
    layer = KerasLayer(narrow_encoder)
    expected = output(layer.resolved_object(list(tensors().values())))
    np.testing.assert_array_equal(output(layer(form(tensors(dtype).values()))), expected)
    inputs = [keras.Input((5,), dtype=dtype) for _ in range(3)]
    pooled = layer(form(inputs))[0]
    model = keras.Model(inputs, pooled)
    got = model.predict(list(arrays(dtype).values()), verbose=0)
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_nested_python_numbers(encoder):
    layer = KerasLayer(encoder)
    expected = output(layer(tensors()))
    lists = {name: array.tolist() for name, array in arrays().items()}
    np.testing.assert_array_equal(output(layer(lists)), expected)
    np.testing.assert_array_equal(output(layer(list(lists.values()))), expected)
    with pytest.raises(ValueError, match="cannot become a tensor"):
        layer({name: [[1, 2], [3]] for name in KEYS})


def test_the_three_inputs_have_one_shape(encoder, narrow_encoder):
    """Objects like the published ones broadcast; the layer does not let them."""
    for path in (encoder, narrow_encoder):
        x = list(tensors().values())
        with pytest.raises(ValueError, match=r"input_word_ids, input_mask.* must have the same sh"):
            KerasLayer(path)([x[0], x[1][:, :1], x[2]])
    with pytest.raises(ValueError, match=r"must have the same shape.*Received: \(4, 5\), \(1, 5\)"):
        KerasLayer(encoder)(tensors() | {"input_mask": x[1][:1]})


def test_arguments_are_in_the_order_of_hub_keras_layer(encoder):
    layer = KerasLayer(encoder, False, None, None, ["serve"], None, None, "pooled_output", [WIDTH])
    assert layer.get_config()["tags"] == ["serve"]
    assert layer(tensors()).shape == (4, WIDTH)


def test_output_shapes_of_input_shapes(encoder):
    """Without `output_shape`, too; in the form that Keras has for shapes."""
    layer = KerasLayer(encoder)
    for shapes in ({key: (None, 5) for key in KEYS}, [(None, 5)] * 3):
        computed = layer.compute_output_shape(shapes)
        pooled = computed["pooled_output"] if isinstance(computed, dict) else computed[0]
        assert tuple(pooled) == (None, WIDTH)
        assert isinstance(pooled, tuple if KERAS_3 else tf.TensorShape)
    pooled = KerasLayer(encoder, output_key="pooled_output")
    assert tuple(pooled.compute_output_shape({key: (7, 5) for key in KEYS})) == (7, WIDTH)


def test_made_trainable_later(encoder, caplog):
    layer = KerasLayer(encoder)
    layer(tensors())
    layer.trainable = True
    assert len(layer.trainable_weights) == 3
    a, b = (output(layer(tensors(), training=True)) for _ in range(2))
    assert np.abs(a - b).max() > 1e-3  # With dropout.
    empty = KerasLayer(lambda x: x, name="empty")
    empty.trainable = True
    with caplog.at_level("WARNING"):
        empty(tf.ones([2])), empty(tf.ones([2]))
    assert caplog.text.count("KerasLayer empty is trainable, but") == 1
    named = KerasLayer(encoder, signature="serving_default", output_key="pooled_output")
    named.trainable = True
    with pytest.raises(ValueError, match="A signature has no training mode"):
        named(tensors())


def test_training_argument(encoder):
    layer, inputs = KerasLayer(encoder, trainable=True), tensors()
    expected = output(layer.resolved_object(inputs))
    in_function = tf.function(lambda training: layer(inputs, training=training)["pooled_output"])
    for off in (None, False, 0, tf.constant(False)):
        np.testing.assert_array_equal(output(layer(inputs, training=off)), expected)
    for on in (True, 1, tf.constant(True)):
        assert np.abs(output(layer(inputs, training=on)) - expected).max() > 1e-3
    np.testing.assert_allclose(in_function(tf.constant(False)), expected, atol=1e-6)
    assert np.abs(in_function(tf.constant(True)) - expected).max() > 1e-3
    layer.trainable = False
    np.testing.assert_array_equal(output(layer(inputs, training=True)), expected)


def test_training_mode_of_models(encoder):
    model = classifier(KerasLayer(encoder, trainable=True))
    a, b = (np.array(model(tensors(), training=True)) for _ in range(2))
    assert np.abs(a - b).max() > 1e-3
    a, b = (np.array(model(tensors(), training=False)) for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_plain_callable_as_handle():
    layer = KerasLayer(lambda inputs, training: inputs + (1.0 if training else 0.0), trainable=True)
    x = tf.ones([2])
    np.testing.assert_array_equal(layer(x, training=True), x + 1)
    np.testing.assert_array_equal(layer(x, training=False), x)


def test_output_shape():
    function = tf.function(lambda x: {"a": tf.py_function(lambda y: y, [x], tf.float32)})
    layer = KerasLayer(function, output_shape={"a": [3]})
    assert tuple(layer(keras.Input((3,)))["a"].shape) == (None, 3)
    assert layer(np.ones([2, 3], "float32"))["a"].shape == (2, 3)
    if KERAS_3:
        with pytest.raises(ValueError, match="Pass output_shape"):
            KerasLayer(function)(keras.Input((3,)))


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("optimizer", ["Adam", "AdamW", "RMSprop", "Momentum"])
def test_optimizers_train_the_object(encoder, optimizer, as_list):
    layer = KerasLayer(encoder, trainable=True)
    model = classifier(layer, as_list)
    if optimizer == "Momentum":
        optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    else:
        optimizer = getattr(keras.optimizers, optimizer)(0.01)
    compiled(model, optimizer)
    loaded = layer.resolved_object
    before = values(loaded.variables)
    history = model.fit(arrays(), np.arange(4) % 2, epochs=3, verbose=0).history["loss"]
    assert changed(before, loaded.variables) == [True, True, True, False]
    assert history[-1] < history[0]


def test_jit_compile(encoder, preprocessor):
    layer = KerasLayer(encoder, trainable=True)
    model = compiled(classifier(layer), jit_compile=True)
    before = values(layer.resolved_object.trainable_variables)
    model.fit(arrays(), np.arange(4) % 2, verbose=0)
    assert all(changed(before, layer.resolved_object.trainable_variables))
    if KERAS_3:
        text_layer = KerasLayer(preprocessor)
        assert layer.supports_jit and not text_layer.supports_jit
        text = keras.Input((), dtype="string")
        pooled = KerasLayer(encoder)(text_layer(text))["pooled_output"]
        with pytest.warns(UserWarning, match="doesn't support `jit_compile=True`"):
            model = compiled(keras.Model(text, keras.layers.Dense(2)(pooled)), jit_compile=True)
        model.fit(tf.constant(["a b", "c"]), np.arange(2), verbose=0)


def test_subclassed_model(encoder):
    class Model(keras.Model):
        def __init__(self, as_list):
            super().__init__()
            self.encoder = KerasLayer(encoder, trainable=True)
            self.head, self.as_list = keras.layers.Dense(2), as_list

        def call(self, inputs):
            pooled = (
                self.encoder([inputs[key] for key in KEYS])[0]
                if self.as_list
                else self.encoder(inputs)["pooled_output"]
            )
            return self.head(pooled)

    for as_list in (False, True):
        model = compiled(Model(as_list))
        loaded = model.encoder.resolved_object
        before = values(loaded.trainable_variables)
        model.fit(arrays("int64"), np.arange(4) % 2, verbose=0)
        assert all(changed(before, loaded.trainable_variables))
        assert len(model.trainable_weights) == 5


def test_mirrored_strategy(encoder):
    reduction = tf.distribute.ReductionToOneDevice()  # See test_hub_keras_layer.py.
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=reduction)
    with strategy.scope():
        layer = KerasLayer(encoder, trainable=True)
        model = compiled(classifier(layer), keras.optimizers.Adam(0.01))
    assert strategy.num_replicas_in_sync == 2
    before = values(layer.resolved_object.trainable_variables)
    x, y = arrays(batch=8), np.arange(8) % 2
    history = model.fit(x, y, batch_size=4, epochs=4, verbose=0).history["loss"]
    assert all(changed(before, layer.resolved_object.trainable_variables))
    assert history[-1] < history[0]
