import numpy as np
import pytest
import tensorflow as tf

from albert_tf.atomic import remove_remains
from albert_tf.training.engine.state import DamagedState, RunDirectory


def variables(value, size=3):
    return [tf.Variable([value] * size, name="a/kernel"), tf.Variable(value, name="b/bias")]


def named(values):
    return {v.name.removesuffix(":0"): v for v in values}


def test_saves_restores_and_keeps_the_newest(tmp_path):
    runs = RunDirectory(tmp_path / "states", keep=2)
    assert runs.steps() == []
    for step in (5, 10, 123456789):
        state = named([tf.Variable(step, name="iteration")])
        runs.save(step, variables(float(step)), state, {"step": step})
        runs.delete_old()
    assert runs.steps() == [10, 123456789]
    files = sorted(p.name for p in (tmp_path / "states" / "step-00000010").iterdir())
    assert files == ["optimizer.npz", "progress.json", "weights.npz"]

    weights, state = variables(0.0), named([tf.Variable(0, name="iteration")])
    assert runs.restore(10, weights, state) == {"step": 10}
    np.testing.assert_array_equal(weights[0], [10.0] * 3)
    assert int(state["iteration"]) == 10


def test_weights_are_apart_from_the_optimizer(tmp_path):
    runs = RunDirectory(tmp_path)
    runs.save(1, variables(1.0), None, {}, kind="best")
    assert not (tmp_path / "best-00000001" / "optimizer.npz").exists()
    assert runs.steps() == [] and runs.steps("best") == [1]
    with np.load(tmp_path / "best-00000001" / "weights.npz") as file:
        assert file.files == ["a/kernel", "b/bias"]


def test_equal_names_are_kept_apart(tmp_path):
    runs = RunDirectory(tmp_path)
    twins = [tf.Variable(1.0, name="x"), tf.Variable(2.0, name="x")]
    runs.save(1, twins, None, {})
    for variable in twins:
        variable.assign(0.0)
    runs.restore(1, twins)
    assert [float(v) for v in twins] == [1.0, 2.0]


def test_a_half_written_state_is_not_seen(tmp_path):
    runs = RunDirectory(tmp_path)
    runs.save(1, variables(1.0), {}, {})
    (tmp_path / ".step-00000002.0123abcd.partial").mkdir()
    (tmp_path / ".step-00000002.0123abcd.partial" / "weights.npz").write_bytes(b"half")
    assert runs.steps() == [1]
    runs.save(2, variables(2.0), {}, {})
    assert runs.steps() == [1, 2]
    remove_remains(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-00000001", "step-00000002"]


def test_best_weights_stay_as_long_as_a_state_names_them(tmp_path):
    runs = RunDirectory(tmp_path, keep=2)
    for step, best in ((1, 1), (2, 1), (3, 3), (4, 3)):
        if step == best:
            runs.save(step, variables(1.0), None, {}, kind="best")
        runs.save(step, variables(1.0), {}, {"best_step": best})
        runs.delete_old()
        assert runs.steps("best") == {1: [1], 2: [1], 3: [1, 3], 4: [3]}[step]


def test_only_the_chief_writes(tmp_path):
    runs = RunDirectory(tmp_path / "states", writes=False)
    runs.save(1, variables(1.0), {}, {})
    runs.delete_old()
    assert not (tmp_path / "states").exists()


def test_errors(tmp_path):
    with pytest.raises(ValueError, match="`keep` must be positive. Received: 0"):
        RunDirectory(tmp_path, keep=0)
    runs = RunDirectory(tmp_path)
    runs.save(1, variables(1.0), {}, {})
    other = [tf.Variable([1.0] * 4, name="a/kernel"), tf.Variable(1.0, name="c/bias")]
    with pytest.raises(
        ValueError,
        match=r"missing 'c/bias'; left over 'b/bias'; 'a/kernel' is \[3\], not \[4\]. Use another",
    ):
        runs.restore(1, other)
    path = tmp_path / "step-00000001" / "weights.npz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DamagedState, match="must be readable. Received: .*weights.npz"):
        runs.restore(1, variables(0.0))
    runs.save(3, variables(1.0), {}, {})
    path = tmp_path / "step-00000003" / "weights.npz"
    damaged = bytearray(path.read_bytes())
    damaged[150] ^= 1  # In the numbers: the checksum notices.
    path.write_bytes(damaged)
    with pytest.raises(DamagedState, match="must be readable. Received: .*weights.npz"):
        runs.restore(3, variables(0.0))
    for content in ("", "{", "[1]"):
        (tmp_path / "step-00000003" / "progress.json").write_text(content)
        with pytest.raises(DamagedState, match="must be readable. Received: .*progress.json"):
            runs.restore(3, variables(0.0))


def test_a_flipped_bit_is_never_taken_for_a_value(tmp_path):
    runs = RunDirectory(tmp_path)
    runs.save(1, variables(1.0), None, {})
    path = tmp_path / "step-00000001" / "weights.npz"
    whole = path.read_bytes()
    for position in range(0, len(whole), 3):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << position % 8
        path.write_bytes(flipped)
        weights = variables(0.0)
        try:
            runs.restore(1, weights)
        except ValueError as error:  # If a name is hit, it is another model's.
            assert "weights.npz" in str(error)
            continue
        np.testing.assert_array_equal(weights[0], [1.0] * 3)  # It was in a date, or the like.


def test_no_url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="path of a local directory. Received: 'gs://bucket/run'"):
        RunDirectory("gs://bucket/run")
