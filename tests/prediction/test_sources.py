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
from albert_tf.text.wordpiece_vocabulary import WordPieceVocabulary
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
    export_task(task.export, path, task.vocabulary, rules=task.rules, seq_length=task.seq_length)
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


def test_wordpiece(wordpiece_checkpoint, vocab_file, tmp_path, unchecked):
    texts = ["我爱北京!", "The Playing", "the playing", ""]
    encoder = albert_tf.AlbertEncoder.from_checkpoint(wordpiece_checkpoint)
    for name, weight in encoder.weights_by_name().items():
        if name.endswith(("embeddings", "kernel")):
            weight.assign(8.0 * tf.convert_to_tensor(weight))  # Answers differ much.
    model = albert_tf.AlbertClassifier(encoder, labels=["no", "yes"])
    vocabulary = WordPieceVocabulary.read(vocab_file, do_lower_case=False)
    write_hugging_face(model, tmp_path / "hf", wordpiece=vocabulary)
    albert_tf.export_classifier(model, tmp_path / "out", vocab_file=vocabulary, seq_length=16)

    def logits(lower):
        preprocessor = albert_tf.Preprocessor(vocab_file=vocab_file, do_lower_case=lower)
        return model(preprocessor.bert_pack_inputs([preprocessor.tokenize(texts)], 16)).numpy()

    assert np.abs(logits(False) - logits(True)).max() > 1e-4
    for path in (tmp_path / "hf", tmp_path / "out"):
        for asked, lower in (({}, False), ({"do_lower_case": True}, True)):
            predictor = Predictor(path, **asked)
            assert predictor.record["do_lower_case"] is lower
            for answer, row in zip(predictor(texts, top_k=None), tf.nn.softmax(logits(lower))):
                by_label = {x["label"]: x["score"] for x in answer}
                assert [by_label["no"], by_label["yes"]] == pytest.approx(row.numpy(), abs=1e-5)
    # The model itself knows the vocabulary beside it.
    again = albert_tf.AlbertClassifier.from_checkpoint(tmp_path / "hf")
    np.testing.assert_allclose(again.predict(texts, verbose=0), logits(False), atol=1e-5)


def test_a_vocabulary_that_is_given_is_used(wordpiece_checkpoint, vocab_file, tmp_path, sp_model):
    encoder = albert_tf.AlbertEncoder.from_checkpoint(wordpiece_checkpoint)
    write_hugging_face(albert_tf.AlbertClassifier(encoder), tmp_path)
    with pytest.raises(ValueError, match="vocabulary .* must be known. Received: none"):
        Predictor(tmp_path)
    assert Predictor(tmp_path, vocab_file=vocab_file)("我")["label"] in ("0", "1")
    with pytest.raises(ValueError, match="vocab_size=222. Received: .*tiny.model. with 1000"):
        Predictor(tmp_path, sp_model=sp_model)
