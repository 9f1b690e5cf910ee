import json
import shutil

import numpy as np

from albert_tf.config import AlbertConfig
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.training.finetuning.recipes import recipe_for
from albert_tf.training.finetuning.tasks import make_task
from tests import random_tiny
from tests.conftest import FIXTURES


def test_race(tmp_path):
    for split in ("train", "dev", "test"):
        shutil.copytree(FIXTURES / "RACE" / "dev", tmp_path / "RACE" / split)
    task = make_task("race", data_dir=tmp_path)
    assert set(task.splits) == {"train", "dev", "test"}
    assert set(make_task("race-high", data_dir=tmp_path).splits["dev"].files) < set(
        task.splits["dev"].files
    )
    task.tokenizer = ReferenceTokenizer(random_tiny.SP_MODEL)
    recipe = recipe_for("race", AlbertConfig(vocab_size=1000))
    features = task.features("dev", recipe.changed(max_seq_length=64, max_qa_length=24))
    outputs = np.eye(4)[features["label_ids"]]
    scores = task.scores("dev", features, outputs)
    assert scores == {"accuracy": 1.0, "accuracy_middle": 1.0, "accuracy_high": 1.0}
    assert task.label_counts(features).sum() == len(task.splits["dev"])
    (path,) = task.write_predictions(tmp_path / "out", "dev", features, outputs, {"dev": scores})
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(rows) == len(task.splits["dev"])
    assert all(row["prediction"] == row["answer"] for row in rows)
    assert len({(row["level"], row["id"], row["question"]) for row in rows}) == len(rows)


def test_without_a_test_split(tmp_path):
    for split in ("train", "dev"):
        shutil.copytree(FIXTURES / "RACE" / "dev", tmp_path / "RACE" / split)
    assert set(make_task("race-middle", data_dir=tmp_path).splits) == {"train", "dev"}
