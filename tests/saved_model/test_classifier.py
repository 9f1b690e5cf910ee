import json
import shutil

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
from albert_tf.saved_model.contract.tasks import check_task
from albert_tf.task_record import write_task
from albert_tf.tasks.classifier import AlbertClassifier, multi_label_loss
from albert_tf.text.preprocessor import Preprocessor
from albert_tf.text.reference import ReferenceTokenizer
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
    assert len(checks) == 13 and all(check.difference is None for check in checks)
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
        "rules": "original",
        "seq_length": 24,
        "problem_type": "single_label_classification",
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


def test_text_is_served_with_the_ids_of_training(classifier, exported_classifier, sp_model):
    _, serve = load(exported_classifier)
    reference = ReferenceTokenizer(sp_model)  # What the trainers take.
    for text in ("In 2010, it was good.", "It costs 1,000, he said.", "stra\u00dfe", "plain text"):
        ids = tf.constant([[2, *reference.encode(text), 3][:24]])
        expected = tf.nn.softmax(classifier([ids, tf.ones_like(ids), tf.zeros_like(ids)]))
        close(serve(text=tf.constant([text]))["probabilities"], expected)


def test_rules_of_the_model_and_of_the_vocabulary(encoder, sp_model, tmp_path, unchecked):
    """Explicit ones win over the model's, these over those of task.json beside the vocabulary."""
    shutil.copy(sp_model, tmp_path / "tiny.model")
    write_task(tmp_path, {"rules": "tfhub"})

    def rules(model, sp_model, **kwargs):
        export_classifier(model, tmp_path / "out", sp_model, seq_length=8, overwrite=True, **kwargs)
        return json.loads(load(tmp_path / "out")[0].task().numpy())["rules"]

    plain, told = AlbertClassifier(encoder), AlbertClassifier(encoder, rules="tfhub")
    assert rules(told, sp_model) == "tfhub" and rules(plain, tmp_path / "tiny.model") == "tfhub"
    again = AlbertClassifier(encoder)
    restore_task_head(again, tmp_path / "out")
    assert again.rules == "tfhub"
    assert rules(told, tmp_path / "tiny.model", rules="original") == "original"


def test_the_check_finds_other_ids(classifier, sp_model, tmp_path, monkeypatch):
    monkeypatch.setattr(ReferenceTokenizer, "encode", lambda self, text: [5])
    with pytest.raises(ValueError, match="Received: text becomes the ids of training, rules orig"):
        export_classifier(classifier, tmp_path / "out", sp_model, seq_length=8)


def multi_label_inputs():
    ids = tf.constant([[2, 9, 4, 3, 0], [2, 7, 8, 9, 3]])
    return dict(zip(INPUT_NAMES, (ids, tf.cast(ids > 0, tf.int32), tf.zeros_like(ids))))


@pytest.mark.parametrize("way", ["constructor", "compiled", "argument", "own loss"])
def test_several_labels_are_served_as_sigmoids(encoder, sp_model, tmp_path, way, unchecked):
    kwargs = {"problem_type": "multi_label_classification"}
    model = AlbertClassifier(encoder, 3, **(kwargs if way == "constructor" else {}))
    if way == "compiled":
        model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    elif way == "own loss":
        model.compile("adam", multi_label_loss)
    expected = tf.sigmoid(model(Preprocessor(sp_model, seq_length=24)(TEXTS))).numpy()
    threshold = ((expected.min(0) + expected.max(0)) / 2).astype(float).tolist()
    export_classifier(
        model,
        tmp_path / "out",
        sp_model,
        labels=["a", "b", "c"],
        seq_length=24,
        threshold=threshold,
        **(kwargs if way == "argument" else {}),
    )
    loaded, serve = load(tmp_path / "out")
    answer = serve(text=tf.constant(TEXTS))
    close(answer["probabilities"], expected)
    assert answer["predictions"].numpy().tolist() == (expected >= threshold).tolist()
    assert not set(np.mean(answer["predictions"], 0)) & {0.0, 1.0}  # Some texts have each label.
    answer = loaded.signatures["ids"](**multi_label_inputs())
    close(answer["probabilities"], tf.sigmoid(model(multi_label_inputs())))
    task = json.loads(loaded.task().numpy())
    assert task["task"] == "multi_label" and task["thresholds"] == threshold
    assert task["problem_type"] == "multi_label_classification"
    assert decoded(loaded.labels()) == ["a", "b", "c"]
    assert all(check.difference is None for check in check_task(loaded))
    if way == "argument":
        again = AlbertClassifier(encoder, 3)
        restore_task_head(again, tmp_path / "out")
        assert again.problem_type == "multi_label_classification"
        # The same graph under the name of another task breaks its promise.
        other = json.dumps({**task, "task": "classification"})
        loaded.task = lambda: tf.constant(other)
        broken = {c.promise: c.difference for c in check_task(loaded) if c.difference}
        assert broken["probabilities are those of the logits"].startswith("not the softmax")


def test_one_label_that_a_text_has_or_has_not(encoder, sp_model, tmp_path, unchecked):
    model = AlbertClassifier(encoder, 1)
    model.compile("adam", "binary_crossentropy")
    export_classifier(model, tmp_path / "out", sp_model, labels=["spam"], seq_length=24)
    _, serve = load(tmp_path / "out")
    logits = model(Preprocessor(sp_model, seq_length=24)(TEXTS))
    close(serve(text=tf.constant(TEXTS))["probabilities"], tf.sigmoid(logits))


def test_several_numbers(encoder, sp_model, tmp_path, unchecked):
    model = AlbertClassifier(encoder, 2)
    model.compile("adam", "mse")
    export_classifier(model, tmp_path / "out", sp_model, seq_length=24)
    _, serve = load(tmp_path / "out")
    close(
        serve(text=tf.constant(TEXTS))["score"], model(Preprocessor(sp_model, seq_length=24)(TEXTS))
    )


@pytest.mark.parametrize("threshold", [1.5, -0.1, [0.5], "0.5", None, [0.5, 0.5, float("nan")]])
def test_wrong_thresholds(encoder, sp_model, tmp_path, threshold):
    model = AlbertClassifier(encoder, 3, problem_type="multi_label_classification")
    with pytest.raises(ValueError, match="`threshold` must be a probability, or a list of 3"):
        export_classifier(model, tmp_path / "out", sp_model, seq_length=8, threshold=threshold)


def test_pairs_by_the_original_rules(classifier, sp_model, tmp_path, unchecked):
    export_classifier(classifier, tmp_path / "pairs", sp_model, seq_length=16, pairs=True)
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
