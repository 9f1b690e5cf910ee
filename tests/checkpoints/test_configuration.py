import dataclasses
import json

import pytest

from albert_tf.checkpoints.configuration import config_from_fields, find_config, given_config
from albert_tf.config import AlbertConfig

CONFIG = AlbertConfig(vocab_size=30)


def test_given(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(CONFIG.to_json())
    assert given_config(CONFIG) == (CONFIG, "the configuration given")
    assert given_config({"vocab_size": 30}) == (CONFIG, "the configuration given")
    assert given_config(path) == given_config(str(path)) == (CONFIG, str(path))
    assert given_config(None)[0] is None
    with pytest.raises(ValueError, match="`config` must be an AlbertConfig, .* Received: 3"):
        given_config(3)


def test_beside_the_checkpoint(tmp_path):
    near, far = tmp_path / "near", tmp_path
    near.mkdir()
    assert find_config(None, near, far) == (None, f"no albert_config.json in '{near}' or '{far}'")
    (far / "albert_config.json").write_text(CONFIG.to_json())
    assert find_config(None, near, far) == (CONFIG, str(far / "albert_config.json"))
    tiny = near / "albert_config_tiny.json"
    tiny.write_text(json.dumps({"vocab_size": 5}))
    assert find_config(None, near, far)[1] == str(tiny)
    (near / "albert_config_base.json").write_text("{}")
    assert find_config(None, near)[0] is None
    assert find_config(CONFIG, near, far)[0] is CONFIG


def test_from_fields():
    fields = dataclasses.asdict(dataclasses.replace(CONFIG, hidden_dropout_prob=0.3))
    for flavor in ("tf1", "tf2_hub", "keras"):
        config, missing = config_from_fields(flavor, fields)
        assert config.hidden_dropout_prob == 0.3 and missing == []
    del fields["initializer_range"], fields["project_same_width"], fields["attention_mask_value"]
    assert config_from_fields("tf1", fields)[1] == []
    assert config_from_fields("tf2_hub_1", fields) == (None, ["attention_mask_value"])
    del fields["hidden_act"]
    assert config_from_fields("tf1", fields) == (None, ["hidden_act"])
