import numpy as np
import pytest

from albert_tf.config import AlbertConfig
from albert_tf.training.engine.history import History
from albert_tf.training.finetuning.collapse import CollapseDetector, TrainingCollapsed, advice
from albert_tf.training.finetuning.recipes import recipe_for


def feed(detector, losses):
    detector.on_steps({"step": np.arange(1, len(losses) + 1), "loss": np.array(losses)})


def test_stops_at_the_entropy_of_the_labels():
    detector = CollapseDetector([90, 10], "Try this.", patience=50)
    assert detector.entropy == pytest.approx(0.325, abs=1e-3)
    noise = np.random.RandomState(0).uniform(-0.2, 0.2, 49)
    feed(detector, 0.326 + noise - noise.mean())
    with pytest.raises(
        TrainingCollapsed, match=r"last 50 steps .* is 0.32\d\d; .* gives 0.3251 .*is 0.6931.* Try"
    ):
        feed(detector, [0.326])


def test_leaves_a_run_that_learns_alone():
    detector = CollapseDetector([1, 1, 1], patience=20)
    feed(detector, [1.2] * 15 + [1.0] * 15)
    feed(detector, np.linspace(1.0, 0.2, 100))


def test_predictions_of_one_class():
    detector = CollapseDetector([5, 5])
    with pytest.raises(TrainingCollapsed, match="All 3 dev predictions are class 1, while the la"):
        detector.check_predictions(np.array([1, 1, 1]), np.array([0, 1, 0]))
    detector.check_predictions(np.array([1, 0, 1]), np.array([0, 1, 0]))
    detector.check_predictions(np.array([1, 1, 1]), np.array([1, 1, 1]))


def test_warns_once_for_each_sign():
    warnings = []
    detector = CollapseDetector([9, 1], "Try this.", patience=2, warn=warnings.append)
    for _ in range(2):
        feed(detector, [0.4, 0.4])
        detector.check_predictions(np.zeros(10, int), np.eye(10, dtype=int)[0], ["no", "yes"])
    assert len(warnings) == 2
    assert warnings[1].startswith("The model does not look at its input. All 10 dev predictions")
    assert "class 'no', while the labels have 2 classes: the accuracy of 0.900" in warnings[1]
    assert all(warning.endswith("Try this.") for warning in warnings)


@pytest.mark.parametrize("steps, first", [(200, "train longer than these 200"), (5000, "a lower")])
def test_advice_fits_the_length_of_the_run(steps, first):
    recipe = recipe_for("classification", AlbertConfig.from_preset("albert_base_v2"))
    text = advice(recipe, steps, 100)
    assert text.startswith(f"Try, in this order: {first}") and "--seed" in text


def test_errors():
    with pytest.raises(ValueError, match=r"at least two classes that occur. Received: \[3, 0\]"):
        CollapseDetector([3, 0])
    with pytest.raises(ValueError, match="`patience` must be positive. Received: 0"):
        CollapseDetector([1, 1], patience=0)


def test_a_run_that_goes_on_has_the_losses_of_before(tmp_path):
    """Stopped after 30 of 50 steps, it warns at the same step with the same mean."""
    losses = np.float32(0.69 + np.random.RandomState(0).uniform(-0.01, 0.01, 60))
    told = {}
    for name, pieces in {"whole": [(0, 60)], "parts": [(0, 30), (25, 60)]}.items():
        told[name], directory = [], tmp_path / name
        for (
            start,
            end,
        ) in pieces:  # The second part goes on from a state before the first one's end.
            history = History(directory)
            detector = CollapseDetector(
                [1, 1], patience=50, warn=told[name].append, history=directory / "history.csv"
            )
            for callback in (history, detector):
                callback.on_begin({"step": start, "warnings": {}})
            for i in range(start, end, 5):
                logs = {"step": np.arange(i + 1, i + 6), "loss": losses[i : i + 5]}
                for callback in (history, detector):
                    callback.on_steps(logs)
    assert told["parts"] == told["whole"] and "up to step 50 is 0.69" in told["whole"][0]


def test_a_run_that_goes_on_is_not_warned_again():
    told, warnings = [], {}
    for _ in range(2):
        detector = CollapseDetector([9, 1], patience=2, warn=told.append)
        detector.on_begin({"step": 0, "warnings": warnings})  # As the saved state has them.
        feed(detector, [0.4, 0.4])
    assert len(told) == 1 and warnings == {"loss": told[0]}
