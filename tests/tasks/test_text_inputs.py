"""`fit`, `evaluate` and `predict` of a classifier on plain strings."""

import numpy as np
import pytest
import tensorflow as tf

import albert_tf
from albert_tf._keras import keras
from albert_tf.checkpoints.writers.hugging_face import write_hugging_face
from albert_tf.tasks.classifier import AlbertClassifier, classification_loss
from tests.saved_model.task_exports import small_encoder

TEXTS = ["good , good", "bad", "a good one", "so bad , so bad"] * 2
LABELS = np.array([1, 0, 1, 0] * 2)


@pytest.fixture
def classifier(sp_model):
    preprocessor = albert_tf.Preprocessor(sp_model, seq_length=16)
    model = AlbertClassifier(small_encoder(), preprocessor=preprocessor, dropout_rate=0.0)
    model.compile(keras.optimizers.Adam(3e-3), classification_loss, metrics=["accuracy"])
    return model


def test_every_form_of_texts(classifier):
    expected = classifier(classifier.preprocessor(TEXTS)).numpy()
    forms = [
        TEXTS,
        np.array(TEXTS),
        np.array(TEXTS, object),
        tf.constant(TEXTS),
        tf.data.Dataset.from_tensor_slices(TEXTS).batch(3),
        classifier.preprocessor(TEXTS),
    ]
    for form in forms:
        np.testing.assert_allclose(classifier.predict(form, verbose=0), expected, atol=1e-5)
    pair = (TEXTS, TEXTS[::-1])
    expected = classifier(classifier.preprocessor.encode_pairs(*pair)).numpy()
    np.testing.assert_allclose(classifier.predict(pair, verbose=0), expected, atol=1e-5)


def test_fit_and_evaluate(classifier):
    before = classifier.evaluate(TEXTS, LABELS, verbose=0)[0]
    history = classifier.fit(
        TEXTS, LABELS, batch_size=4, epochs=4, validation_data=(TEXTS, LABELS), verbose=0
    )
    assert history.history["val_loss"][-1] < 0.9 * before
    dataset = tf.data.Dataset.from_tensor_slices((TEXTS, LABELS)).batch(4)
    classifier.fit(dataset, validation_data=dataset, shuffle=False, verbose=0)
    assert classifier.evaluate(dataset, verbose=0)[0] < before


def test_from_checkpoint(classifier, sp_model, tmp_path):
    (tmp_path / "model").mkdir()
    write_hugging_face(classifier, tmp_path / "model", sp_model)
    loaded = AlbertClassifier.from_checkpoint(tmp_path / "model")
    np.testing.assert_allclose(
        loaded.predict(TEXTS, verbose=0), classifier.predict(TEXTS, verbose=0), atol=1e-5
    )
    loaded = AlbertClassifier.from_checkpoint(tmp_path / "model", preprocessor=None)
    assert loaded.preprocessor is None
    with pytest.raises(ValueError, match="Texts need a preprocessor.* for a model without one"):
        loaded.predict(TEXTS)


def test_it_is_not_saved(classifier, tmp_path):
    ids = classifier.preprocessor(TEXTS)
    classifier = AlbertClassifier(classifier.encoder, preprocessor=classifier.preprocessor)
    classifier.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.preprocessor is None
    np.testing.assert_allclose(loaded(ids), classifier(ids), atol=1e-6)


def test_wrong_texts(classifier):
    with pytest.raises(TypeError, match="Texts must be str. Received: text 1: nan"):
        classifier.predict(["a", float("nan")])
