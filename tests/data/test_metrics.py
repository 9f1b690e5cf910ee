import json
import math

import numpy as np
import pytest

from albert_tf.data.tasks.metrics import (
    METRICS,
    accuracy,
    f1,
    f1_macro,
    f1_micro,
    matthews,
    pearson,
    spearman,
    subset_accuracy,
)
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


def test_several_labels_by_hand():
    labels = np.array([[1, 1, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0]])
    predictions = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [1, 1, 0, 0]], bool)
    # Pairs: 3 right of 4 and of 4. Labels: 2/3, 2/3, 1, and 0 for the one that is nowhere.
    assert f1_micro(labels, predictions) == pytest.approx(6 / 8)
    assert f1_macro(labels, predictions) == pytest.approx((2 / 3 + 2 / 3 + 1 + 0) / 4)
    assert subset_accuracy(labels, predictions) == pytest.approx(1 / 3)
    nothing = np.zeros([2, 3])
    assert f1_micro(nothing, nothing) == f1_macro(nothing, nothing) == 0.0
    assert subset_accuracy(nothing, nothing) == 1.0
    with pytest.raises(ValueError, match=r"matrices of one shape.* Received: shapes \(3, 4\) and"):
        f1_micro(labels, predictions[:, :2])


def test_several_labels_equal_scikit_learn():
    """Numbers of scikit-learn's f1_score and accuracy_score; the last label is nowhere."""
    random = np.random.RandomState(0).rand(2, 50, 6)
    labels = random[0] < 0.3
    predictions = (random[1] < 0.25) | (labels & (random[1] < 0.8))
    labels[:, 5] = predictions[:, 5] = False
    assert f1_micro(labels, predictions) == pytest.approx(0.6557377049180327)
    assert f1_macro(labels, predictions) == pytest.approx(0.5452473237356957)
    assert subset_accuracy(labels, predictions) == pytest.approx(0.2)
