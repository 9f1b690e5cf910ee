"""SavedModels of models with a WordPiece vocabulary."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

import albert_tf
from albert_tf.checkpoints.read import read
from albert_tf.checkpoints.vocabulary_file import find_vocabulary
from albert_tf.checkpoints.writers.hugging_face import write_hugging_face
from albert_tf.saved_model.contract.checklist import vocabulary_asset
from albert_tf.text.wordpiece import WordPieceReferenceTokenizer
from albert_tf.text.wordpiece_vocabulary import WordPieceVocabulary

pytest.importorskip("tensorflow_text")

TEXTS = ["我爱北京!", "The Playing", ""]


def test_preprocessor(vocab_file, tmp_path):
    path = tmp_path / "preprocessor"
    checks = albert_tf.export_preprocessor(
        path=path, vocab_file=vocab_file, do_lower_case=False, seq_length=12
    )
    assert checks and not any(check.difference for check in checks)
    moved = shutil.move(path, tmp_path / "moved")
    loaded = tf.saved_model.load(str(moved))
    live = albert_tf.Preprocessor(vocab_file=vocab_file, do_lower_case=False, seq_length=12)
    for name, ids in live(TEXTS).items():
        np.testing.assert_array_equal(loaded(tf.constant(TEXTS))[name], ids)
    file = loaded.vocab_file.asset_path.numpy()
    assert WordPieceReferenceTokenizer(file, bool(loaded.do_lower_case.numpy())).encode("The") == [
        live.tokenize.vocabulary.ids["The"]
    ]
    assert not hasattr(loaded, "sp_model_file") and len(loaded.variables) == 0
    assert loaded.rules().numpy() == b"original"


@pytest.fixture
def encoder(wordpiece_checkpoint):
    return albert_tf.AlbertEncoder.from_checkpoint(wordpiece_checkpoint)


def test_encoder(encoder, vocab_file, tmp_path):
    with pytest.raises(ValueError, match="vocab_size=222. Received: .*tiny.model. with 1000"):
        tiny = vocab_file.parent / "tiny.model"
        albert_tf.export_encoder(encoder, tmp_path / "wrong", tiny)
    path = tmp_path / "encoder"
    checks = albert_tf.export_encoder(encoder, path, vocab_file=vocab_file, do_lower_case=False)
    assert not any(check.difference for check in checks)
    loaded = tf.saved_model.load(str(path))
    assert not loaded.do_lower_case.numpy()
    assert loaded.vocab_file.asset_path.numpy().endswith(b"vocab_zh.txt")
    assert len(loaded.variables) == len(encoder.weights)
    # It is a checkpoint, too, that tells how its text is cut.
    checkpoint = read(path)
    assert checkpoint.task["do_lower_case"] is False
    assert find_vocabulary(path).name == "vocab_zh.txt"
    again = albert_tf.AlbertEncoder.from_checkpoint(path)
    for a, b in zip(encoder.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_encoder_without_vocabulary(encoder, tmp_path, unchecked):
    albert_tf.export_encoder(encoder, tmp_path / "encoder")
    loaded = tf.saved_model.load(str(tmp_path / "encoder"))
    assert not hasattr(loaded, "vocab_file") and not hasattr(loaded, "sp_model_file")
    assert list((tmp_path / "encoder" / "assets").iterdir()) == []
    assert vocabulary_asset(loaded, needed=False) is None
    assert "expected one of sp_model_file and vocab_file" in vocabulary_asset(loaded)


def test_hugging_face_directory(encoder, vocab_file, tmp_path):
    vocabulary = WordPieceVocabulary.read(vocab_file, do_lower_case=False)
    write_hugging_face(encoder, tmp_path, wordpiece=vocabulary)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["tokenizer_class"] == "BertTokenizer" and config["pad_token_id"] == 0
    again = WordPieceVocabulary.read(tmp_path / "vocab.txt")
    assert (again.pieces, again.do_lower_case) == (vocabulary.pieces, False)
    with pytest.raises(ValueError, match="as many pieces"):
        wrong = dataclasses.replace(vocabulary, pieces=vocabulary.pieces[:-1])
        write_hugging_face(encoder, tmp_path, wordpiece=wrong)


def test_tagger_and_choices(encoder, vocab_file, tmp_path, unchecked):
    model = albert_tf.AlbertTokenClassifier(encoder, num_classes=2)
    albert_tf.export_token_classifier(
        model, tmp_path / "tags", vocab_file=vocab_file, seq_length=16, units="pieces"
    )
    loaded = tf.saved_model.load(str(tmp_path / "tags"))
    answer = loaded.signatures["serving_default"](text=tf.constant(["我爱 Cafe\u0301!"]))
    assert [t.decode() for t in answer["tokens"].numpy()[0]] == ["我", "爱", "Cafe\u0301", "!"]
    assert answer["char_ends"].numpy().tolist() == [[1, 2, 8, 9]]
    assert json.loads(loaded.task().numpy())["do_lower_case"] is True

    model = albert_tf.AlbertMultipleChoice(encoder)
    albert_tf.export_multiple_choice(
        model, tmp_path / "choices", vocab_file=vocab_file, seq_length=16
    )
    serve = tf.saved_model.load(str(tmp_path / "choices")).signatures["serving_default"]
    answer = serve(
        context=tf.constant(["天气很好"]),
        question=tf.constant(["天气_"]),
        choices=tf.constant([["好", "坏"]]),
    )
    assert answer["answer"].numpy()[0].decode() in ("好", "坏")
