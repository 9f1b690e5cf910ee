import json

import numpy as np
import pytest

from albert_tf._keras import keras
from albert_tf.training.optimizers.schedules import WarmupPolynomialDecay
from tests.conftest import GOLDENS

RECORDED = json.loads((GOLDENS / "training" / "lr_schedule.json").read_text())


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: json.dumps(case)[1:90])
def test_equals_the_original(case):
    arguments = {k: v for k, v in case.items() if k not in ("points", "init_lr")}
    arguments["power"] = arguments.pop("poly_power", arguments.pop("power", 1.0))
    schedule = WarmupPolynomialDecay(case["init_lr"], negative_before_start=True, **arguments)
    steps, rates = zip(*case["points"])
    np.testing.assert_allclose(
        [float(schedule(step)) for step in steps], rates, rtol=1e-6, atol=1e-6 * case["init_lr"]
    )


def test_options():
    def rates(**options):
        schedule = WarmupPolynomialDecay(1.0, 10, 4, **options)
        return np.array([float(schedule(step)) for step in range(11)]).round(4).tolist()

    decay = [0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0]
    assert rates() == [0.0, 0.25, 0.5, 0.75, *decay]
    assert rates(warmup_offset=1) == [0.25, 0.5, 0.75, 0.7, *decay]
    smooth = [1.0, 0.8333, 0.6667, 0.5, 0.3333, 0.1667, 0.0]
    assert rates(decay_start="warmup_end") == [0.0, 0.25, 0.5, 0.75, *smooth]
    assert rates(start_warmup_step=2)[:4] == [0.0, 0.0, 0.0, 0.25]
    assert rates(start_warmup_step=2, negative_before_start=True)[:3] == [-0.5, -0.25, 0.0]
    assert rates(power=2.0, end_learning_rate=0.5)[4:6] == [0.68, 0.625]


def test_saved_and_loaded():
    schedule = WarmupPolynomialDecay(1e-3, 100, 10, 3, 2.0, 1e-5, "warmup_end", 1, True)
    config = keras.optimizers.schedules.serialize(schedule)
    loaded = keras.optimizers.schedules.deserialize(config)
    assert type(loaded) is WarmupPolynomialDecay
    assert loaded.get_config() == schedule.get_config()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([1.0, 0], "`num_train_steps` must be positive. Received: 0"),
        ([1.0, 10, -1], "`num_warmup_steps` must not be negative. Received: -1"),
        ([1.0, 10, 0, 0, 1.0, 0.0, "end"], "`decay_start` must be .* Received: 'end'"),
        ([1.0, 10, 0, 0, 1.0, 0.0, "first_step", 2], "`warmup_offset` must be 0 or 1. Received: 2"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        WarmupPolynomialDecay(*arguments)
