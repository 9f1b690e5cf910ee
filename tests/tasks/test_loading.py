"""Task models of fine-tuned checkpoints: to Hugging Face and back, with all that was stored."""

import json

import numpy as np
import pytest

import albert_tf
from albert_tf.checkpoints.read import read
from albert_tf.checkpoints.writers.hugging_face import write_hugging_face
from albert_tf.checkpoints.writers.round_trip import compare_weights
from albert_tf.tasks.loading import task_model_class
from tests.saved_model.task_exports import small_encoder

MODELS = {
    "AlbertForSequenceClassification": lambda encoder: albert_tf.AlbertClassifier(
        encoder, 3, problem_type="multi_label_classification", labels=["a", "b", "c"]
    ),
    "AlbertForTokenClassification": lambda encoder: albert_tf.AlbertTokenClassifier(
        encoder, 2, labels=["O", "B-PER"]
    ),
    "AlbertForMultipleChoice": lambda encoder: albert_tf.AlbertMultipleChoice(encoder),
    "AlbertForQuestionAnswering": lambda encoder: albert_tf.AlbertSpanLabeler(encoder),
}


@pytest.mark.parametrize("architecture", MODELS)
def test_to_hugging_face_and_back(architecture, tmp_path):
    model = MODELS[architecture](small_encoder())
    model.rules = "tfhub"
    write_hugging_face(model, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["architectures"] == [architecture]
    if model.labels:
        assert config["id2label"] == {str(i): label for i, label in enumerate(model.labels)}
        assert config["label2id"] == {label: i for i, label in enumerate(model.labels)}
    checkpoint = read(tmp_path)
    assert compare_weights(model, tmp_path) == len(model.weights_by_name())
    assert task_model_class(checkpoint) is type(model)
    again = type(model).from_checkpoint(checkpoint)
    assert (again.labels, again.rules) == (model.labels, "tfhub")
    assert getattr(again, "problem_type", None) == getattr(model, "problem_type", None)
    for name, weight in model.weights_by_name().items():
        np.testing.assert_array_equal(again.weights_by_name()[name], weight)


def test_names_of_classes_that_nobody_gave(tmp_path):
    write_hugging_face(albert_tf.AlbertClassifier(small_encoder(), 3), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["id2label"] == {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}
    assert albert_tf.AlbertClassifier.from_checkpoint(tmp_path).labels is None


def test_the_heads_of_squad_2_have_no_class_there(tmp_path):
    model = albert_tf.AlbertSpanLabeler(small_encoder(), version_2=True)
    with pytest.raises(ValueError, match="version_2, the answer heads of SQuAD 2.0, for which it"):
        write_hugging_face(model, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_encoder_has_no_task(tmp_path):
    write_hugging_face(small_encoder(), tmp_path)
    assert task_model_class(read(tmp_path)) is None
    with pytest.raises(ValueError, match="must have the head of a classifier"):
        albert_tf.AlbertClassifier.from_checkpoint(tmp_path)
