import pathlib

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.checkpoints.names.table import task_heads
from albert_tf.checkpoints.task_head import restore_task_head
from albert_tf.encoder import AlbertEncoder
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
