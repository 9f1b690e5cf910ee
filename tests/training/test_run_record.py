import json

import pytest
import tensorflow as tf

from albert_tf.training.run_record import check_record, flat, held_run


def test_record(tmp_path):
    output = tmp_path / "run"
    record = flat({"task": "rte", "recipe": {"learning_rate": 1e-5, "epochs": None}})
    assert record == {"task": "rte", "recipe.learning_rate": 1e-5, "recipe.epochs": None}
    check_record(output, record)
    check_record(output, record)
    assert json.loads((output / "run.json").read_text()) == record
    message = r"as they were. Received: .*recipe.learning_rate is 2e-05, was 1e-05. Use the earlier"
    with pytest.raises(ValueError, match=message):
        check_record(output, {**record, "recipe.learning_rate": 2e-5})


def test_output_of_something_else(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(FileExistsError, match="which has files but no run.json"):
        check_record(tmp_path, {})


def test_a_begin_that_was_killed_is_begun_again(tmp_path):
    (tmp_path / ".run.json.0123abcd.partial").write_text("{")
    (tmp_path / ".lock").write_text("")
    check_record(tmp_path, {"task": "rte"})
    assert json.loads((tmp_path / "run.json").read_text()) == {"task": "rte"}


@pytest.mark.parametrize("content", ["{", "", "[1]", "\ufeff"])
def test_a_damaged_record_names_its_path_and_the_way_out(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(ValueError, match="record must be readable. Received: .*run.json'.*a copy"):
        check_record(tmp_path, {})


def test_a_run_is_held(tmp_path):
    strategy = tf.distribute.get_strategy()
    with held_run(tmp_path / "run", {"task": "rte"}, strategy, {}):
        with pytest.raises(BlockingIOError, match="Only one process at a time may write"):
            with held_run(tmp_path / "run", {"task": "rte"}, strategy, {}):
                pass
        with pytest.raises(ValueError, match='task is "cola", was "rte"'):
            with held_run(tmp_path / "run", {"task": "cola"}, strategy, {}):
                pass
    with held_run(tmp_path / "run", {"task": "rte"}, strategy, {}):
        assert {p.name for p in (tmp_path / "run").iterdir()} == {"run.json", ".lock"}


def test_what_is_no_run_is_left_as_it_is(tmp_path):
    (tmp_path / "thesis.tex").touch()
    strategy = tf.distribute.get_strategy()
    for output, message in ((tmp_path, "no run.json"), (tmp_path / "thesis.tex", "the file")):
        with pytest.raises(FileExistsError, match=message), held_run(output, {}, strategy, {}):
            pass
    with pytest.raises(ValueError, match="path of a local directory. Received: 'gs://b/run'"):
        with held_run("gs://b/run", {}, strategy, {}):
            pass
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]
