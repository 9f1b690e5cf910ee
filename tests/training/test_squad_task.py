import json

import numpy as np

from albert_tf.config import AlbertConfig
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.training.finetuning.recipes import recipe_for
from albert_tf.training.finetuning.tasks import make_task
from tests import random_tiny
from tests.conftest import FIXTURES

RECIPE = recipe_for("squad2.0", AlbertConfig(vocab_size=1000)).changed(
    max_seq_length=64, max_query_length=16, doc_stride=24
)


def prepared(name, train, dev, **more):
    files = {"train_file": FIXTURES / "squad" / train, "dev_file": FIXTURES / "squad" / dev}
    task = make_task(name, **files, **more)
    task.tokenizer = ReferenceTokenizer(random_tiny.SP_MODEL)
    return task


def test_version_2(tmp_path):
    dev = FIXTURES / "squad" / "dev-v2.0.json"
    task = prepared("squad2.0", "train-v2.0.json", "dev-v2.0.json", test_file=dev)
    train = task.features("train", RECIPE)
    rows = {**train.rows(0, 2), "is_real_example": np.ones(2)}
    inputs, targets = task.inputs_and_targets(rows)
    assert {"p_mask", "start_positions"} <= set(inputs) and "cls_logits" in targets
    features = task.features("dev", RECIPE)
    rows = features.num_rows
    outputs = {
        "start_top_log_probs": np.zeros([rows, 2]),
        "start_top_index": np.full([rows, 2], 20),
        "end_top_log_probs": np.zeros([rows, 4]),
        "end_top_index": np.full([rows, 4], 21),
        "cls_logits": np.ones([rows]),
    }
    scores = {"dev": task.scores("dev", features, outputs), "test": {}}
    # Nothing is right, so it is best to answer nothing.
    assert scores["dev"]["f1"] == scores["dev"]["NoAns_f1"] * 4 / 22
    for split in ("dev", "test"):  # The second one uses the threshold of the first.
        paths = task.write_predictions(tmp_path, split, features, outputs, scores)
        names = [path.name for path in paths]
        assert names == ["nbest_predictions.json", "null_odds.json", "predictions.json"]
        answers = json.loads((tmp_path / split / "predictions.json").read_text())
        assert set(answers.values()) == {""}


def test_version_1(tmp_path):
    task = prepared("squad1.1", "dev-v1.1.json", "dev-v1.1.json")
    assert "p_mask" not in task.inputs(task.features("dev", RECIPE).rows(0, 1))
    features = task.features("dev", RECIPE)
    logits = np.zeros([features.num_rows, 64])
    scores = task.scores("dev", features, {"start_logits": logits, "end_logits": logits})
    assert set(scores) == {"exact_match", "f1", "total", "unanswered"}
