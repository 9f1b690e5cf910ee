"""What every user of Keras calls first works in both generations: summary() and export()."""

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import keras
from albert_tf.encoder import AlbertEncoder
from albert_tf.inputs import INPUT_NAMES
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.tasks.multiple_choice import AlbertMultipleChoice
from albert_tf.tasks.span_labeler import AlbertSpanLabeler
from albert_tf.tasks.token_classifier import AlbertTokenClassifier
from tests.tasks.common import small_encoder, small_inputs

MAKE = {
    "encoder": lambda: small_encoder(),
    "encoder of dicts": lambda: small_encoder(dict_outputs=True),
    "pretrainer": lambda: AlbertPretrainer(small_encoder()),
    "classifier": lambda: AlbertClassifier(small_encoder()),
    "choices": lambda: AlbertMultipleChoice(small_encoder()),
    "spans": lambda: AlbertSpanLabeler(small_encoder(), version_2=True),
    "tokens": lambda: AlbertTokenClassifier(small_encoder(), 3),
}


def lines(model, **kwargs):
    printed = []
    model.summary(print_fn=lambda line, **_: printed.append(line), **kwargs)
    return "\n".join(printed)


@pytest.mark.parametrize("name", MAKE)
def test_summary(name):
    model = MAKE[name]()
    parameters = sum(int(np.prod(weight.shape)) for weight in model.weights)
    nested = "embedding_projection"
    for text in (lines(model), lines(model, expand_nested=True)):
        assert f"{parameters:,}" in text.replace(f"{parameters} ", f"{parameters:,} ")
    assert nested in text


def test_summary_of_a_functional_model():
    inputs = {name: keras.Input((6,), dtype="int32", name=name) for name in INPUT_NAMES}
    pooled = small_encoder()(inputs)["pooled_output"]
    text = lines(keras.Model(inputs, keras.layers.Dense(2)(pooled)), expand_nested=True)
    assert "pooler_transform" in text


def loaded_export(model, path):
    model.export(str(path))
    return tf.saved_model.load(str(path))


@pytest.mark.parametrize("name", ["encoder of dicts", "pretrainer", "choices", "spans"])
def test_export_before_any_call(name, tmp_path):
    model = MAKE[name]()
    inputs, _ = small_inputs(choices=2 if name == "choices" else None)
    if name == "pretrainer":
        inputs["masked_lm_positions"] = np.full([8, 2], 1, np.int32)
    loaded = loaded_export(model, tmp_path / "export")
    tensors = {name: tf.constant(x) for name, x in inputs.items()}
    expected = model(list(tensors.values()))
    if isinstance(expected, dict):
        expected.pop("encoder_outputs", None)
    served = loaded.serve(list(tensors.values()))
    tf.nest.map_structure(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), served, expected
    )
    assert len(tf.nest.flatten(loaded.serve(tensors))) == len(tf.nest.flatten(expected))
    signed = loaded.signatures["serving_default"](**tensors)
    for received in signed.values():
        assert any(np.array_equal(received, output) for output in tf.nest.flatten(served))
    wrong = {**tensors, "input_mask": tensors["input_mask"][:, ..., :1]}
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="must_have_the_same"):
        loaded.serve(wrong)
    # Any batch and length, not those of a call.
    short = loaded.serve([x[:1, ..., :3] for x in tensors.values()])
    assert tf.nest.flatten(short)[0].shape[0] == 1


def test_export_of_a_trained_model(tmp_path):
    inputs, labels = small_inputs()
    model = MAKE["classifier"]()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(inputs, labels, verbose=0)
    assert "classifier" in lines(model)
    loaded = loaded_export(model, tmp_path / "export")
    received = loaded.serve({name: tf.constant(x) for name, x in inputs.items()})
    np.testing.assert_allclose(received, model.predict(inputs, verbose=0), atol=1e-5)
    names = {variable.name for variable in loaded.variables}
    assert len(names) == len(model.weights) and "classifier/kernel:0" in names


def test_the_saved_encoder_keeps_its_function(tmp_path):
    """A model without a build configuration of its own still saves and loads."""
    model = MAKE["encoder"]()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(again, AlbertEncoder)
    inputs, _ = small_inputs()
    np.testing.assert_array_equal(again(inputs)["pooled_output"], model(inputs)["pooled_output"])
