import pytest
import tensorflow as tf

from albert_tf.encoder import AlbertEncoder
from albert_tf.tasks.classifier import classification_loss
from albert_tf.tasks.multiple_choice import AlbertMultipleChoice
from tests.tasks.common import (
    assert_close,
    fits,
    functional,
    recorded,
    recorded_inputs,
    saves_and_loads,
    set_head,
    small_encoder,
    small_inputs,
)


def test_equals_the_originals_race_head(tiny_checkpoint):
    g = recorded()
    model = AlbertMultipleChoice(AlbertEncoder.from_checkpoint(tiny_checkpoint))
    set_head(model, "race")
    logits = model({k: v.reshape(2, 4, 32) for k, v in recorded_inputs().items()})
    assert_close(logits, g["race/logits"])
    assert_close(tf.nn.softmax(logits), g["race/probabilities"])
    losses = classification_loss(g["race_labels"], logits)
    assert_close(losses, g["race/per_example_loss"])
    assert_close(tf.reduce_mean(losses), g["race/loss"])


def test_list_dict_and_ids_alone():
    model = AlbertMultipleChoice(small_encoder())
    inputs, _ = small_inputs(choices=3)
    assert_close(model(list(inputs.values())), model(inputs))
    assert model(inputs["input_word_ids"]).shape == (8, 3)


def test_dynamic_shapes():
    model = AlbertMultipleChoice(small_encoder())
    call = tf.function(model, input_signature=[[tf.TensorSpec([None] * 3, tf.int32)] * 3])
    for choices in (2, 5):
        inputs, _ = small_inputs(choices=choices)
        assert_close(call(list(inputs.values())), model(inputs))


def test_fits_saves_and_loads(tmp_path):
    model = AlbertMultipleChoice(small_encoder())
    inputs, labels = small_inputs(choices=2)
    fits(model, inputs, labels, loss=classification_loss, metrics=["accuracy"])
    saves_and_loads(model, inputs, tmp_path / "model.keras")


def test_works_in_functional_models():
    choice = AlbertMultipleChoice(small_encoder())
    model = functional(choice, (2, 6))
    inputs, labels = small_inputs(choices=2)
    fits(model, inputs, labels, loss=classification_loss)
    assert model.output_shape == (None, 2)


def test_config_round_trip():
    model = AlbertMultipleChoice(small_encoder(), dropout_rate=0.3, name="mine")
    again = AlbertMultipleChoice.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert again.weights_by_name()["classifier/kernel"].shape == (16, 1)


def test_errors():
    model = AlbertMultipleChoice(small_encoder())
    inputs, _ = small_inputs()
    with pytest.raises(ValueError, match=r"\[batch, choices, length\].* Received: shape \(8, 6\)"):
        model(inputs)
    with pytest.raises(ValueError, match="RaggedTensor for 'input_word_ids'. Pad it"):
        model(tf.ragged.constant([[[1]]]))
    with pytest.raises(ValueError, match="list of 2"):
        model([tf.ones([1, 2, 3], tf.int32)] * 2)
