import json

import pytest

from albert_tf.training.finetune_options import FinetuneOptions, check_record, flat


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


def test_options():
    assert FinetuneOptions(precision="bfloat16").policy == "mixed_bfloat16"
    assert "seed" in FinetuneOptions().deciding()
    assert "export" not in FinetuneOptions().deciding()
    with pytest.raises(ValueError, match="must be one of float32, .*Received: 'int8'"):
        FinetuneOptions(precision="int8")
    with pytest.raises(ValueError, match="`accumulate_steps` must be positive. Received: 0"):
        FinetuneOptions(accumulate_steps=0)
