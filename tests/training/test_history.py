import glob

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.training.engine.history import History, plot_curves, read_csv
from albert_tf.training.engine.tensorboard import TensorBoard


def record(callback, start, stop, evaluate=()):
    callback.on_begin({"step": start})
    for step in range(start + 1, stop + 1):
        loss = np.float32(1.0) / np.float32(step)
        callback.on_steps({"step": np.array([step]), "loss": np.array([loss])})
        if step in evaluate:
            callback.on_evaluation(step, {"accuracy": step / 100})
    callback.on_end()


def test_rows_are_exact_and_unique_after_a_restart(tmp_path):
    record(History(tmp_path), 0, 5, evaluate=(2, 4))
    with open(tmp_path / "history.csv", "a", encoding="utf-8") as file:
        file.write("6,0.1")  # Killed while writing.
    record(History(tmp_path), 3, 7, evaluate=(4, 6))
    table = read_csv(tmp_path / "history.csv")
    assert table["step"] == list(range(1, 8))
    np.testing.assert_array_equal(
        np.float32(table["loss"]), np.float32(1.0) / np.arange(1, 8, dtype=np.float32)
    )
    assert read_csv(tmp_path / "evaluations.csv") == {
        "step": [2.0, 4.0, 6.0],
        "accuracy": [0.02, 0.04, 0.06],
    }
    record(History(tmp_path), 0, 1)  # A new run in the same place.
    assert read_csv(tmp_path / "history.csv")["step"] == [1.0]


def test_every(tmp_path):
    record(History(tmp_path, every=3), 0, 10)
    assert read_csv(tmp_path / "history.csv")["step"] == [3.0, 6.0, 9.0]
    with pytest.raises(ValueError, match="`every` must be positive. Received: 0"):
        History(tmp_path, every=0)


def test_curves(tmp_path):
    pytest.importorskip("matplotlib")
    record(History(tmp_path), 0, 40, evaluate=(10, 20))
    path = plot_curves(tmp_path, ["loss", "accuracy"], smooth=0.5)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "curves.png",
        "evaluations.csv",
        "history.csv",
    ]
    picture = tf.io.decode_png(path.read_bytes())
    assert picture.shape[0] > 400 and len(np.unique(picture)) > 10
    with pytest.raises(ValueError, match="one of accuracy, loss. Received: 'f1'"):
        plot_curves(tmp_path, ["f1"])
    with pytest.raises(ValueError, match="path of a local directory. Received: 'gs://bucket/run'"):
        plot_curves("gs://bucket/run")


def test_evaluations_are_drawn_as_they_are(tmp_path, monkeypatch):
    axes = pytest.importorskip("matplotlib.axes")
    drawn, plot = {}, axes.Axes.plot
    monkeypatch.setattr(
        axes.Axes,
        "plot",
        lambda self, x, y, **how: drawn.update({how["label"]: list(y)}) or plot(self, x, y, **how),
    )
    (tmp_path / "history.csv").write_text("step,loss\n1,4.0\n2,2.0\n")
    (tmp_path / "evaluations.csv").write_text("step,loss\n1,4.0\n2,2.0\n")
    plot_curves(tmp_path, smooth=0.5, chosen=2)
    assert drawn == {
        "training, each step": [4.0, 2.0],
        # Corrected for its start: 0.5 * 4 / 0.5, (0.25 * 4 + 0.5 * 2) / 0.75.
        "training, moving average of about 2 steps": [4.0, pytest.approx(8 / 3)],
        "evaluation": [4.0, 2.0],
    }


def test_tensorboard(tmp_path):
    record(TensorBoard(tmp_path, every=2), 0, 5, evaluate=(4,))
    (path,) = glob.glob(str(tmp_path / "events*"))
    found = [
        (event.step, value.tag, round(float(tf.make_ndarray(value.tensor)), 4))
        for event in tf.compat.v1.train.summary_iterator(path)
        for value in event.summary.value
    ]
    assert found == [
        (2, "train/loss", 0.5),
        (4, "train/loss", 0.25),
        (4, "evaluation/accuracy", 0.04),
    ]
