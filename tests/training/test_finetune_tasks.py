import pytest

from albert_tf import default_model
from albert_tf.encoder import AlbertEncoder
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.training.finetune_tasks import TASK_NAMES, make_task
from albert_tf.training.recipes import recipe_for
from tests.conftest import FIXTURES

SQUAD = FIXTURES / "squad"


def test_names():
    glue = ["cola", "sst-2", "mrpc", "sts-b", "qqp", "mnli", "qnli", "rte", "wnli"]
    more = ["squad1.1", "squad2.0", "race", "classification", "regression", "tagging"]
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
    with pytest.raises(FileNotFoundError, match="The data file must exist"):
        make_task("rte", data_dir=FIXTURES / "squad")


TASKS = {
    **{name: {"data_dir": FIXTURES / "glue"} for name in ("cola", "sts-b", "qqp", "qnli")},
    "squad2.0": {
        "train_file": SQUAD / "train-v2.0.json",
        "dev_file": SQUAD / "dev-v2.0.json",
    },
}


@pytest.mark.parametrize("name", TASKS)
def test_model_losses_and_rows_fit_together(name):
    task = make_task(name, **TASKS[name])
    encoder = AlbertEncoder.from_checkpoint(default_model.CHECKPOINT)
    recipe = recipe_for(name, encoder.albert_config).changed(max_seq_length=64, max_query_length=16)
    task.tokenizer = ReferenceTokenizer(default_model.SP_MODEL)
    features = task.features("train", recipe)
    rows = features.rows(0, 2)
    inputs, targets = task.inputs_and_targets({**rows, "is_real_example": [1, 0]})
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
