import json

import numpy as np
import pytest

from albert_tf.config import AlbertConfig
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.training.finetuning.recipes import recipe_for
from albert_tf.training.finetuning.tasks import make_task
from tests import random_tiny

ROWS = [
    {"words": ["Ann", "Lee", "\u0301", "sings"], "tags": ["B-PER", "I-PER", "O", "O"]},
    {"words": ["Ann"] * 30, "tags": ["B-PER"] * 30},  # Longer than a row.
]


def test_scores_count_words_without_a_tag(tmp_path):
    for split in ("train", "dev"):
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in ROWS))
    task = make_task("tagging", data_dir=tmp_path)
    assert task.labels == ("B-PER", "I-PER", "O") and task.best_metric == "entity_f1"
    task.tokenizer = ReferenceTokenizer(random_tiny.SP_MODEL)
    config = AlbertConfig(vocab_size=1000)
    recipe = recipe_for("tagging", config).changed(max_seq_length=16)
    features = task.features("dev", recipe)
    assert features.report.counts  # One word without a piece, one text cut.
    marked = features["label_ids"]
    outputs = np.eye(3)[np.maximum(marked, 0)]  # All right, as far as there are pieces.
    kept = int((marked[1] >= 0).sum())
    assert 0 < kept < 30
    scores = task.scores("dev", features, outputs)
    assert scores["accuracy"] == (3 + kept) / 34
    assert scores["entity_precision"] == 1.0
    assert scores["entity_recall"] == (1 + kept) / 31
    (path,) = task.write_predictions(tmp_path, "dev", features, outputs, {})
    first = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    assert first["tags"] == ["B-PER", "I-PER", None, "O"]


def test_iob1_is_scored_like_iob2(tmp_path):
    """CoNLL-2003 as distributed: B- only where two entities of a kind touch."""
    text = "Ann NNP I-NP I-PER\nLee NNP I-NP I-PER\nBob NNP B-NP B-PER\nsings VBZ I-VP O\n"
    for split in ("train", "dev"):
        (tmp_path / f"{split}.conll").write_text(f"-DOCSTART- -X- O O\n\n{text}")
    task = make_task("tagging", data_dir=tmp_path)
    assert task.labels == ("B-PER", "I-PER", "O") and task.best_metric == "entity_f1"
    task.tokenizer = ReferenceTokenizer(random_tiny.SP_MODEL)
    recipe = recipe_for("tagging", AlbertConfig(vocab_size=1000)).changed(max_seq_length=64)
    features = task.features("dev", recipe)
    ids = np.maximum(features["label_ids"], 0)
    right = task.scores("dev", features, np.eye(3)[ids])
    assert right["entity_precision"] == right["entity_recall"] == right["entity_f1"] == 1.0
    joined = task.scores("dev", features, np.eye(3)[np.where(ids == 0, 1, ids)])
    assert joined["entity_precision"] == joined["entity_recall"] == 0.0  # One entity, not two.
    with pytest.raises(ValueError, match="local file. Received: .*gs:/b"):
        task.write_predictions("gs://b/predictions", "dev", features, np.eye(3)[ids], {})


def test_tags_that_are_no_entities(tmp_path):
    rows = [{"words": ["go", "home"], "tags": ["VERB", "NOUN"]}]
    for split in ("train", "dev"):
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    assert make_task("tagging", data_dir=tmp_path).best_metric == "accuracy"
