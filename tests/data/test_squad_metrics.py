import json

import pytest

from albert_tf.data.tasks.squad import SquadExample, SquadSet
from albert_tf.data.tasks.squad_metrics import (
    evaluate_v1,
    evaluate_v2,
    exact_match,
    f1,
    normalize_answer,
)
from tests.conftest import GOLDENS

CASES = json.loads((GOLDENS / "squad" / "metric_cases.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case["prediction"]))
def test_recordings_of_the_original(case):
    prediction, answer = case["prediction"], case["ground_truth"]
    assert normalize_answer(prediction) == case["normalized"]
    assert exact_match(prediction, answer) == case["v1_em"] == case["v2_em"]
    assert f1(prediction, answer, empty_match=0) == case["v1_f1"]
    assert f1(prediction, answer) == case["v2_f1"]


def questions(**answers):
    return SquadSet(
        [
            SquadExample(guid, "?", "", tuple((text, 0) for text in texts), not texts)
            for guid, texts in answers.items()
        ],
        [],
    )


def test_the_best_of_several_answers_counts():
    examples = questions(a=["the cat", "a black cat"], b=["dog"], c=["x"])
    scores = evaluate_v1(examples, {"a": "black cat", "b": "brown dog"})
    assert scores == {
        "exact_match": pytest.approx(100 / 3),
        "f1": pytest.approx(100 * (1 + 2 / 3) / 3),
        "total": 3,
        "unanswered": 1,
    }


def test_the_threshold_search_by_hand():
    examples = questions(a=["x"], b=["y"], n=[], m=[])
    predictions = {"a": "x", "b": "y", "n": "z", "m": "z"}
    odds = {"a": -3.0, "b": -1.0, "n": 0.5, "m": 2.0}
    scores = evaluate_v2(examples, predictions, odds)
    # Answering a and b is best; b itself is lost, since its odds are not below the threshold.
    assert scores["best_exact"] == scores["best_f1"] == 100
    assert scores["null_score_diff_threshold"] == scores["best_f1_thresh"] == -1.0
    assert scores["exact"] == scores["f1"] == 75
    assert scores["HasAns_f1"] == 50 and scores["NoAns_f1"] == 100 and scores["total"] == 4


def test_odds_over_one_count_as_unanswered():
    examples = questions(a=["x"], b=["y"])
    odds = {"a": 1.5, "b": 3.0}
    scores = evaluate_v2(examples, {"a": "x", "b": "y"}, odds)
    assert scores["best_f1"] == 100 and scores["f1"] == 0
    assert evaluate_v2(examples, {"a": "x", "b": "y"}, odds, na_threshold=2.0)["f1"] == 50


def test_refuses_what_cannot_be_scored():
    with pytest.raises(ValueError, match=r"must have an answer. Received: question 'n' without"):
        evaluate_v1(questions(n=[]), {"n": ""})
    with pytest.raises(ValueError, match=r"prediction and null odds. Received: 1 .* as 'b'"):
        evaluate_v2(questions(a=["x"], b=["y"]), {"a": "x", "b": "y"}, {"a": 0.0})
