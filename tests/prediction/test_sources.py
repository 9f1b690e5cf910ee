"""`Predictor` on what others write: runs of `finetune`, and Hugging Face directories."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

import albert_tf
from albert_tf import Predictor
from albert_tf.checkpoints.writers.hugging_face import write_hugging_face
from albert_tf.saved_model.checkpoint_task import checkpoint_task
from albert_tf.saved_model.tasks import export_task
from albert_tf.training.finetuning.finetune import finetune
from albert_tf.training.finetuning.options import FinetuneOptions
from tests.prediction.models import TEXTS
from tests.saved_model.task_exports import small_encoder


def test_run_of_finetune(tiny_checkpoint, sp_model, tmp_path, unchecked):
    for split in ("train", "dev"):
        (tmp_path / f"{split}.csv").write_text("text,label\n" + "a fine film,good\ndull,bad\n" * 4)
    run = finetune(
        "classification",
        tmp_path / "run",
        tiny_checkpoint,
        sp_model,
        data_dir=tmp_path,
        train_steps=2,
        warmup_steps=1,
        batch_size=4,
        max_seq_length=16,
        options=FinetuneOptions(export=False, detect_collapse=False, tensorboard=False),
    )
    predictor = Predictor(tmp_path / "run")
    assert predictor.record["labels"] == ["bad", "good"] and predictor.record["seq_length"] == 16
    inputs = albert_tf.Preprocessor(sp_model, "original", 16)(TEXTS)
    expected = tf.nn.softmax(run.model(inputs)).numpy()
    for answer, probabilities in zip(predictor(TEXTS, top_k=None), expected):
        by_label = {x["label"]: x["score"] for x in answer}
        assert [by_label["bad"], by_label["good"]] == pytest.approx(probabilities, abs=1e-5)
    # The SavedModel that a run ends with is taken, if it is there.
    task = checkpoint_task(tmp_path / "run")
    path = tmp_path / "run" / "saved_model"
    export_task(task.export, path, task.sp_model, task.rules, task.seq_length)
    again = Predictor(tmp_path / "run")
    assert pathlib.Path(again.source) == path and again.record == predictor.record
    assert [x["label"] for x in again(TEXTS)] == [x["label"] for x in predictor(TEXTS)]


@pytest.mark.parametrize("problem_type", [None, "multi_label_classification"])
def test_hugging_face_directory(problem_type, sp_model, tmp_path):
    labels = ["no", "maybe", "yes"]
    model = albert_tf.AlbertClassifier(small_encoder(), 3, problem_type=problem_type, labels=labels)
    write_hugging_face(model, tmp_path, sp_model)
    logits = model(albert_tf.Preprocessor(sp_model, seq_length=64)(TEXTS)).numpy()
    activation = tf.nn.softmax if problem_type is None else tf.sigmoid
    for answer, row in zip(Predictor(tmp_path)(TEXTS, top_k=None), activation(logits).numpy()):
        assert [x["label"] for x in answer] == [labels[i] for i in np.argsort(-row)]
        assert [x["score"] for x in answer] == pytest.approx(sorted(row, reverse=True), abs=1e-5)
    pairs = Predictor(tmp_path, pairs=True)
    assert pairs.text_inputs == ["text_a", "text_b"] and pairs(("a", "b"), top_k=3)


def test_a_head_of_another_task_is_an_error(sp_model, tmp_path):
    write_hugging_face(albert_tf.AlbertSpanLabeler(small_encoder()), tmp_path, sp_model)
    answer = Predictor(tmp_path, max_query_length=8)(question="What?", context="A text.")
    assert sorted(answer) == ["answer", "end", "score", "start"]
    with pytest.raises(ValueError, match="must have the head of a classifier"):
        Predictor(tmp_path, "classifier")
