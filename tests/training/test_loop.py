import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import KERAS_3, keras
from albert_tf.lock import locked
from albert_tf.training.engine.callbacks import Callback
from albert_tf.training.engine.evaluation import evaluate_terms
from albert_tf.training.engine.history import History, read_csv
from albert_tf.training.engine.loop import MAX_SKIPPED, train
from albert_tf.training.engine.losses import SparseCrossEntropy
from albert_tf.training.engine.train_step import TrainStep
from albert_tf.training.optimizers.adamw_lamb import AdamW
from tests.training import small_run
from tests.training.small_run import make_data, make_step, weights_of

ROOT = pathlib.Path(__file__).parents[2]


class Record(Callback):
    def __init__(self):
        self.losses, self.calls = [], []

    def on_begin(self, run):
        self.run = run

    def on_steps(self, logs):
        self.losses += list(logs["loss"])
        self.calls.append(len(logs["step"]))

    def on_evaluation(self, step, metrics):
        self.calls.append(("evaluation", step))


def start(output, num_steps, environment=(), /, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.training.run_in_process", str(output), str(num_steps)]
        + [f"{name}={value}" for name, value in options.items()],
        cwd=ROOT,
        env={**os.environ, **dict(environment)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process, expected=0):
    output, _ = process.communicate(timeout=300)
    assert process.returncode == expected, output
    return output


def files(directory, step):
    with np.load(directory / "states" / f"step-{step:08d}" / "weights.npz") as weights:
        with np.load(directory / "states" / f"step-{step:08d}" / "optimizer.npz") as state:
            return {**weights, **state}


def test_learns(tmp_path):
    # At the other tests' rate, rounding errors decide what this ends with.
    step = make_step(num_steps=400, learning_rate=0.006)
    train(step, make_data, 400, tmp_path)
    scores = evaluate_terms(step, make_data)
    assert scores["loss"] < 0.1 and scores["accuracy"] > 0.9


def test_stops_for_events(tmp_path):
    record = Record()
    step = make_step(num_steps=30)
    state = train(
        step,
        make_data,
        30,
        tmp_path,
        steps_per_loop=4,
        save_every=10,
        evaluate=lambda: {"score": 1.0},
        evaluate_every=15,
        callbacks=[record],
    )
    # Five steps an epoch; never across an epoch, a saved state or an evaluation.
    assert record.calls == [
        4, 1, 4, 1, 4, 1, ("evaluation", 15), 4, 1, 4, 1, 4, 1, ("evaluation", 30)
    ]  # fmt: skip
    numbers = {"step": 0, "num_steps": 30, "batch_size": 8, "tokens_per_step": 64}
    assert record.run == {**numbers, "warnings": {}}
    assert (state.step, state.epoch, state.batch, state.stopped_by) == (30, 5, 5, None)
    assert sorted(os.listdir(tmp_path / "states")) == ["step-00000020", "step-00000030"]


def test_goes_on_where_it_was_and_is_done_when_it_is_done(tmp_path):
    def run(output, num_steps, record):
        step = make_step(dropout=0.2)
        train(step, make_data, num_steps, output, save_every=7, callbacks=[record])
        return weights_of(step.model)

    whole, first, second, third = (Record() for _ in range(4))
    expected = run(tmp_path / "whole", 17, whole)
    run(tmp_path / "parts", 8, first)
    result = run(tmp_path / "parts", 17, second)
    np.testing.assert_array_equal(result, expected)
    assert first.losses + second.losses == whole.losses
    again = run(tmp_path / "parts", 17, third)
    np.testing.assert_array_equal(again, expected)
    assert third.losses == []


@pytest.mark.skipif(not KERAS_3, reason="Dropout of Keras 2 keeps its state where none can read it")
def test_state_of_keras_dropout_goes_on_too(tmp_path):
    def run(output, num_steps):
        keras.utils.set_random_seed(3)
        model = keras.Sequential(
            [keras.Input([2]), keras.layers.Dropout(0.5), keras.layers.Dense(2)]
        )
        step = TrainStep(model, {"loss": SparseCrossEntropy()}, AdamW(0.1))
        examples = tf.data.Dataset.from_tensors((tf.ones([4, 2]), tf.constant([0, 1, 1, 1])))
        train(step, lambda seed, epoch: examples, num_steps, output)
        return weights_of(model)

    expected = run(tmp_path / "whole", 6)
    run(tmp_path / "parts", 3)
    np.testing.assert_array_equal(run(tmp_path / "parts", 6), expected)


@pytest.mark.slow
@pytest.mark.parametrize("kill_at", [3, 11])
def test_killed_and_resumed_equals_uninterrupted_bit_for_bit(tmp_path, kill_at):
    processes = [
        start(tmp_path / "whole", 14),
        start(tmp_path / "killed", 14, kill_at=kill_at),
    ]
    finish(processes[0])
    finish(processes[1], -signal.SIGKILL)
    finish(start(tmp_path / "killed", 14))
    whole, killed = files(tmp_path / "whole", 14), files(tmp_path / "killed", 14)
    assert whole.keys() == killed.keys() and len(whole) > 75
    for name, values in whole.items():
        np.testing.assert_array_equal(killed[name], values, err_msg=name)
    for name in ("history.csv", "evaluations.csv"):
        assert (tmp_path / "whole" / name).read_text() == (tmp_path / "killed" / name).read_text()
    assert read_csv(tmp_path / "killed" / "history.csv")["step"] == list(range(1, 15))


@pytest.mark.slow
def test_sigterm_saves_and_goes_on(tmp_path):
    whole = start(tmp_path / "whole", 9)
    output = finish(start(tmp_path / "stopped", 9, kill_at=2, signal="SIGTERM"))
    assert "stopped_by='interrupted'" in output
    # Noticed after the next call: steps 1-3, then 4, where a state was due.
    assert max(p.name for p in (tmp_path / "stopped" / "states").iterdir()) == "step-00000004"
    assert "stopped_by=None" in finish(start(tmp_path / "stopped", 9))
    finish(whole)
    a, b = files(tmp_path / "whole", 9), files(tmp_path / "stopped", 9)
    for name, values in a.items():
        np.testing.assert_array_equal(b[name], values, err_msg=name)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("localhost", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def start_two(output, num_steps, second=()):
    workers = [f"localhost:{port}" for port in free_ports(2)]
    config = {"cluster": {"worker": workers}}
    return [
        start(
            output,
            num_steps,
            {"TF_CONFIG": json.dumps({**config, "task": {"type": "worker", "index": index}})},
            **{"strategy": "multiworker", "dropout": 0.0, **(dict(second) if index else {})},
        )
        for index in range(2)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mirrored", "multiworker"])
def test_two_devices_or_processes_equal_one_device(tmp_path, kind):
    one = start(tmp_path / "one", 8, dropout=0.0)
    if kind == "mirrored":
        finish(start(tmp_path / "two", 8, dropout=0.0, strategy="mirrored"))
    else:
        outputs = [finish(p) for p in start_two(tmp_path / "two", 8)]
        assert ["result True" in output for output in outputs] == [True, False]
    finish(one)
    expected = read_csv(tmp_path / "one" / "history.csv")
    result = read_csv(tmp_path / "two" / "history.csv")
    assert len(result["loss"]) == 8
    for name, values in expected.items():
        np.testing.assert_allclose(result[name], values, atol=1e-5, err_msg=name)
    expected = read_csv(tmp_path / "one" / "evaluations.csv")
    result = read_csv(tmp_path / "two" / "evaluations.csv")
    for name, values in expected.items():
        np.testing.assert_allclose(result[name], values, atol=1e-5, err_msg=name)
    weights = files(tmp_path / "two", 8)
    for name, values in files(tmp_path / "one", 8).items():
        np.testing.assert_allclose(weights[name], values, atol=1e-5, err_msg=name)


@pytest.mark.slow
def test_one_of_two_processes_is_asked_to_stop(tmp_path):
    for process in start_two(tmp_path, 9, second={"kill_at": 2, "signal": "SIGTERM"}):
        assert "stopped_by='interrupted'" in finish(process)
    for process in start_two(tmp_path, 9):
        assert "step=9" in finish(process)


@pytest.mark.slow
def test_workers_that_start_differently_are_refused(tmp_path):
    for name, second, message in (
        ("seed", {"seed": 5}, "data_seed is 5 on worker 1, 4 on worker 0"),
        ("weights", {"change": 1e-3}, "the digest of all weights is"),
        ("place", {"output": tmp_path / "elsewhere"}, "All workers must see the same output dir"),
    ):
        for process in start_two(tmp_path / name, 9, second=second):
            output, _ = process.communicate(timeout=300)
            assert process.returncode == 1 and message in output, output
        assert not list((tmp_path / name).glob("states/step-*"))


@pytest.mark.slow
def test_a_chief_that_cannot_begin_ends_all(tmp_path):
    with locked(tmp_path / "states"):
        for process in start_two(tmp_path, 9):
            output, _ = process.communicate(timeout=300)
            assert process.returncode == 1 and "Only one process at a time may write" in output


@pytest.mark.slow
def test_a_lost_worker_is_told_in_words(tmp_path):
    first, second = start_two(tmp_path, 2000, second={"kill_at": 9, "signal": "SIGKILL"})
    assert second.wait(300) == -signal.SIGKILL
    output, _ = first.communicate(timeout=300)
    assert first.returncode == 1 and "ConnectionError: All workers must be there until" in output


def test_ties_are_broken_by_the_lower_loss(tmp_path):
    evaluations = iter([(3, 0.5), (3, 0.2), (2, 0.1), (3, 0.3), (3, 0.2)])
    state = train(
        small_run.make_step(),
        small_run.make_data,
        10,
        tmp_path,
        evaluate=lambda: dict(zip(("score", "loss"), next(evaluations))),
        evaluate_every=2,
        best_metric="score",
        tie_breaker="loss",
    )
    assert (state.best_step, state.best_value, state.best_tie) == (4, 3.0, 0.2)
    assert state.evaluations_without_gain == 4


@pytest.mark.parametrize("best_is, scores", [("max", [1, 3, 2, 3]), ("min", [3, 1, 2, 1])])
def test_best_weights_and_early_stop(tmp_path, best_is, scores):
    step = make_step()
    seen = []

    def evaluate():
        seen.append(weights_of(step.model))
        return {"score": scores[len(seen) - 1]}

    options = {
        "evaluate": evaluate,
        "evaluate_every": 2,
        "best_metric": "score",
        "best_is": best_is,
        "patience": 2,
    }
    state = train(step, make_data, 20, tmp_path, **options)
    assert (state.step, state.best_step, state.best_value) == (8, 4, scores[1])
    assert state.stopped_by == "early stop"
    np.testing.assert_array_equal(weights_of(step.model), seen[1])
    assert (tmp_path / "states" / "best-00000004" / "weights.npz").exists()
    assert not (tmp_path / "states" / "best-00000002").exists()

    other = make_step()
    again = train(other, make_data, 20, tmp_path, **options)
    assert again == state and len(seen) == 4
    np.testing.assert_array_equal(weights_of(other.model), seen[1])


def not_a_number(seed, epoch):
    dataset = make_data(seed, epoch)
    return dataset.map(lambda x, y: (x, {**y, "weights": y["weights"] * float("nan")}))


def test_stops_when_the_loss_is_not_finite(tmp_path):
    step = make_step()
    before = weights_of(step.model)
    with pytest.raises(FloatingPointError, match="Received: loss nan at step 1, 1 such step"):
        train(step, not_a_number, 5, tmp_path)
    np.testing.assert_array_equal(weights_of(step.model), before)
    step = make_step(dtype="mixed_float16")
    with pytest.raises(FloatingPointError, match=f"{MAX_SKIPPED + 1} such step"):
        train(step, not_a_number, 200, tmp_path)


def test_refuses_the_state_of_another_run(tmp_path):
    train(make_step(), make_data, 2, tmp_path, seed=1)
    with pytest.raises(ValueError, match="data_seed is 2, was 1"):
        train(make_step(), make_data, 4, tmp_path, seed=2)


def test_an_epoch_that_is_too_short_is_an_error(tmp_path):
    def shrinking(seed, epoch):
        return make_data(seed, epoch).take(5 - epoch)

    with pytest.raises(ValueError, match="Epoch 1 must have 5 batches.*Received: fewer"):
        train(make_step(), shrinking, 20, tmp_path)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"num_steps": 0}, "`num_steps` must be positive. Received: 0"),
        ({"steps_per_loop": 0}, "`steps_per_loop` must be positive. Received: 0"),
        ({"best_is": "high"}, "`best_is` must be 'max' or 'min'. Received: 'high'"),
        ({"best_metric": "f1"}, "need `evaluate`. Received: None"),
        ({"patience": 2, "evaluate": dict}, "`patience` needs `best_metric`. Received: None"),
        ({"best_metric": "f1", "evaluate": lambda: {"a": 1.0, "b": 2.0}}, "one of a, b. Received"),
    ],
)
def test_errors(tmp_path, options, message):
    options = {"num_steps": 1, **options}
    with pytest.raises(ValueError, match=message):
        train(make_step(), make_data, options.pop("num_steps"), tmp_path, **options)


def test_history_is_written_while_it_runs(tmp_path):
    train(make_step(num_steps=4), make_data, 4, tmp_path, callbacks=[History(tmp_path)])
    table = read_csv(tmp_path / "history.csv")
    assert list(table) == ["step", "loss", "accuracy", "grad_norm", "learning_rate"]
    np.testing.assert_allclose(table["learning_rate"], [0.0, 0.01, 0.01, 0.005], rtol=1e-6)


def test_small_run_is_repeatable():
    first, second = (tf.nest.flatten(next(iter(make_data(1, 2)))) for _ in range(2))
    for a, b in zip(first, second):
        np.testing.assert_array_equal(a, b)
    assert np.array_equal(weights_of(small_run.make_model()), weights_of(small_run.make_model()))
