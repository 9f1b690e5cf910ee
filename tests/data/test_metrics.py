import json
import math

import pytest

from albert_tf.data.tasks.metrics import METRICS, accuracy, f1, matthews, pearson, spearman
from tests.conftest import GOLDENS

RECORDED = json.loads((GOLDENS / "metrics.json").read_text())


@pytest.mark.parametrize(
    "name, data",
    [
        ("accuracy", "binary"),
        ("f1", "binary"),
        ("matthews", "binary"),
        ("pearson", "scores"),
        ("spearman", "scores"),
    ],
)
def test_equal_scikit_learn_and_scipy(name, data):
    assert METRICS[name](*RECORDED[data]) == pytest.approx(RECORDED["expected"][name], abs=1e-14)


def test_matthews_of_three_classes():
    expected = RECORDED["expected"]["matthews_three"]
    assert matthews(*RECORDED["three"]) == pytest.approx(expected, abs=1e-14)


def test_by_hand():
    labels, predictions = [1, 1, 0, 0, 1], [1, 0, 1, 0, 1]
    assert accuracy(labels, predictions) == 3 / 5
    assert f1(labels, predictions) == pytest.approx(2 / 3)
    assert matthews(labels, predictions) == pytest.approx((2 * 1 - 1 * 1) / 6)
    assert pearson([0, 1, 2], [5.0, 3.0, 1.0]) == -1
    assert spearman([0, 1, 2, 3], [0, 10, 11, 1000]) == 1


def test_one_class_only():
    assert f1([0, 0], [0, 0]) == 0
    assert matthews([0, 1, 1], [1, 1, 1]) == 0
    assert math.isnan(pearson([0.0, 1.0], [2.0, 2.0])) and math.isnan(spearman([3, 3], [1, 2]))


def test_refuses_what_cannot_be_scored():
    for labels, predictions in (([], []), ([1], [1, 2]), ([[1]], [[1]])):
        with pytest.raises(ValueError, match=r"of one length, at least 1. Received: shapes"):
            accuracy(labels, predictions)
    with pytest.raises(ValueError, match=r"must be finite. Received: NaN"):
        pearson([1.0, 2.0], [math.nan, 1.0])
