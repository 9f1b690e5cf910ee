import math

import numpy as np
import pytest

from albert_tf.config import AlbertConfig
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.training.finetuning.recipes import recipe_for
from albert_tf.training.finetuning.tasks import make_task
from tests import random_tiny
from tests.conftest import FIXTURES

RECIPE = recipe_for("own", AlbertConfig(vocab_size=1000)).changed(max_seq_length=32)


def prepared(name, **data):
    task = make_task(name, **data)
    task.tokenizer = ReferenceTokenizer(random_tiny.SP_MODEL)
    return task


def test_stsb_scores_and_submission(tmp_path):
    task = prepared("sts-b", data_dir=FIXTURES / "glue")
    train, test = task.features("train", RECIPE), task.features("test", RECIPE)
    labels = train["label_ids"]
    scores = task.scores("train", train, 3.0 * labels[:, None] - 1.0)
    assert scores == {"pearson": pytest.approx(1.0), "spearman": pytest.approx(1.0)}
    assert math.isnan(task.scores("train", train, np.ones([len(labels), 1]))["pearson"])
    outputs = np.linspace(-1.0, 7.0, test.num_rows)[:, None]
    (path,) = task.write_predictions(tmp_path, "test", test, outputs, {})
    lines = path.read_text().splitlines()
    assert path.name == "STS-B.tsv" and lines[0] == "index\tprediction"
    assert lines[1].endswith("\t0.0000") and lines[-1].endswith("\t5.0000")


def test_mnli_has_all_its_sets(tmp_path):
    task = prepared("mnli", data_dir=FIXTURES / "glue")
    further = {"test", "dev_mismatched", "test_mismatched", "diagnostic"}
    assert set(task.splits) == {"train", "dev", *further}
    names = {}
    for split in task.splits:
        features = task.features(split, RECIPE)
        outputs = np.tile([0.0, 0.0, 1.0], [features.num_rows, 1])
        names[split] = task.write_predictions(tmp_path, split, features, outputs, {})[0].name
        labeled = split in ("train", "dev", "dev_mismatched")
        assert bool(task.scores(split, features, outputs)) == labeled
    assert names["test"] == "MNLI-m.tsv" and names["test_mismatched"] == "MNLI-mm.tsv"
    assert names["diagnostic"] == "AX.tsv"
    assert (tmp_path / "AX.tsv").read_text().splitlines()[1].endswith("\tneutral")


def test_own_pairs(tmp_path):
    for split in ("train", "dev"):
        (tmp_path / f"{split}.csv").write_text(
            'id,a,b,stars\nx,"one, two",three,5\ny,four,five,1\n'
        )
    (tmp_path / "test.csv").write_text("id,a,b\nz,six,seven\n")
    columns = {"text_column": "a", "pair_column": "b", "label_column": "stars", "id_column": "id"}
    task = prepared("classification", data_dir=tmp_path, **columns)
    assert task.labels == ("1", "5") and task.pairs and task.best_metric == "accuracy"
    assert task.label_counts(task.features("train", RECIPE)).tolist() == [1, 1]
    features = task.features("test", RECIPE)
    (path,) = task.write_predictions(tmp_path / "out", "test", features, np.array([[0.0, 9.0]]), {})
    assert path.read_text() == "index\tprediction\tp(1)\tp(5)\nz\t5\t0.0001\t0.9999\n"
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["test.tsv"]
    with pytest.raises(ValueError, match=r"path of a local file. Received: .*gs:/bucket"):
        task.write_predictions("gs://bucket/out", "test", features, np.array([[0.0, 9.0]]), {})


def test_own_regression(tmp_path):
    for split in ("train", "dev"):
        (tmp_path / f"{split}.tsv").write_text("text\tlabel\none\t0.5\ntwo\t2\n")
    task = prepared("regression", data_dir=tmp_path)
    assert task.num_classes is None and task.best_metric == "rmse"
    scores = task.scores("dev", task.features("dev", RECIPE), np.array([[1.0], [2.0]]))
    assert scores["pearson"] == pytest.approx(1.0)
    assert scores["rmse"] == pytest.approx(math.sqrt(0.125)) and scores["mae"] == 0.25
