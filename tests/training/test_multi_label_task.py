"""A small run with several labels a text, from its files to its SavedModel."""

import json

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.checkpoints.task_head import restore_task_head
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.text.preprocessor import Preprocessor
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.training.finetuning.data import TrainingData
from albert_tf.training.finetuning.recipes import recipe_for
from albert_tf.training.finetuning.tasks import make_task
from tests import random_tiny
from tests.training.toy_task import learn

TEXTS = {
    "good and short": ["good", "short"],
    "good": ["good"],
    "short": ["short"],
    "truly": [],
    "so good": ["good"],
    "it is short": ["short"],
    "short but good": ["good", "short"],
    "it is": [],
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    rows = [json.dumps({"text": text, "label": labels}) for text, labels in TEXTS.items()]
    (folder / "train.jsonl").write_text("\n".join(rows))
    lines = [f"{text},{'|'.join(labels)}" for text, labels in TEXTS.items()]
    (folder / "dev.csv").write_text("\n".join(["text,label", *lines, ""]))
    (folder / "test.csv").write_text("text\nso short\n")
    return folder


@pytest.fixture(scope="module")
def learned(data, tmp_path_factory):
    output = tmp_path_factory.mktemp("run") / "out"
    recipe = {"train_steps": 60, "batch_size": 8}
    task = make_task("multi-label", data_dir=data)
    return learn(None, output, task, recipe, evaluate_every=30, save_every=60, export=True)


def test_it_learns_and_writes_everything(learned):
    scores = learned.scores["dev"]
    assert list(scores) == ["f1_micro", "f1_macro", "subset_accuracy"] and scores["f1_micro"] > 0.8
    rows = (learned.output / "predictions" / "dev.tsv").read_text().splitlines()
    assert rows[0].split("\t") == ["index", "prediction", "label", "p(good)", "p(short)"]
    assert [row.split("\t")[2] for row in rows[1:]] == ["|".join(x) for x in TEXTS.values()]
    exact = [row.split("\t")[1] == row.split("\t")[2] for row in rows[1:]]
    assert np.mean(exact) == scores["subset_accuracy"]
    test = (learned.output / "predictions" / "test.tsv").read_text().splitlines()
    assert test[0].split("\t") == ["index", "prediction", "p(good)", "p(short)"] and len(test) == 2
    assert json.loads((learned.output / "metrics.json").read_text())["best_metric"] == "f1_micro"
    task = json.loads((learned.output / "task.json").read_text())
    assert task == {
        "task": "multi_label",
        "name": "multi-label",
        "rules": "original",
        "seq_length": 128,
        "problem_type": "multi_label_classification",
        "text_inputs": ["text"],
        "labels": ["good", "short"],
        "thresholds": [0.5, 0.5],
    }


def test_its_saved_model_serves_sigmoids(learned):
    pytest.importorskip("tensorflow_text")
    loaded = tf.saved_model.load(str(learned.output / "saved_model"))
    answer = loaded.signatures["serving_default"](text=tf.constant(list(TEXTS)))
    rows = (learned.output / "predictions" / "dev.tsv").read_text().splitlines()[1:]
    names = ("good", "short")
    expected = [[n in row.split("\t")[1].split("|") for n in names] for row in rows]
    assert answer["predictions"].numpy().tolist() == expected
    told = [[float(x) for x in row.split("\t")[3:]] for row in rows]
    assert np.ptp(told) > 0.5
    np.testing.assert_allclose(answer["probabilities"], told, atol=1e-3)
    assert loaded.labels().numpy().tolist() == [b"good", b"short"]


def test_the_run_tells_the_next_model(learned):
    model = AlbertClassifier(AlbertEncoder.from_checkpoint(learned.output), 2)
    restore_task_head(model, learned.output)
    assert (model.problem_type, model.rules) == ("multi_label_classification", "original")
    pytest.importorskip("tensorflow_text")
    # The vocabulary lies beside task.json.
    assert Preprocessor(learned.output / "sentencepiece.model").rules == "original"


def test_as_many_labels_as_tokens_stay_whole(tmp_path):
    """Rows of tokens are trimmed to the longest; rows of labels must not be."""
    names = [f"l{i:02}" for i in range(16)]
    rows = [json.dumps({"text": "good", "label": names[i : i + 4]}) for i in range(0, 16, 4)]
    for split in ("train", "dev"):
        (tmp_path / f"{split}.jsonl").write_text("\n".join(rows))
    task = make_task("multi-label", data_dir=tmp_path)
    task.tokenizer = ReferenceTokenizer(random_tiny.SP_MODEL)
    recipe = recipe_for("own", AlbertConfig(vocab_size=1000)).changed(
        max_seq_length=16, batch_size=4
    )
    training = TrainingData(task, recipe, tmp_path / "cache", random_tiny.SP_MODEL)
    inputs, targets = next(iter(training.batches(0, 0)))
    assert inputs["input_word_ids"].shape == (4, 8) and targets["labels"].shape == (4, 16)
    assert tf.reduce_sum(targets["labels"], 0).numpy().tolist() == [1] * 16


def test_the_threshold_decides_and_is_a_part_of_the_run(data, tmp_path):
    task = make_task("multi-label", data_dir=data, threshold=0.9)
    task.tokenizer = ReferenceTokenizer(random_tiny.SP_MODEL)
    recipe = recipe_for("own", AlbertConfig(vocab_size=1000)).changed(max_seq_length=16)
    features = task.features("dev", recipe)
    outputs = np.where(features["label_ids"], 2.0, -2.0)  # Probabilities of 0.88 and 0.12.
    assert task.scores("dev", features, outputs)["f1_micro"] == 0.0
    assert task.scores("dev", features, 2 * outputs)["f1_micro"] == 1.0
    assert task.settings == {"threshold": 0.9}
    with pytest.raises(ValueError, match="`threshold` must be between 0 and 1. Received: 1.0"):
        make_task("multi-label", data_dir=data, threshold=1.0)
    with pytest.raises(ValueError, match="classification is told .*Received: threshold"):
        make_task("classification", data_dir=data, threshold=0.5)
