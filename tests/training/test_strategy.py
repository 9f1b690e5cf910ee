import json

import pytest
import tensorflow as tf

from albert_tf.training.engine.strategy import is_chief, make_strategy, num_workers


def test_one_and_mirrored():
    one, mirrored = make_strategy("one"), make_strategy("mirrored")
    assert isinstance(one, tf.distribute.OneDeviceStrategy)
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    assert mirrored.num_replicas_in_sync == len(devices)
    for strategy in (one, mirrored, tf.distribute.get_strategy()):
        assert is_chief(strategy) and num_workers(strategy) == 1


WORKERS = {"worker": ["localhost:1", "localhost:2"]}


@pytest.mark.parametrize(
    "value, received",
    [
        (None, "Received: none"),
        ("{", "Received: '{'"),
        (json.dumps({"cluster": WORKERS}), "Received: '{.cluster"),
        (
            json.dumps({"cluster": WORKERS, "task": {"type": "worker", "index": 2}}),
            "Received: index 2 of 2 workers",
        ),
    ],
)
def test_wrong_tf_config(monkeypatch, value, received):
    if value is None:
        monkeypatch.delenv("TF_CONFIG", raising=False)
    else:
        monkeypatch.setenv("TF_CONFIG", value)
    with pytest.raises(ValueError, match=f"needs the environment variable TF_CONFIG.*{received}"):
        make_strategy("multiworker")


def test_unknown_name():
    with pytest.raises(ValueError, match="one of one, mirrored, multiworker, tpu. Received: 'gpu'"):
        make_strategy("gpu")
