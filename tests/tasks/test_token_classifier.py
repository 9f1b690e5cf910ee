import numpy as np
import pytest
import tensorflow as tf

from albert_tf.tasks.token_classifier import AlbertTokenClassifier, token_classification_loss
from tests.tasks.common import (
    assert_close,
    fits,
    functional,
    saves_and_loads,
    small_encoder,
    small_inputs,
)


def test_logits_are_linear_in_the_sequence_output():
    encoder = small_encoder()
    model = AlbertTokenClassifier(encoder, num_classes=3)
    inputs, _ = small_inputs()
    kernel = np.asarray(model.weights_by_name()["classifier/kernel"])
    sequence = encoder({**inputs})["sequence_output"].numpy()
    assert_close(model(inputs), sequence @ kernel)


def test_loss_ignores_negative_labels_and_takes_the_mean_of_an_example():
    logits = np.random.RandomState(0).normal(size=[3, 4, 5]).astype(np.float32)
    labels = np.array([[-1, 2, 4, -100], [0, 1, 2, 3], [-1, -1, -1, -1]])
    log_probs = tf.nn.log_softmax(logits).numpy()
    expected = [
        -(log_probs[0, 1, 2] + log_probs[0, 2, 4]) / 2,
        -np.mean([log_probs[1, i, i] for i in range(4)]),
        0.0,
    ]
    assert_close(token_classification_loss(labels, logits), expected)


def test_fits_saves_and_loads(tmp_path):
    model = AlbertTokenClassifier(small_encoder(), num_classes=3)
    inputs, _ = small_inputs()
    labels = inputs["input_word_ids"] % 3
    labels[:, 0] = -1
    fits(model, inputs, labels, loss=token_classification_loss)
    saves_and_loads(model, inputs, tmp_path / "model.keras")


def test_works_in_functional_models():
    model = functional(AlbertTokenClassifier(small_encoder(), num_classes=3), (6,))
    inputs, _ = small_inputs()
    fits(model, inputs, inputs["input_word_ids"] % 3, loss=token_classification_loss)


def test_config_round_trip():
    model = AlbertTokenClassifier(small_encoder(), num_classes=4, dropout_rate=0.2, name="mine")
    again = AlbertTokenClassifier.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert again.weights_by_name()["classifier/kernel"].shape == (16, 4)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="`num_classes` must be an integer of at least 2"):
        AlbertTokenClassifier(small_encoder(), num_classes=1)
