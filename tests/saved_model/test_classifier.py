import json

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import keras
from albert_tf.checkpoints.task_head import restore_task_head
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.inputs import INPUT_NAMES
from albert_tf.keras_layer.keras_layer import KerasLayer
from albert_tf.saved_model.classifier import export_classifier
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.text.preprocessor import Preprocessor
from tests.saved_model.task_exports import TEXTS, close, decoded, load, small_encoder


@pytest.fixture(scope="module")
def encoder():
    return small_encoder()


@pytest.fixture(scope="module")
def classifier(encoder):
    return AlbertClassifier(encoder, num_classes=3)


@pytest.fixture(scope="module")
def exported_classifier(classifier, sp_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("tasks") / "classifier"
    checks = export_classifier(
        classifier, path, sp_model, labels=["no", "maybe", "yes"], seq_length=24
    )
    assert len(checks) == 11 and all(check.difference is None for check in checks)
    return path


def test_classifier_answers_text_as_the_live_model(classifier, exported_classifier, sp_model):
    loaded, serve = load(exported_classifier)
    preprocessor = Preprocessor(sp_model, seq_length=24)
    answer = serve(text=tf.constant(TEXTS))
    for i, text in enumerate(TEXTS):  # One by one and fully padded: neighbors do not matter.
        probabilities = tf.nn.softmax(classifier(preprocessor([text])))[0]
        close(answer["probabilities"][i], probabilities)
        label = ["no", "maybe", "yes"][int(tf.argmax(probabilities))]
        assert answer["label"][i] == label.encode()
    assert decoded(loaded.labels()) == ["no", "maybe", "yes"]


def test_classifier_answers_ids(classifier, exported_classifier):
    loaded, _ = load(exported_classifier)
    ids = tf.constant([[2, 9, 4, 3, 0], [2, 7, 8, 9, 3]])
    inputs = dict(zip(INPUT_NAMES, (ids, tf.cast(ids > 0, tf.int32), tf.zeros_like(ids))))
    expected = classifier(inputs)
    close(loaded.signatures["ids"](**inputs)["probabilities"], tf.nn.softmax(expected))
    close(loaded(inputs), expected)
    close(loaded([tf.cast(x, tf.int64) for x in inputs.values()]), expected)


def test_inputs_of_one_shape_and_in_range(exported_classifier):
    loaded, _ = load(exported_classifier)
    ids = tf.constant([[2, 9, 30, 3], [2, 7, 3, 0]])
    x = dict(zip(INPUT_NAMES, (ids, tf.minimum(ids, 1), tf.zeros_like(ids))))
    for call in (loaded, lambda x: loaded.signatures["ids"](**x)):
        for name in INPUT_NAMES:
            for wrong in (x[name][:, :1], x[name][:1]):
                with pytest.raises(
                    (ValueError, tf.errors.InvalidArgumentError), match="must_have_the_same_shape"
                ):
                    call({**x, name: wrong})
    x = {name: tf.cast(tensor, tf.int64) for name, tensor in x.items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"is not in \[0, 1000\)"):
        loaded({**x, "input_word_ids": x["input_word_ids"] + 2**32})


def test_the_saved_object_describes_itself(classifier, exported_classifier, sp_model):
    loaded, _ = load(exported_classifier)
    config = AlbertConfig.from_dict(json.loads(loaded.config().numpy()))
    assert config == classifier.encoder.albert_config
    assert json.loads(loaded.task().numpy()) == {
        "task": "classification",
        "text_inputs": ["text"],
        "rules": "tfhub",
        "seq_length": 24,
    }
    names = [f"{name}:0" for name in classifier.weights_by_name()]
    assert [variable.name for variable in loaded.variables] == names
    asset = loaded.sp_model_file.asset_path.numpy().decode()
    assert tf.io.gfile.GFile(asset, "rb").read() == sp_model.read_bytes()


def test_an_exported_classifier_trains_further(exported_classifier):
    layer = KerasLayer(str(exported_classifier), trainable=True)
    inputs = {name: keras.Input([6], dtype="int32", name=name) for name in INPUT_NAMES}
    model = keras.Model(inputs, layer(inputs))
    ids = np.arange(24).reshape(4, 6) + 5
    x = dict(zip(INPUT_NAMES, (ids, np.ones_like(ids), np.zeros_like(ids))))
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(True))
    labels = np.array([0, 1, 2, 1])
    before = model.evaluate(x, labels, verbose=0)  # Without dropout, which makes losses jump.
    model.fit(x, labels, epochs=20, verbose=0)
    assert model.evaluate(x, labels, verbose=0) < 0.5 * before
    assert len(layer.trainable_weights) == 27


def test_encoder_and_head_come_back(classifier, exported_classifier):
    encoder = AlbertEncoder.from_checkpoint(exported_classifier)
    assert list(encoder.restore_report.ignored.values()).count("head of a task") == 2
    again = AlbertClassifier(encoder, num_classes=3)
    restore_task_head(again, exported_classifier)
    ids = tf.constant([[2, 9, 3], [2, 3, 0]])
    inputs = [ids, tf.cast(ids > 0, tf.int32), tf.zeros_like(ids)]
    close(again(inputs), classifier(inputs))


def test_pairs_by_the_original_rules(classifier, sp_model, tmp_path):
    export_classifier(
        classifier, tmp_path / "pairs", sp_model, rules="original", seq_length=16, pairs=True
    )
    loaded, serve = load(tmp_path / "pairs")
    first, second = TEXTS, ["one", "", "two", "another text that is too long to fit beside it"]
    answer = serve(text_a=tf.constant(first), text_b=tf.constant(second))
    preprocessor = Preprocessor(sp_model, "original", seq_length=16)
    close(
        answer["probabilities"], tf.nn.softmax(classifier(preprocessor.encode_pairs(first, second)))
    )
    assert decoded(loaded.labels()) == ["0", "1", "2"]


def test_regression_answers_a_score(encoder, sp_model, tmp_path):
    model = AlbertClassifier(encoder, num_classes=1)
    export_classifier(model, tmp_path / "regression", sp_model, seq_length=24)
    loaded, serve = load(tmp_path / "regression")
    score = serve(text=tf.constant(TEXTS))["score"]
    close(score, model(Preprocessor(sp_model, seq_length=24)(TEXTS))[:, 0])
    assert not hasattr(loaded, "labels")
