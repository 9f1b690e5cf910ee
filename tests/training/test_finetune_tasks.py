import gzip
import json
import shutil

import numpy as np
import pytest

from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.training.finetuning.recipes import recipe_for
from albert_tf.training.finetuning.tasks import TASK_NAMES, make_task
from tests import random_tiny
from tests.conftest import FIXTURES

SQUAD = FIXTURES / "squad"


def test_names():
    glue = ["cola", "sst-2", "mrpc", "sts-b", "qqp", "mnli", "qnli", "rte", "wnli"]
    own = ["classification", "multi-label", "regression", "tagging"]
    more = ["squad1.1", "squad2.0", "race", *own]
    assert set(glue + more) <= set(TASK_NAMES)
    assert make_task("SST-2", data_dir=FIXTURES / "glue", train_file=None).name == "sst-2"


@pytest.mark.parametrize(
    "name, data, message",
    [
        ("sst", {}, r"The task must be one of cola, sst-2, .*Received: 'sst'"),
        ("rte", {"pair_column": "b"}, "by data_dir, train_file, .*Received: pair_column"),
        ("rte", {}, "rte needs `data_dir`.* Received: neither"),
        ("race", {}, "RACE needs `data_dir`.* Received: none"),
        ("squad2.0", {}, "a folder with train-v2.0.json, or `train_file`. Received: neither"),
        (
            "squad1.1",
            {"train_file": SQUAD / "train-v2.0.json", "dev_file": SQUAD / "dev-v1.1.json"},
            "SQuAD 1.1 has an answer for each question. Received: .*Its task is squad2.0",
        ),
    ],
)
def test_errors(name, data, message):
    with pytest.raises(ValueError, match=message):
        make_task(name, **data)


def test_missing_files():
    with pytest.raises(FileNotFoundError, match="Received: no train file. Pass train_file"):
        make_task("classification", data_dir=FIXTURES)
    with pytest.raises(
        FileNotFoundError, match="The data file must exist.*--train_file=.*train.tsv"
    ):
        make_task("rte", data_dir=FIXTURES / "squad")


@pytest.mark.parametrize("name", ["classification", "regression", "multi-label", "tagging"])
def test_errors_about_files_name_the_flag(name, tmp_path):
    row = {"text": "a", "label": "1", "words": ["a"], "tags": ["x"]}
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps([row, {**row, "label": "2", "tags": ["y"]}]))
    bad.write_text(json.dumps([{}]))
    with pytest.raises(ValueError, match=rf"bad.json:item 1: .* \(--dev_file={bad}\)$"):
        make_task(name, train_file=good, dev_file=bad)
    with pytest.raises(FileNotFoundError, match=r"must exist. .* \(--test_file=none.csv\)$"):
        make_task(name, train_file=good, dev_file=good, test_file="none.csv")


def test_files_of_a_folder(tmp_path):
    (tmp_path / "train.conll").write_text("Ann B-PER\n\nleft O\n")
    (tmp_path / "dev.jsonl.gz").write_bytes(gzip.compress(b'{"words": "Ann", "tags": "O"}'))
    task = make_task("tagging", data_dir=tmp_path)
    assert task.labels == ("B-PER", "O") and task.splits["dev"][0].tags == ("O",)
    (tmp_path / "train.csv").touch()
    with pytest.raises(ValueError, match=r"one file for a split. .*train.csv, train.conll. Name"):
        make_task("tagging", data_dir=tmp_path)


def test_a_dev_set_of_the_training_examples(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("text,label\n" + "".join(f"text {i},{i % 2}\n" for i in range(20)))
    (tmp_path / "test.csv").write_text("text\nmore\n")
    task = make_task("classification", data_dir=tmp_path)
    with pytest.raises(ValueError, match=r"Received: no dev file. .*--dev_fraction=0.1"):
        task.split_dev(None, seed=0)
    told = task.split_dev(0.2, seed=0)
    assert list(task.splits) == ["train", "dev", "test"] and "0: 2 of 10, 1: 2 of 10" in told
    assert [len(x) for x in task.splits.values()] == [16, 4, 1]
    with pytest.raises(ValueError, match=r"dev_fraction=0.2 .* the dev set .*train.csv. Leave one"):
        task.split_dev(0.2, seed=0)
    assert task.split_dev(None, seed=0) == ""


def test_a_dev_set_of_squad_has_paragraphs_of_its_own():
    task = make_task("squad2.0", train_file=SQUAD / "train-v2.0.json")
    task.split_dev(0.5, seed=0)
    train, dev = task.splits["train"], task.splits["dev"]
    assert len(train) and len(dev) and not {e.context for e in train} & {e.context for e in dev}


def data_of(name, folder):
    """Where a task's data are, as `make_task` wants to know it."""
    if name == "squad2.0":
        return {f"{split}_file": SQUAD / f"{split}-v2.0.json" for split in ("train", "dev")}
    if name == "race":
        for split in ("train", "dev"):
            shutil.copytree(FIXTURES / "RACE" / "dev", folder / "RACE" / split)
        return {"data_dir": folder}
    if name == "tagging":
        row = {"words": ["Ann", "Lee", "sings"], "tags": ["B-PER", "I-PER", "O"]}
        short = {"words": ["Ann"], "tags": ["B-PER"]}
        for split in ("train", "dev"):
            lines = [json.dumps(x) + "\n" for x in (row, short)]
            (folder / f"{split}.jsonl").write_text("".join(lines))
        return {"data_dir": folder}
    if name == "multi-label":
        lines = [json.dumps({"text": "one", "label": names}) for names in (["a", "b"], [])]
        for split in ("train", "dev"):
            (folder / f"{split}.jsonl").write_text("\n".join(lines))
        return {"data_dir": folder}
    return {"data_dir": FIXTURES / "glue"}


def batch(name, folder):
    """(task, its recipe, inputs and targets of two rows: one to learn from, one to fill up)."""
    task = make_task(name, **data_of(name, folder))
    recipe = recipe_for(name, AlbertConfig(vocab_size=1000)).changed(
        max_seq_length=64, max_query_length=16, max_qa_length=32, head_dropout_rate=0.0
    )
    task.tokenizer = ReferenceTokenizer(random_tiny.SP_MODEL)
    rows = {**task.features("train", recipe).rows(0, 2), "is_real_example": [1, 0]}
    record = json.loads(json.dumps(task.record(recipe)))
    assert record["rules"] == "original" and record["task"] and record["seq_length"] == 64
    return task, recipe, *task.inputs_and_targets(rows)


TASKS = ("cola", "sts-b", "qqp", "qnli", "squad2.0", "race", "tagging", "multi-label")


@pytest.mark.parametrize("name", TASKS)
def test_losses_are_the_same_without_computing_padding(name, tmp_path):
    task, recipe, inputs, targets = batch(name, tmp_path)
    assert task.ignores_padding
    (loss,) = task.losses()[0].values()
    losses, weights = [], None
    for skip in (False, True):
        encoder = AlbertEncoder.from_checkpoint(
            random_tiny.CHECKPOINT,
            dropout_rate=0.0,
            attention_dropout_rate=0.0,
            skip_padding=skip,
        )
        model = task.build(encoder, recipe)
        weights = weights or model.get_weights()
        model.set_weights(weights)
        losses.append(float(loss(model(inputs, training=True), targets)))
    assert losses[0] > 0.0
    np.testing.assert_allclose(losses[1], losses[0], atol=1e-5)


@pytest.mark.parametrize("name", TASKS)
def test_model_losses_and_rows_fit_together(name, tmp_path):
    task, recipe, inputs, targets = batch(name, tmp_path)
    encoder = AlbertEncoder.from_checkpoint(random_tiny.CHECKPOINT)
    outputs = task.build(encoder, recipe)(inputs, training=True)
    (loss,) = task.losses()[0].values()
    assert float(loss.weights(targets)[1]) == 0.0
    assert float(loss(outputs, targets)) >= 0.0


def test_samples():
    task = make_task("rte", data_dir=FIXTURES / "glue")
    before = list(task.splits["train"])
    task.cut("train", 2)
    task.cut("dev", 100)
    assert len(task.splits["train"]) == 2 and len(task.splits["dev"]) == 2
    kept = [before.index(example) for example in task.splits["train"]]
    assert kept == sorted(kept) and task.splits["train"].labels
    with pytest.raises(ValueError, match="at least 1 example. Received: 0"):
        task.cut("train", 0)
