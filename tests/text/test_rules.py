"""Which rules text is cut by: given, recorded, or the one default."""

import inspect
import shutil

import pytest

import albert_tf
from albert_tf import albert_tiny_en
from albert_tf.task_record import read_task, write_task
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.text.rules import rules_for
from albert_tf.text.tokenizer import Tokenizer
from tests.conftest import FIXTURES

TINY = FIXTURES / "tiny.model"
TEXTS = ["In 2010, it cost 1,000, he said.", "stra\u00dfe", "plain"]


def test_the_default_is_that_of_the_trainers():
    assert rules_for(TINY) == ReferenceTokenizer.rules == "original"
    assert rules_for(TINY, default="tfhub") == "tfhub"
    names = [n for n in albert_tf.__all__ if n.startswith("export_")] + ["Preprocessor"]
    found = 0
    for name in names:
        parameter = inspect.signature(getattr(albert_tf, name)).parameters.get("rules")
        if parameter is not None:
            found += 1
            assert parameter.default is None, name  # Nobody has a default of its own.
    assert found == 8


def test_what_is_recorded_beside_the_vocabulary_counts(tmp_path):
    shutil.copy(TINY, tmp_path / "a.model")
    write_task(tmp_path, {"task": "classification", "rules": "tfhub"})
    assert read_task(tmp_path / "nowhere", tmp_path)["rules"] == "tfhub"
    assert rules_for(tmp_path / "a.model") == "tfhub"
    assert rules_for(tmp_path / "a.model", "original") == "original"
    assert rules_for(albert_tiny_en.SP_MODEL, default="tfhub") == "original"
    write_task(tmp_path, {"rules": "python"})
    with pytest.raises(ValueError, match="must be one of tfhub, original. Received: 'python' in "):
        rules_for(tmp_path / "a.model")
    (tmp_path / "task.json").write_text("[")
    with pytest.raises(ValueError, match="must be a JSON file. Received: .*task.json"):
        rules_for(tmp_path / "a.model")


def test_tokenizers_agree_by_default():
    pytest.importorskip("tensorflow_text")
    reference = ReferenceTokenizer(TINY)
    expected = [reference.encode(text) for text in TEXTS]
    assert Tokenizer(TINY)(TEXTS).to_list() == expected
    assert albert_tf.Preprocessor(TINY).tokenize(TEXTS).to_list() == expected
    assert Tokenizer(TINY, "tfhub")(TEXTS).to_list() != expected


def test_the_exported_preprocessor_tells_its_rules(tmp_path, unchecked):
    """Its default is the exception: it takes the place of tensorflow/albert_en_preprocess/3."""
    tf = pytest.importorskip("tensorflow")
    pytest.importorskip("tensorflow_text")
    for name, sp_model, rules in (
        ("hub", TINY, "tfhub"),
        ("ours", albert_tiny_en.SP_MODEL, "original"),
    ):
        albert_tf.export_preprocessor(sp_model, tmp_path / name, seq_length=16)
        loaded = tf.saved_model.load(str(tmp_path / name))
        assert loaded.rules().numpy().decode() == rules
        live = albert_tf.Preprocessor(sp_model, rules, seq_length=16)
        for key, ids in live(TEXTS).items():
            assert loaded(TEXTS)[key].numpy().tolist() == ids.numpy().tolist()
