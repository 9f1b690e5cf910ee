import json

import numpy as np
import pytest

from albert_tf.data.tasks import squad
from albert_tf.data.tasks.squad_features import squad_features
from albert_tf.data.tasks.squad_metrics import evaluate_v1, evaluate_v2
from albert_tf.data.tasks.squad_predictions import (
    answers_above,
    conditional_span_predictions,
    span_predictions,
)
from albert_tf.text.reference import ReferenceTokenizer
from tests.data.squad_recordings import (
    LENGTHS,
    RecordedTokenizer,
    recorded_answers,
    rounds_of,
    squad_file,
)

TAGS = {
    "v1": ["s64", "s384", "s64_gold", "s64_n3_m4"],
    "v2": ["s64", "s384", "s64_gold", "s64_k3_two_rounds"],
}


def recorded_set(version, length):
    examples = squad.read(squad_file({"v1": "dev-v1.1", "v2": "dev-v2.0"}[version]))
    return squad_features(examples, RecordedTokenizer(), *LENGTHS[length])


def check(features, tag, rounds, expected):
    meta = expected["meta"]
    sizes = meta["n_best_size"], meta["max_answer_length"]
    if tag.startswith("v1"):
        result = span_predictions(features, rounds, *sizes)
        scores = evaluate_v1(features.examples, result.predictions)
        assert result.null_odds is None
        final = result.predictions
    else:
        result = conditional_span_predictions(features, rounds, *sizes)
        assert result.null_odds == expected["null_odds"]
        for name, threshold in (("none", None), ("zero", 0), ("minus_one", -1)):
            by_threshold = meta["by_threshold"].get(f"threshold_{name}")
            if by_threshold:
                limited = conditional_span_predictions(features, rounds, *sizes, threshold)
                assert limited.predictions == by_threshold["predictions"]
                assert limited.null_odds == by_threshold["null_odds"]
        scores = evaluate_v2(features.examples, result.predictions, result.null_odds)
        final = answers_above(
            result.predictions, result.null_odds, scores["null_score_diff_threshold"]
        )
    assert {name: scores[name] for name in meta["eval"]} == meta["eval"]
    assert final == expected["predictions"]
    if "nbest" in expected:
        assert result.nbest == expected["nbest"]


@pytest.mark.parametrize(
    "tag", ["v1_s64_gold", "v1_s64_n3_m4", "v2_s64_gold", "v2_s64_k3_two_rounds"]
)
def test_recordings_of_the_original(tag):
    rounds, expected = recorded_answers(tag)
    check(recorded_set(tag[:2], 64), tag, rounds, expected)


@pytest.mark.parametrize("version", TAGS)
def test_all_recordings(shared, version):
    for tag in TAGS[version]:
        prefix = str(shared / "golden" / "squad" / f"post_{version}_{tag}_")
        expected = {}
        for name in ("meta", "predictions", "nbest") + (("null_odds",) if version == "v2" else ()):
            with open(f"{prefix}{name}.json") as file:
                expected[name] = json.load(file)
        with np.load(f"{prefix}input.npz") as arrays:
            rounds = rounds_of(arrays, version)
        check(recorded_set(version, 64 if "s64" in tag else 384), version, rounds, expected)


@pytest.fixture
def small(sp_model):
    """One question, whose context is four pieces in the only window, and its first position."""
    example = squad.SquadExample("q", "is", "python file name string")
    features = squad_features(squad.SquadSet([example], []), ReferenceTokenizer(sp_model), 12, 8, 4)
    return features, features.first_context_position(0)


def logits(*best):
    """[1, 12], falling in the order of the positions given, -9 elsewhere."""
    values = np.full([1, 12], -9.0)
    values[0, list(best)] = -np.arange(len(best))
    return values


def test_spans_by_hand(small):
    features, first = small
    # The best start is in the question, the second one behind the best end.
    outputs = {
        "start_logits": logits(1, first + 3, first + 1, first),
        "end_logits": logits(first + 2, first + 1, 11),
    }
    result = span_predictions(features, outputs)
    assert result.predictions == {"q": "file name"}
    texts = [answer["text"] for answer in result.nbest["q"]]
    assert texts[:4] == ["file name", "file", "python file name", "python file"]
    assert len(texts) == len(set(texts)) == 10  # All spans of four pieces.
    assert sum(answer["probability"] for answer in result.nbest["q"]) == pytest.approx(1)
    short = span_predictions(features, outputs, max_answer_length=1)
    assert short.predictions == {"q": "file"}


def test_no_valid_span(small):
    features, _ = small
    outputs = {"start_logits": logits(1, 2), "end_logits": logits(1, 2)}
    assert span_predictions(features, outputs, n_best_size=2).predictions == {"q": "empty"}


def conditional(first, cls_logit):
    return {
        "start_top_log_probs": np.array([[-0.5, -1.0]]),
        "start_top_index": np.array([[first, first + 2]]),
        "end_top_log_probs": np.array([[-3.0, -4.0, -0.25, -0.5]]),
        "end_top_index": np.array([[first, first + 1, first + 3, first + 2]]),
        "cls_logits": np.array([cls_logit]),
    }


def test_conditional_spans_by_hand(small):
    features, first = small
    result = conditional_span_predictions(features, conditional(first, 0.5))
    assert [answer["text"] for answer in result.nbest["q"]] == [
        "name string",
        "name",
        "python",
        "python file",
    ]
    assert result.null_odds == {"q": 0.5}
    for threshold, answer in ((0.4, ""), (0.5, ""), (0.6, "name string"), (None, "name string")):
        limited = conditional_span_predictions(
            features, conditional(first, 0.5), null_threshold=threshold
        )
        assert limited.predictions == {"q": answer}
    two = conditional_span_predictions(features, [conditional(first, x) for x in (0.5, -1.0)])
    assert two.null_odds == {"q": -0.25}


def test_writes_the_originals_files(small, tmp_path):
    features, first = small
    result = conditional_span_predictions(features, conditional(first, 0.5))
    result.write(tmp_path / "out")
    for name, content in (
        ("predictions", result.predictions),
        ("nbest_predictions", result.nbest),
        ("null_odds", result.null_odds),
    ):
        assert json.loads((tmp_path / "out" / f"{name}.json").read_text()) == content


def test_refuses_outputs_that_do_not_fit(small):
    features, _ = small
    with pytest.raises(ValueError, match=r"start_logits of shape \[1, 12\].* Received: shape \[2,"):
        span_predictions(features, {"start_logits": np.zeros([2, 12])})
    with pytest.raises(ValueError, match=r"end_logits of shape .* Received: nothing"):
        span_predictions(features, {"start_logits": logits(1)})
    with pytest.raises(ValueError, match=r"end_logits must be finite. Received: NaN"):
        outputs = {"start_logits": logits(1), "end_logits": np.full([1, 12], np.nan)}
        span_predictions(features, outputs)
