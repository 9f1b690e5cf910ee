import json

import pytest

from albert_tf.training.run_record import check_record, flat


def test_record(tmp_path):
    output = tmp_path / "run"
    record = flat({"task": "rte", "recipe": {"learning_rate": 1e-5, "epochs": None}})
    assert record == {"task": "rte", "recipe.learning_rate": 1e-5, "recipe.epochs": None}
    check_record(output, record)
    check_record(output, record)
    assert json.loads((output / "run.json").read_text()) == record
    message = r"goes on as it began. Received: .*recipe.learning_rate 2e-05 instead of 1e-05"
    with pytest.raises(ValueError, match=message):
        check_record(output, {**record, "recipe.learning_rate": 2e-5})


def test_output_of_something_else(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(FileExistsError, match="which has files but no run.json"):
        check_record(tmp_path, {})


def test_a_begin_that_was_killed_is_begun_again(tmp_path):
    (tmp_path / "run.partial").write_text("{")
    check_record(tmp_path, {"task": "rte"})
    assert json.loads((tmp_path / "run.json").read_text()) == {"task": "rte"}
