import json
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.checkpoints.names.table import task_heads
from albert_tf.checkpoints.task_head import restore_task_head
from albert_tf.checkpoints.writers.hugging_face import write_hugging_face
from albert_tf.encoder import AlbertEncoder
from albert_tf.saved_model.encoder import export_encoder
from albert_tf.task_record import read_task, recorded_rules, write_task
from albert_tf.tasks import head_names
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.tasks.multiple_choice import AlbertMultipleChoice
from albert_tf.tasks.span_labeler import AlbertSpanLabeler
from albert_tf.tasks.token_classifier import AlbertTokenClassifier
from albert_tf.training.engine.state import RunDirectory

GOLDENS = pathlib.Path(__file__).parents[1] / "goldens"
HUGGING_FACE = GOLDENS / "hugging_face"


def model_for(name):
    encoder = AlbertEncoder.from_checkpoint(HUGGING_FACE / name)
    return {
        "sequence_classification": lambda: AlbertClassifier(encoder, num_classes=3),
        "token_classification": lambda: AlbertTokenClassifier(encoder, num_classes=5),
        "question_answering": lambda: AlbertSpanLabeler(encoder),
        "multiple_choice": lambda: AlbertMultipleChoice(encoder),
    }[name]()


@pytest.mark.parametrize(
    "name",
    [
        "sequence_classification",
        "token_classification",
        "question_answering",
        "multiple_choice",
    ],
)
def test_outputs_equal_hugging_face(name):
    recorded = np.load(HUGGING_FACE / name / "outputs.npz")
    model = model_for(name)
    restore_task_head(model, HUGGING_FACE / name)
    outputs = model(
        {
            "input_word_ids": recorded["inputs/input_ids"],
            "input_mask": recorded["inputs/attention_mask"],
            "input_type_ids": recorded["inputs/token_type_ids"],
        }
    )
    if name == "question_answering":
        for key in ("start_logits", "end_logits"):
            np.testing.assert_allclose(outputs[key], recorded[key], atol=1e-5)
    else:
        np.testing.assert_allclose(outputs, recorded["logits"], atol=1e-5)


def test_head_of_another_task_or_size():
    encoder = AlbertEncoder.from_checkpoint(HUGGING_FACE / "sequence_classification")
    with pytest.raises(ValueError, match=r"float32 \[3, 12\] as 'classifier.weight', .* \[2, 12\]"):
        restore_task_head(AlbertClassifier(encoder), HUGGING_FACE / "sequence_classification")
    with pytest.raises(ValueError, match="no tensor as 'qa_outputs.weight', where AlbertSpanLab"):
        restore_task_head(AlbertSpanLabeler(encoder), HUGGING_FACE / "sequence_classification")


def test_head_of_the_original(tmp_path, write_tf1):
    rng = np.random.default_rng(0)
    arrays = {
        "output_weights": rng.normal(size=[3, 64]).astype(np.float32),
        "output_bias": rng.normal(size=[3]).astype(np.float32),
        "bert/embeddings/word_embeddings": np.zeros([1000, 32], np.float32),
    }
    write_tf1(tmp_path / "model.ckpt", arrays)
    model = AlbertClassifier(AlbertEncoder.from_checkpoint(GOLDENS / "tiny"), num_classes=3)
    restore_task_head(model, tmp_path / "model.ckpt")
    weights = model.weights_by_name()
    np.testing.assert_array_equal(weights["classifier/kernel"], arrays["output_weights"].T)
    np.testing.assert_array_equal(weights["classifier/bias"], arrays["output_bias"])


def test_head_of_a_run(tmp_path):
    """What `albert-tf finetune` saves."""
    trained = AlbertSpanLabeler(AlbertEncoder.from_checkpoint(GOLDENS / "tiny"), version_2=True)
    (tmp_path / "albert_config.json").write_text(trained.encoder.albert_config.to_json())
    RunDirectory(tmp_path).save(7, trained.weights, {"iterations": tf.Variable(7)}, {"step": 7})
    model = AlbertSpanLabeler(AlbertEncoder.from_checkpoint(tmp_path), version_2=True)
    restore_task_head(model, tmp_path)
    for name, weight in trained.weights_by_name().items():
        np.testing.assert_array_equal(model.weights_by_name()[name], weight)
    with pytest.raises(
        ValueError, match="no tensor as 'classifier/kernel', where AlbertClassifier"
    ):
        restore_task_head(AlbertClassifier(model.encoder), tmp_path)


@pytest.mark.parametrize("kind", ["CLASSIFIER", "TOKEN_CLASSIFIER", "SPAN", "CONDITIONAL_SPAN"])
def test_all_our_heads_are_known_by_their_names(kind):
    names = [head_weight.name for head_weight in getattr(head_names, f"{kind}_WEIGHTS")]
    assert list(task_heads([*names, "pooler_transform/kernel"])) == names


def hugging_face_classifier(tmp_path, **changes):
    """A copy of the golden directory with another config.json, and its encoder."""
    path = tmp_path / "model"
    shutil.copytree(HUGGING_FACE / "sequence_classification", path)
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, **changes}))
    return path, AlbertEncoder.from_checkpoint(path)


def test_problem_type_of_hugging_face(tmp_path):
    path, encoder = hugging_face_classifier(tmp_path, problem_type="multi_label_classification")
    model = AlbertClassifier(encoder, num_classes=3)
    assert model.problem_type == "single_label_classification"
    restore_task_head(model, path)
    assert model.problem_type == "multi_label_classification"
    assert AlbertClassifier.from_config(model.get_config()).problem_type == model.problem_type
    other = AlbertClassifier(encoder, num_classes=3, problem_type="single_label_classification")
    with pytest.raises(ValueError, match="Received: problem_type='single.*but 'multi_.*out, so"):
        restore_task_head(other, path)


def test_problem_type_of_hugging_face_may_be_absent_but_not_strange(tmp_path):
    path, encoder = hugging_face_classifier(tmp_path, problem_type=None)
    model = AlbertClassifier(encoder, num_classes=3)
    restore_task_head(model, path)
    assert model.problem_type == "single_label_classification" and model.rules is None
    path, encoder = hugging_face_classifier(tmp_path / "2", problem_type="guess")
    with pytest.raises(ValueError, match="`problem_type` must be one of .* Received: 'guess'"):
        restore_task_head(model, path)


def test_records_of_runs_and_of_hugging_face_directories(tmp_path, unchecked):
    run = tmp_path / "run"
    trained = AlbertClassifier(AlbertEncoder.from_checkpoint(GOLDENS / "tiny"), 3)
    RunDirectory(run).save(7, trained.weights, {"iterations": tf.Variable(7)}, {"step": 7})
    (run / "albert_config.json").write_text(trained.encoder.albert_config.to_json())
    write_task(run, {"problem_type": "multi_label_classification", "rules": "tfhub"})
    model = AlbertClassifier(AlbertEncoder.from_checkpoint(run), 3)
    restore_task_head(model, run)
    assert (model.problem_type, model.rules) == ("multi_label_classification", "tfhub")

    (tmp_path / "hf").mkdir()
    write_hugging_face(model.encoder, tmp_path / "hf")
    assert read_task(tmp_path / "hf") == {"rules": "tfhub"}
    assert recorded_rules(AlbertEncoder.from_checkpoint(tmp_path / "hf")) == "tfhub"
    export_encoder(model.encoder, tmp_path / "encoder", GOLDENS.parent / "fixtures/tiny.model")
    assert recorded_rules(AlbertEncoder.from_checkpoint(tmp_path / "encoder")) == "tfhub"
    assert recorded_rules(trained.encoder) is None
