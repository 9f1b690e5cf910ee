import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import keras, tf_variable
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.tasks.classifier import (
    AlbertClassifier,
    classification_loss,
    multi_label_loss,
    regression_loss,
)
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


def test_equals_the_originals_classifier(tiny_checkpoint):
    g = recorded()
    model = AlbertClassifier(AlbertEncoder.from_checkpoint(tiny_checkpoint), num_classes=3)
    set_head(model, "classifier")
    logits = model(recorded_inputs())
    assert_close(logits, g["classifier/logits"])
    assert_close(tf.nn.softmax(logits), g["classifier/probabilities"])
    losses = classification_loss(g["label_ids"], logits)
    assert_close(losses, g["classifier/per_example_loss"])
    assert_close(tf.reduce_mean(losses), g["classifier/loss"])


def test_equals_the_originals_regression(tiny_checkpoint):
    g = recorded()
    model = AlbertClassifier(AlbertEncoder.from_checkpoint(tiny_checkpoint), num_classes=1)
    set_head(model, "classifier_stsb")
    predictions = model(recorded_inputs())
    assert predictions.shape == (8, 1)
    assert_close(predictions[:, 0], g["classifier_stsb/predictions"])
    losses = regression_loss(g["sts_labels"], predictions)
    assert_close(losses, g["classifier_stsb/per_example_loss"])
    assert_close(tf.reduce_mean(losses), g["classifier_stsb/loss"])


def test_list_dict_and_int64_answer_alike():
    model = AlbertClassifier(small_encoder())
    inputs, _ = small_inputs()
    expected = model(inputs)
    assert_close(model(list(inputs.values())), expected)
    assert_close(model([tf.cast(x, tf.int64) for x in inputs.values()]), expected)


def test_fits_saves_and_loads(tmp_path):
    model = AlbertClassifier(small_encoder(), num_classes=2)
    inputs, labels = small_inputs()
    fits(model, inputs, labels, loss=classification_loss, metrics=["accuracy"])
    loaded = saves_and_loads(model, inputs, tmp_path / "model.keras")
    loaded.fit(inputs, labels, epochs=1, verbose=0)


def test_fits_with_the_losses_of_keras():
    inputs, labels = small_inputs()
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    fits(AlbertClassifier(small_encoder()), inputs, labels, loss=cross_entropy)
    fits(AlbertClassifier(small_encoder(), num_classes=1), inputs, 3.0 * labels, loss="mse")


def test_regression_fits():
    inputs, labels = small_inputs()
    model = AlbertClassifier(small_encoder(), num_classes=1)
    fits(model, inputs, 3.0 * labels, loss=regression_loss, metrics=["mae"])


def test_works_in_functional_models(tmp_path):
    classifier = AlbertClassifier(small_encoder())
    model = functional(classifier, (6,))
    inputs, labels = small_inputs()
    fits(model, inputs, labels, loss=classification_loss)
    assert_close(model(inputs), classifier(inputs))


def test_config_round_trip():
    model = AlbertClassifier(small_encoder(), num_classes=5, dropout_rate=0.3, name="mine")
    again = AlbertClassifier.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    shapes = {name: weight.shape for name, weight in model.weights_by_name().items()}
    assert {name: weight.shape for name, weight in again.weights_by_name().items()} == shapes
    assert shapes["classifier/kernel"] == (16, 5)
    assert len(model.trainable_weights) == len(shapes) == 27


def test_dropout_in_training_only():
    model = AlbertClassifier(small_encoder(), dropout_rate=0.5)
    inputs, _ = small_inputs()
    assert not np.array_equal(model(inputs, training=True), model(inputs, training=True))
    np.testing.assert_array_equal(model(inputs), model(inputs, training=False))


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(dtype):
    model = AlbertClassifier(small_encoder(dtype=dtype))
    inputs, labels = small_inputs()
    assert model(inputs).dtype == tf.float32
    fits(model, inputs, labels, loss=classification_loss)
    assert all(w.dtype in (tf.float32, "float32") for w in model.weights)
    scaled = "LossScale" in type(model.optimizer).__name__
    assert scaled == (dtype == "mixed_float16")


def test_frozen_encoder_trains_the_head_only():
    encoder = small_encoder()
    model = AlbertClassifier(encoder)
    encoder.trainable = False
    assert len(model.trainable_weights) == 2


def test_compiles_under_xla():
    model = AlbertClassifier(small_encoder(dropout_rate=0.1))
    inputs, labels = small_inputs()

    kernel = tf_variable(model.weights_by_name()["classifier/kernel"])

    @tf.function(jit_compile=True)
    def step(inputs):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(classification_loss(labels, model(inputs, training=True)))
        return loss, tape.gradient(loss, kernel)

    loss, gradient = step({name: tf.constant(value) for name, value in inputs.items()})
    assert np.isfinite(loss) and gradient.shape == (16, 2)


def test_losses_take_labels_with_and_without_a_last_axis():
    logits = tf.constant([[1.0, 2.0], [3.0, -1.0]])
    assert_close(
        classification_loss([[1], [0]], logits),
        classification_loss(tf.constant([1.0, 0.0]), logits),
    )
    assert_close(regression_loss([[1.0], [2.0]], [[2.0], [4.0]]), [1.0, 4.0])


def test_errors():
    encoder = small_encoder()
    ids = tf.constant([[1]])
    with pytest.raises(TypeError, match=r"built on an AlbertEncoder. Received: AlbertPretrainer"):
        AlbertClassifier(AlbertPretrainer(encoder))
    with pytest.raises(
        ValueError, match=r"`num_classes` must be an integer of at least 1. Received: 0"
    ):
        AlbertClassifier(encoder, num_classes=0)
    with pytest.raises(
        ValueError, match=r"`dropout_rate` must be in the range \[0, 1\). Received: 1"
    ):
        AlbertClassifier(encoder, dropout_rate=1.0)
    with pytest.raises(ValueError, match="no 'input_mask'"):
        AlbertClassifier(encoder)({name: ids for name in ("input_word_ids", "input_type_ids")})


@pytest.mark.parametrize(
    "loss, expected",
    [
        (keras.losses.BinaryCrossentropy(from_logits=True), "multi_label_classification"),
        (keras.losses.BinaryFocalCrossentropy(from_logits=True), "multi_label_classification"),
        ("binary_crossentropy", "multi_label_classification"),
        (keras.losses.binary_crossentropy, "multi_label_classification"),
        (multi_label_loss, "multi_label_classification"),
        ([multi_label_loss], "multi_label_classification"),
        (type("Own", (keras.losses.BinaryCrossentropy,), {})(True), "multi_label_classification"),
        (keras.losses.MeanSquaredError(), "regression"),
        ("mae", "regression"),
        (regression_loss, "regression"),
        (classification_loss, "single_label_classification"),
        (keras.losses.SparseCategoricalCrossentropy(True), "single_label_classification"),
        (lambda y, x: tf.reduce_sum(x), "single_label_classification"),
    ],
)
def test_the_loss_tells_the_problem_type(loss, expected):
    model = AlbertClassifier(small_encoder(), num_classes=3)
    assert model.problem_type == "single_label_classification"
    model.compile("adam", loss)
    assert model.problem_type == expected
    given = AlbertClassifier(small_encoder(), 3, problem_type="multi_label_classification")
    given.compile("adam", loss)
    assert given.problem_type == "multi_label_classification"


def test_problem_types_without_a_loss():
    assert AlbertClassifier(small_encoder(), 1).problem_type == "regression"
    with pytest.raises(ValueError, match="`problem_type` must be one of .* Received: 'sigmoid'"):
        AlbertClassifier(small_encoder(), problem_type="sigmoid")
    with pytest.raises(ValueError, match="at least 2 classes .* Received: num_classes=1"):
        AlbertClassifier(small_encoder(), 1, problem_type="single_label_classification")


def test_several_labels_fit_save_and_load(tmp_path):
    model = AlbertClassifier(small_encoder(), num_classes=2)
    inputs, labels = small_inputs()
    several = np.stack([labels, 1 - labels], -1)
    fits(model, inputs, several, loss=multi_label_loss)
    loaded = saves_and_loads(model, inputs, tmp_path / "model.keras")
    assert loaded.problem_type == "multi_label_classification"
    bare = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert bare.problem_type == "multi_label_classification" and bare.rules is None
    rules = AlbertClassifier(small_encoder(), rules="tfhub")
    assert AlbertClassifier.from_config(rules.get_config()).rules == "tfhub"


def test_multi_label_loss_is_that_of_keras():
    labels = np.array([[1, 0, 1], [0, 0, 0]])
    logits = np.array([[2.0, -1.0, 0.5], [-3.0, 0.0, 1.0]], np.float32)
    expected = keras.losses.BinaryCrossentropy(from_logits=True)(labels, logits)
    assert_close(tf.reduce_mean(multi_label_loss(labels, logits)), expected)
    assert multi_label_loss(labels, logits).shape == (2,)
