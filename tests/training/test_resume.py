"""Runs that are interrupted, killed, damaged or started twice end as if nothing had happened."""

import json
import os
import shutil
import signal

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import keras
from albert_tf.lock import locked
from albert_tf.training.engine.callbacks import Callback
from albert_tf.training.engine.history import History
from albert_tf.training.engine.loop import train
from albert_tf.training.engine.losses import SparseCrossEntropy
from albert_tf.training.engine.stopwatch import Stopwatch
from albert_tf.training.engine.train_step import TrainStep
from albert_tf.training.optimizers.adamw_lamb import AdamW


class At(Callback):
    """Does something after a step, or after an evaluation."""

    def __init__(self, step, action, evaluation=False):
        self.step, self.action, self.evaluation = step, action, evaluation

    def on_steps(self, logs):
        if self.step in logs["step"] and not self.evaluation:
            self.action()

    def on_evaluation(self, step, metrics):
        if step == self.step and self.evaluation:
            self.action()


def data(seed, epoch):
    random = np.random.RandomState(100 * seed + epoch)
    examples = random.normal(size=[8, 2]).astype(np.float32), random.randint(0, 2, 8)
    return tf.data.Dataset.from_tensor_slices(examples).batch(2, drop_remainder=True)


def run(output, callback=None, scores=(1, 3, 2, 2, 2), num_steps=12, **changes):
    """12 steps, evaluated at 2, 4, ...; the best is that of step 4, and patience ends it at 8."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(2)])
    step = TrainStep(model, {"loss": SparseCrossEntropy()}, AdamW(0.1))

    def evaluate():
        done = int(step.optimizer.iterations.numpy())
        return {"score": scores[done // 2 - 1], "sum": float(np.sum(model.get_weights()[0]))}

    options = {
        "steps_per_loop": 2,
        "save_every": 3,
        "evaluate": evaluate,
        "evaluate_every": 2,
        "best_metric": "score",
        "patience": 2,
    }
    callbacks = [History(output), *([callback] if callback else [])]
    state = train(step, data, num_steps, output, callbacks=callbacks, **{**options, **changes})
    return state, model.get_weights()


def content_of(output):
    """{path: text, or arrays, without their names, which Keras numbers}."""
    content = {}
    for path in output.rglob("*"):
        if path.suffix == ".npz":
            with np.load(path) as arrays:
                content[str(path.relative_to(output))] = [arrays[name] for name in arrays.files]
        elif path.is_file() and path.name != "seconds.txt":
            content[str(path.relative_to(output))] = path.read_text()
    return content


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(directory, state, weights) of a run that nothing happened to."""
    output = tmp_path_factory.mktemp("whole")
    return output, *run(output)


def check_same(output, result, whole):
    state, weights = result
    expected_output, expected_state, expected_weights = whole
    assert state == expected_state
    for a, b in zip(weights, expected_weights):
        np.testing.assert_array_equal(a, b)
    ours, theirs = content_of(output), content_of(expected_output)
    assert ours.keys() == theirs.keys() and len(ours) == 10
    for name, content in theirs.items():
        np.testing.assert_equal(ours[name], content, err_msg=name)


def test_what_the_others_are_compared_with(whole):
    output, state, _ = whole
    assert (state.step, state.best_step, state.stopped_by) == (8, 4, "early stop")
    assert (output / "evaluations.csv").read_text().count("\n") == 5


def interrupt():
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("at", [2, 3, 4, 6])
def test_an_interrupted_evaluation_is_made_up_for(tmp_path, whole, at):
    """At 2 and 4 the best weights are chosen, at 6 patience begins; 3 is for comparison."""
    # The step after the signal is still done, on all processes.
    state, _ = run(tmp_path, At(at - 1, interrupt), steps_per_loop=1)
    assert (state.stopped_by, state.step) == ("interrupted", at)
    check_same(tmp_path, run(tmp_path), whole)


def test_interrupted_again_and_again(tmp_path, whole):
    for at in range(1, 8):
        state, _ = run(tmp_path, At(at, interrupt), steps_per_loop=1)
    check_same(tmp_path, run(tmp_path), whole)


class Killed(BaseException):
    pass


def kill():
    raise Killed


@pytest.mark.parametrize("at", [2, 4, 8])
@pytest.mark.parametrize("evaluation", [False, True])
def test_killed_before_or_after_an_evaluation(tmp_path, whole, at, evaluation):
    with pytest.raises(Killed):
        run(tmp_path, At(at, kill, evaluation))
    check_same(tmp_path, run(tmp_path), whole)


def test_interrupted_and_then_killed_in_the_evaluation_that_is_made_up_for(tmp_path, whole):
    run(tmp_path, At(3, interrupt), steps_per_loop=1)
    with pytest.raises(Killed):
        run(tmp_path, At(4, kill, evaluation=True))
    check_same(tmp_path, run(tmp_path), whole)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("damage", [flip, cut, os.unlink])
@pytest.mark.parametrize("name", ["weights.npz", "optimizer.npz", "progress.json"])
def test_a_damaged_newest_state_is_put_aside(tmp_path, whole, name, damage):
    run(tmp_path, At(5, interrupt), steps_per_loop=1)
    assert {"step-00000004", "step-00000006"} <= {p.name for p in (tmp_path / "states").iterdir()}
    path = tmp_path / "states" / "step-00000006" / name
    if damage is flip and name == "progress.json":
        path.write_text(path.read_text().replace('"epoch"', '"fpoch"'))
    else:
        damage(path)
    with pytest.warns(UserWarning, match=f"{name if damage is not flip else 'step-00000006'}.*"):
        result = run(tmp_path)
    aside = tmp_path / "states" / "step-00000006.damaged"
    assert aside.is_dir()
    shutil.rmtree(aside)
    check_same(tmp_path, result, whole)


def test_damaged_best_weights_are_made_again(tmp_path, whole):
    run(tmp_path, At(3, interrupt), steps_per_loop=1)
    with pytest.raises(Killed):  # The evaluation after step 4 is saved, that after 6 is not.
        run(tmp_path, At(6, kill))
    flip(tmp_path / "states" / "best-00000004" / "weights.npz")
    assert sorted(p.name for p in (tmp_path / "states").glob("step-*"))[0] == "step-00000003"
    with pytest.warns(UserWarning, match="best-00000004/weights.npz.*from the state before it"):
        result = run(tmp_path)
    shutil.rmtree(tmp_path / "states" / "step-00000004.damaged")
    check_same(tmp_path, result, whole)


def test_without_a_whole_state_it_says_what_to_do(tmp_path):
    run(tmp_path)
    for path in (tmp_path / "states").glob("step-*/progress.json"):
        path.write_text("{")
    with pytest.raises(ValueError, match="Received: none. .*step-00000006.*delete this one to"):
        run(tmp_path)
    assert len(list((tmp_path / "states").glob("step-????????"))) == 2


def test_another_process_in_the_same_directory_is_refused(tmp_path):
    with locked(tmp_path / "states"):
        with pytest.raises(BlockingIOError, match="Only one process at a time may write"):
            run(tmp_path)
    assert not (tmp_path / "history.csv").exists()


def test_another_run_s_state_is_refused_by_what_differs(tmp_path):
    run(tmp_path, num_steps=2, seed=1)
    message = "Received: for the one in .*states' data_seed is 2, was 1. Use the earlier settings"
    with pytest.raises(ValueError, match=message):
        run(tmp_path, seed=2)


def test_a_url_is_no_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(1)
    with pytest.raises(ValueError, match="path of a local directory. Received: 'gs://bucket/run'"):
        run("gs://bucket/run")
    assert os.listdir(tmp_path) == []


class Warns(Callback):
    def __init__(self, told):
        self.told = told

    def on_begin(self, run):
        self.warnings = run["warnings"]

    def on_steps(self, logs):
        if "late" not in self.warnings:
            self.warnings["late"] = "It is late."
            self.told.append(int(logs["step"][-1]))


def test_warnings_are_kept_over_calls(tmp_path):
    told = []
    run(tmp_path, Warns(told), num_steps=2)
    state, _ = run(tmp_path, Warns(told), num_steps=4)
    assert told == [2] and state.warnings == {"late": "It is late."}


def test_the_time_is_that_of_all_calls(tmp_path):
    times = iter([0.0, 60.0, 90.0, 1000.0, 1030.0, 1031.0])
    first = Stopwatch(tmp_path, clock=lambda: next(times))
    assert first.seconds == 60.0
    first.note()
    second = Stopwatch(tmp_path, clock=lambda: next(times))
    assert second.seconds == 120.0
    (tmp_path / "seconds.txt").write_text("half")
    assert Stopwatch(tmp_path, clock=lambda: 5.0).seconds == 0.0


def test_the_time_goes_on(tmp_path):
    state, _ = run(tmp_path, num_steps=2)
    (tmp_path / "seconds.txt").write_text("3600.0\n")
    again, _ = run(tmp_path, num_steps=4)
    assert 0.0 < state.seconds < 3600.0 < again.seconds < 7200.0
    progress = json.loads((tmp_path / "states" / "step-00000004" / "progress.json").read_text())
    assert "seconds" not in progress
