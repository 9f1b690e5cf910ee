import pytest

from albert_tf.training.finetuning.entities import entities, entity_f1, is_bio


def test_entities_as_conlleval_counts_them():
    tags = ["I-LOC", "I-LOC", "B-LOC", "I-PER", "O", "B-PER", "I-PER"]
    assert entities(tags) == {(0, 2, "LOC"), (2, 3, "LOC"), (3, 4, "PER"), (5, 7, "PER")}
    assert entities(["O"]) == set()


def test_f1():
    right = [["B-PER", "I-PER", "O"], ["B-LOC"]]
    scores = entity_f1(right, [["B-PER", "O", "O"], ["B-LOC"]])
    assert scores == {"entity_precision": 0.5, "entity_recall": 0.5, "entity_f1": 0.5}
    assert entity_f1(right, right)["entity_f1"] == 1.0
    assert entity_f1([["O"]], [["O"]])["entity_f1"] == 0.0
    assert entity_f1(right, [["O", "O", "O"], ["O"]])["entity_recall"] == pytest.approx(0.0)


def test_is_bio():
    assert is_bio(("B-PER", "O"))
    assert not is_bio(("NOUN", "O")) and not is_bio(("O",))
