"""Vectors of texts, from files to a SavedModel; the losses are what NumPy computes."""

import json
import sys

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.config import AlbertConfig
from albert_tf.data.tasks.metrics import recall_at
from albert_tf.encoder import AlbertEncoder
from albert_tf.prediction.predictor import Predictor
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.training.finetuning.embedding_task import (
    pairs_loss,
    principal,
    score_range,
    scores_loss,
    teacher_loss,
)
from albert_tf.training.finetuning.recipes import recipe_for
from albert_tf.training.finetuning.tasks import make_task
from albert_tf.training.finetuning.teacher import teacher_vectors
from tests import random_tiny
from tests.training.toy_task import learn

TEXTS = ["good", "truly bad", "it is short", "so long", "and a film", "acting", "bad and short"]
RANDOM = np.random.default_rng(0)


def unit(x):
    return np.float32(x / np.linalg.norm(x, axis=-1, keepdims=True))


def write(path, rows):
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


# === Losses ===


def test_the_loss_of_vectors_is_one_minus_the_cosine():
    vectors, outputs = RANDOM.normal(size=[3, 6]), unit(RANDOM.normal(size=[3, 1, 4]))
    basis = RANDOM.normal(size=[6, 4])
    expected = 1 - np.sum(outputs[:, 0] * unit(vectors @ basis), -1)
    loss = teacher_loss(np.float32(basis))(outputs, {"vectors": np.float32(vectors)})
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_the_loss_of_pairs_is_the_cross_entropy_of_the_partner():
    outputs = unit(RANDOM.normal(size=[4, 3, 5]))
    ids = np.array([[1, 2, 3], [4, 5, 6], [7, 2, 1], [0, 0, 0]])  # The last row fills the batch.
    targets = {"text_ids": tf.constant(ids), "weights": tf.constant([1.0, 1.0, 1.0, 0.0])}
    for i in range(3):
        candidates = [(j, k) for j in range(3) for k in (1, 2)]
        same = [(j, k) for j, k in candidates if ids[j, k] in ids[i, :2] and (j, k) != (i, 1)]
        assert same == ([[(2, 1), (2, 2)], [], [(0, 1)]])[i]
        logits = [outputs[i, 0] @ outputs[c] / 0.1 for c in candidates if c not in same]
        expected = np.log(np.sum(np.exp(logits))) - outputs[i, 0] @ outputs[i, 1] / 0.1
        np.testing.assert_allclose(pairs_loss(0.1)(outputs, targets)[i], expected, rtol=1e-4)


def test_the_loss_of_scores_is_the_squared_difference():
    outputs, labels = unit(RANDOM.normal(size=[3, 2, 5])), np.float32([0, 5, 2])
    expected = (np.sum(outputs[:, 0] * outputs[:, 1], -1) - labels / 5) ** 2
    loss = scores_loss(score_range(labels))(outputs, {"labels": labels})
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    assert score_range([-0.5, 1.0]) == (0.0, 1.0) and score_range([1, 5]) == (1, 5)
    with pytest.raises(ValueError, match="must differ. Received: 3 for all"):
        score_range([3, 3])


@pytest.mark.parametrize("dimension", [8, 24])
def test_the_principal_directions_keep_cosines(dimension):
    config = AlbertConfig(vocab_size=10, hidden_size=16, num_attention_heads=2)
    vectors = RANDOM.normal(size=[40, min(dimension, 12)])
    vectors = np.float32(vectors @ RANDOM.normal(size=[min(dimension, 12), dimension]))
    basis = principal(vectors, config)
    assert basis.shape == (dimension, 16)
    reduced = unit(vectors @ basis)
    np.testing.assert_allclose(reduced @ reduced.T, unit(vectors) @ unit(vectors).T, atol=1e-5)


def test_recall():
    vectors = unit([[[1, 0], [1, 0.1]], [[0, 1], [1, 0.2]], [[1, 1], [1, 0.9]]])
    assert recall_at(vectors, np.array([[1, 2], [3, 4], [5, 6]]), (1, 2)) == {
        "recall_at_1": 2 / 3,
        "recall_at_2": 1.0,
    }
    # The second text is the same as the first one, which has two partners then.
    assert recall_at(vectors, np.array([[1, 2], [1, 4], [5, 6]]), (1,)) == {"recall_at_1": 2 / 3}
    # A text that is another one's partner, too, is not found in its own place.
    chain = unit([[[1, 0], [1, 0.1]], [[1, 0.1], [1, 0.3]]])
    assert recall_at(chain, np.array([[1, 2], [2, 3]]), (1,)) == {"recall_at_1": 1.0}
    # Where all are alike, none is found.
    alike = np.broadcast_to(unit([1.0, 1.0]), [3, 2, 2])
    assert recall_at(alike, np.array([[1, 2], [3, 4], [5, 6]]), (1,)) == {"recall_at_1": 0.0}


# === Runs ===


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taught")
    vectors = unit(RANDOM.normal(size=[len(TEXTS), 12]))
    (folder / "train.txt").write_text("\n".join(TEXTS))
    np.save(folder / "teacher.npy", vectors)
    pairs = [(i, j) for i in range(len(TEXTS)) for j in range(i)]
    rows = [
        {"sentence1": TEXTS[i], "sentence2": TEXTS[j], "score": float(vectors[i] @ vectors[j])}
        for i, j in pairs
    ]
    write(folder / "dev.jsonl", rows)
    (folder / "test.txt").write_text("good\nso good\n")
    task = make_task("embedding", data_dir=folder, teacher=folder / "teacher.npy")
    recipe = {"train_steps": 80, "batch_size": 7, "learning_rate": 3e-3}
    output = folder / "run"
    return learn(None, output, task, recipe, evaluate_every=40, save_every=80, export=True)


def test_it_learns_the_vectors_of_a_file(taught):
    assert list(taught.scores["dev"]) == ["spearman", "pearson"]
    assert taught.scores["dev"]["spearman"] > 0.9 and taught.scores["test"] == {}
    rows = (taught.output / "predictions" / "dev.tsv").read_text().splitlines()
    assert rows[0].split("\t") == ["index", "prediction", "label"] and len(rows) == 22
    assert np.load(taught.output / "predictions" / "test.npy").shape == (2, 64)
    record = json.loads((taught.output / "task.json").read_text())
    assert record["task"] == "embedding" and record["pooling"] == "mean" and record["normalize"]


def test_its_saved_model_is_the_same_embedder(taught):
    pytest.importorskip("tensorflow_text")
    expected = np.load(taught.output / "predictions" / "test.npy")
    for path in (taught.output, taught.output / "saved_model"):
        vectors = Predictor(path, "embedding")(["good", "so good"])
        np.testing.assert_allclose(vectors, expected, atol=1e-4)
    assert AlbertEncoder.from_checkpoint(taught.output).albert_config.hidden_size == 64


def test_it_learns_pairs(tmp_path):
    partners = ["film", "short film", "so bad", "is long", "and acting", "truly", "it"]
    rows = [{"text": a, "text_pair": b} for a, b in zip(TEXTS, partners, strict=True)]
    for split in ("train", "dev"):
        write(tmp_path / f"{split}.jsonl", rows)
    task = make_task("embedding", data_dir=tmp_path, temperature=0.1)
    recipe = {"train_steps": 60, "batch_size": 7, "learning_rate": 2e-3}
    result = learn(None, tmp_path / "run", task, recipe, evaluate_every=30, save_every=60)
    assert result.scores["dev"]["recall_at_1"] > 0.8 and not task.has_dev_loss
    assert task.settings == {"temperature": 0.1}


# === Tasks ===


def test_scored_pairs(tmp_path):
    rows = [{"text": "a", "text_pair": "b", "score": x} for x in (1, 3, 5)]
    for split in ("train", "dev"):
        write(tmp_path / f"{split}.jsonl", rows)
    task = make_task("embedding", data_dir=tmp_path)
    task.tokenizer = ReferenceTokenizer(random_tiny.SP_MODEL)
    recipe = recipe_for("embedding", AlbertConfig(vocab_size=1000)).changed(max_seq_length=16)
    features = task.features("dev", recipe)
    angles = np.array([1.2, 0.5, 0.1])
    outputs = np.stack(
        [np.tile([1.0, 0.0], [3, 1]), np.stack([np.cos(angles), np.sin(angles)], 1)], 1
    )
    scores = task.scores("dev", features, np.float32(outputs))
    assert scores["spearman"] == 1.0 and 0.9 < scores["pearson"] < 1.0
    assert task.best_metric == "spearman" and task.has_dev_loss


def test_a_part_of_taught_texts_is_scored_by_its_vectors(tmp_path):
    (tmp_path / "train.txt").write_text("\n".join(TEXTS))
    np.save(tmp_path / "v.npy", np.float16(RANDOM.normal(size=[7, 5])))
    task = make_task("embedding", data_dir=tmp_path, teacher=tmp_path / "v.npy")
    task.split_dev(0.3, 1)
    assert [len(task.splits[s]) for s in ("train", "dev")] == [5, 2]
    assert task.best_metric == "cosine" and task.has_dev_loss


def test_errors(tmp_path):
    (tmp_path / "train.txt").write_text("a\nb\n")
    np.save(tmp_path / "v.npy", np.ones([3, 5], np.float32))
    with pytest.raises(ValueError, match="Texts alone have nothing.*for train.*--teacher"):
        make_task("embedding", data_dir=tmp_path)
    with pytest.raises(ValueError, match=r"one vector.*Received: .*v.npy: float32 \[3, 5\] for 2"):
        make_task("embedding", data_dir=tmp_path, teacher=tmp_path / "v.npy")
    np.save(tmp_path / "v.npy", np.eye(2, 3, 1) * [[np.nan], [1]])
    with pytest.raises(ValueError, match="finite numbers, not all 0. Received: .*row 0"):
        make_task("embedding", data_dir=tmp_path, teacher=tmp_path / "v.npy")
    with pytest.raises(FileNotFoundError, match="Received: none.npy, which does not exist"):
        make_task("embedding", data_dir=tmp_path, teacher="none.npy")
    pairs = write(tmp_path / "p.jsonl", [{"text": "a", "text_pair": "b"}])
    with pytest.raises(ValueError, match="of texts, not of pairs. Received: .*v.npy"):
        make_task("embedding", train_file=pairs, teacher=tmp_path / "v.npy")
    with pytest.raises(ValueError, match="`temperature` must be positive. Received: 0"):
        make_task("embedding", train_file=pairs, temperature=0)


# === Teachers ===


def test_a_parquet_file_is_a_teacher(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pyarrow.table({"text": ["a", "b"], "vector": [[1.0, 2.0], [3.0, 4.0]]})
    parquet.write_table(table, tmp_path / "v.parquet")
    assert teacher_vectors(tmp_path / "v.parquet", ["a", "b"]).tolist() == [[1, 2], [3, 4]]
    parquet.write_table(pyarrow.table({"text": ["a"]}), tmp_path / "v.parquet")
    with pytest.raises(ValueError, match="one column of lists. Received: .* none of text"):
        teacher_vectors(tmp_path / "v.parquet", ["a"])


def test_an_albert_is_a_teacher():
    vectors = teacher_vectors(random_tiny.CHECKPOINT, ["good", "it is so short"])
    tokenizer = ReferenceTokenizer(random_tiny.SP_MODEL)
    special = tokenizer.special_ids
    encoder = AlbertEncoder.from_checkpoint(random_tiny.CHECKPOINT)
    for text, vector in zip(["good", "it is so short"], vectors):
        ids = [special["start_of_sequence_id"], *tokenizer.encode(text)]
        tokens = encoder(tf.constant([[*ids, special["end_of_segment_id"]]]))[1]
        np.testing.assert_allclose(vector, unit(np.mean(tokens, 1))[0], atol=1e-5)


def test_other_teachers_need_torch(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(
        ImportError, match=r"pip install 'albert_tf\[teacher\]'. Received: .*missing"
    ):
        teacher_vectors(tmp_path, ["a"])
    (tmp_path / "modules.json").write_text('[{"type": "sentence_transformers.models.Dense"}]')
    with pytest.raises(ValueError, match="may consist of Transformer, .*Received: .* with Dense"):
        teacher_vectors(tmp_path, ["a"])
    (tmp_path / "modules.json").unlink()
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode_max_tokens": true}')
    with pytest.raises(ValueError, match="mean of its tokens, or the first. Received: .*max"):
        teacher_vectors(tmp_path, ["a"])
