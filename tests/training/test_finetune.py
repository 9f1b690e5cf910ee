import json
import math
import re

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.checkpoints import read as reading
from albert_tf.encoder import AlbertEncoder
from albert_tf.training.engine.history import read_csv
from albert_tf.training.finetuning.collapse import TrainingCollapsed
from albert_tf.training.finetuning.finetune import finetune
from albert_tf.training.finetuning.options import FinetuneOptions
from albert_tf.training.finetuning.run import FinetuneRun
from albert_tf.training.finetuning.task import ranked
from albert_tf.training.finetuning.tasks import make_task
from tests import random_tiny
from tests.training.toy_task import learn, write_sst2


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_sst2(tmp_path_factory.mktemp("glue"))


@pytest.fixture(scope="module")
def learned(data, tmp_path_factory):
    """A complete run."""
    output = tmp_path_factory.mktemp("run") / "sst2"
    recipe = {"train_steps": 32, "batch_size": 10}
    return learn(data, output, recipe=recipe, evaluate_every=8, export=True)


def test_it_learns_and_writes_everything(learned):
    assert learned.scores["dev"]["accuracy"] == 1.0 and learned.scores["test"] == {}
    names = {path.name for path in learned.output.iterdir()}
    assert {"run.json", "states", "history.csv", "evaluations.csv", "metrics.json"} <= names
    assert {"predictions", "saved_model", "albert_config.json", "task.json", "cache"} <= names
    task = json.loads((learned.output / "task.json").read_text())
    assert task["rules"] == "original" and task["labels"] == ["0", "1"]
    assert task["problem_type"] == "single_label_classification" and task["name"] == "sst-2"
    metrics = json.loads((learned.output / "metrics.json").read_text())
    assert metrics["scores"]["dev"] == {"accuracy": 1.0} and metrics["steps"] == 32
    assert metrics["examples"] == {"train": 10, "dev": 10, "test": 10}


def test_submission_has_glues_format(learned):
    lines = (learned.output / "predictions" / "SST-2.tsv").read_text().splitlines()
    assert lines[0] == "index\tprediction" and lines[1:] == [
        f"{i}\t{int(i < 5)}" for i in range(10)
    ]
    first = (learned.output / "predictions" / "dev.tsv").read_text().splitlines()[0]
    assert first.split("\t") == ["index", "prediction", "label", "p(0)", "p(1)"]


def test_saved_model_answers_as_the_evaluation_did(learned):
    pytest.importorskip("tensorflow_text")
    serve = tf.saved_model.load(str(learned.output / "saved_model")).signatures["serving_default"]
    answer = serve(text=tf.constant(["a good film", "a bad film"]))
    assert answer["label"].numpy().tolist() == [b"1", b"0"]
    rows = (learned.output / "predictions" / "dev.tsv").read_text().splitlines()
    told = [float(x) for x in rows[1].split("\t")[3:]]
    np.testing.assert_allclose(answer["probabilities"][0], told, atol=1e-3)


def test_it_is_a_checkpoint_for_the_next_task(learned, data, tmp_path):
    config = AlbertEncoder.from_checkpoint(random_tiny.CHECKPOINT).albert_config
    best = learned.output / "states" / f"best-{learned.state.best_step:08d}"
    mine = learned.model.encoder.weights_by_name()
    for path in (best, learned.output):
        encoder = AlbertEncoder.from_checkpoint(path)
        assert encoder.restore_report.ok and encoder.albert_config == config
        for name, weight in encoder.weights_by_name().items():
            np.testing.assert_array_equal(weight, mine[name])
    options = FinetuneOptions(export=False, detect_collapse=False, tensorboard=False)
    recipe = {"train_steps": 1, "dropout_rate": 0.3}
    finetune("sst-2", tmp_path / "2", learned.output, data_dir=data, options=options, **recipe)
    # The recipe's dropout is not a property of the model: the third task's recipe decides anew.
    assert AlbertEncoder.from_checkpoint(tmp_path / "2").albert_config == config


def test_a_finished_run_only_answers_again(learned, data):
    recipe = {"train_steps": 32, "batch_size": 10}
    again = learn(data, learned.output, recipe=recipe, evaluate_every=8)
    assert again.scores == learned.scores and again.state.step == 32


def test_an_interrupted_run_ends_with_the_same_weights(data, tmp_path, monkeypatch):
    whole = learn(data, tmp_path / "whole")
    evaluate, calls = FinetuneRun._evaluate, []

    def dies(self):
        calls.append(None)
        if len(calls) == 2:
            raise KeyError("died")
        return evaluate(self)

    monkeypatch.setattr(FinetuneRun, "_evaluate", dies)
    with pytest.raises(KeyError, match="died"):
        learn(data, tmp_path / "cut")
    assert not (tmp_path / "cut" / "metrics.json").exists()
    monkeypatch.undo()
    resumed = learn(data, tmp_path / "cut")
    assert resumed.state.step == 12
    for a, b in zip(whole.model.get_weights(), resumed.model.get_weights()):
        np.testing.assert_array_equal(a, b)
    message = "as they were. Received: .* options.seed is 1, was 0. Use the earlier settings"
    with pytest.raises(ValueError, match=message):
        learn(data, tmp_path / "cut", seed=1)


def test_collapse_is_a_warning_with_advice_or_an_error(data, tmp_path, capsys):
    recipe = {"learning_rate": 1e-12, "train_steps": 2}
    how = {"recipe": recipe, "evaluate_every": 2, "detect_collapse": True}
    message = "All 10 dev predictions are class .* 2 classes: the accuracy of 0.500 .* Try"
    with pytest.raises(TrainingCollapsed, match=message):
        learn(data, tmp_path / "run", stop_on_collapse=True, **how)
    result = learn(data, tmp_path / "run", **how)  # The same run goes on without stopping.
    metrics = json.loads((result.output / "metrics.json").read_text())
    (warning,) = metrics["warnings"]
    assert re.search(message, warning) and "--learning_rate=3e-12" in warning
    assert f"WARNING: {warning}" in capsys.readouterr().out
    assert (result.output / "predictions" / "dev.tsv").is_file()
    with pytest.raises(ValueError, match="`stop_on_collapse` needs `detect_collapse`"):
        FinetuneOptions(stop_on_collapse=True, detect_collapse=False)


def test_best_metric_is_by_choice(data, tmp_path):
    with pytest.raises(ValueError, match="must be one of accuracy, loss. Received: 'auc'"):
        learn(data, tmp_path / "wrong", best_metric="auc")
    assert not list((tmp_path / "wrong" / "states").glob("step-*"))
    result = learn(data, tmp_path / "run", best_metric="loss")
    losses = read_csv(result.output / "evaluations.csv")["loss"]
    assert result.state.best_value == pytest.approx(min(losses))


def test_regression_does_not_export_a_constant_without_a_word(tmp_path):
    rows = "".join(f"{'a ' * i}film,{i}.5\n" for i in range(1, 6))
    for split in ("train", "dev"):
        (tmp_path / f"{split}.csv").write_text(f"text,label\n{rows}")
    recipe = {"learning_rate": 1e-12, "train_steps": 2}
    result = learn(None, tmp_path / "run", make_task("regression", data_dir=tmp_path), recipe)
    metrics = json.loads((result.output / "metrics.json").read_text())
    assert metrics["best_metric"] == "rmse"
    scores = metrics["scores"]["dev"]
    assert set(scores) == {"rmse", "mae", "pearson", "spearman"} and scores["rmse"] > 1.0
    assert "The dev predictions hardly vary: they have" in metrics["warnings"][0]


def test_a_part_of_the_training_set_to_score_on(tmp_path, capsys, monkeypatch):
    opened = []
    monkeypatch.setattr(reading, "read", lambda *x, read=reading.read: opened.append(x) or read(*x))
    rows = "".join(f"a {'good' if i % 4 else 'bad'} film {i},{int(i % 4 > 0)}\n" for i in range(24))
    (tmp_path / "train.csv").write_text(f"text,label\n{rows}")
    task = make_task("classification", data_dir=tmp_path)

    def run(fraction):
        recipe = {"train_steps": 2, "warmup_steps": 1}
        return learn(None, tmp_path / "run", task, recipe, dev_fraction=fraction)

    result = run(0.25)
    assert len(opened) == 1  # The checkpoint, for all that is wanted of it.
    assert "dev: 6 of 24 training examples set aside" in capsys.readouterr().out
    metrics = json.loads((result.output / "metrics.json").read_text())
    assert metrics["examples"] == {"train": 18, "dev": 6}
    assert json.loads((result.output / "run.json").read_text())["options.dev_fraction"] == 0.25
    rows = (result.output / "predictions" / "dev.tsv").read_text().splitlines()[1:]
    labels = [row.split("\t")[2] for row in rows]
    assert sorted(labels) == ["0"] + ["1"] * 5 or sorted(labels) == ["0", "0"] + ["1"] * 4
    assert "dev" not in task.splits  # The task may be used again, with another seed.
    with pytest.raises(ValueError, match=r"data.train is .*options.dev_fraction is 0.5, was 0.25"):
        run(0.5)


def test_refuses_to_start_from_nothing(data, tmp_path):
    with pytest.raises(ValueError, match="starts from a checkpoint. Received: none.*from_scratch"):
        finetune("sst-2", tmp_path / "run", data_dir=data)
    assert not (tmp_path / "run").exists()


def test_from_scratch(data, tmp_path):
    config = AlbertEncoder.from_checkpoint(random_tiny.CHECKPOINT).albert_config
    path = tmp_path / "config.json"
    path.write_text(config.to_json())
    result = finetune(
        make_task("sst-2", data_dir=data),
        tmp_path / "run",
        sp_model=random_tiny.SP_MODEL,
        config=path,
        from_scratch=True,
        options=FinetuneOptions(export=False, detect_collapse=False),
        train_steps=2,
        batch_size=16,  # More than there are rows: the batch is filled up.
    )
    assert result.state.step == 2 and result.recipe.warmup_proportion == 0.1


def test_what_saves_work_or_memory_changes_no_loss(data, tmp_path):
    recipe = {"dropout_rate": 0.0, "head_dropout_rate": 0.0}
    ways = {"plain": {}, "less work": {"skip_padding": True}, "less memory": {"recompute": True}}
    losses = {}
    for name, way in ways.items():
        learn(data, tmp_path / name, recipe=recipe, **{"skip_padding": False, **way})
        losses[name] = read_csv(tmp_path / name / "history.csv")["loss"]
    assert len(losses["plain"]) == 12
    np.testing.assert_allclose(losses["less work"], losses["plain"], atol=1e-5)
    np.testing.assert_allclose(losses["less memory"], losses["plain"], atol=1e-5)


def test_a_score_that_is_not_defined_is_the_worst():
    assert ranked({"pearson": math.nan, "loss": 1.0}) == {"pearson": -math.inf, "loss": 1.0}


@pytest.mark.slow
@pytest.mark.parametrize("task", ["cola", "sts-b", "mnli", "wnli"])
def test_glue_tasks_from_end_to_end(task, tmp_path):
    recipe = {"train_steps": 2, "batch_size": 4}
    result = learn("tests/fixtures/glue", tmp_path / task, task, recipe, precision="bfloat16")
    assert result.scores["dev"]
    names = {path.name for path in (tmp_path / task / "predictions").iterdir()}
    wanted = {"cola": "CoLA", "sts-b": "STS-B", "mnli": "MNLI-m", "wnli": "WNLI"}[task]
    assert f"{wanted}.tsv" in names
    if task == "mnli":
        assert {"MNLI-mm.tsv", "AX.tsv", "dev_mismatched.tsv"} <= names


@pytest.mark.slow
def test_two_devices_and_accumulation_give_the_same(data, tmp_path):
    recipe = {"train_steps": 4, "dropout_rate": 0.0, "head_dropout_rate": 0.0}
    one = learn(data, tmp_path / "one", recipe=recipe)
    two = learn(data, tmp_path / "two", recipe=recipe, strategy="mirrored", accumulate_steps=2)
    for a, b in zip(one.model.get_weights(), two.model.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-5)
