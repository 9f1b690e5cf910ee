"""SQuAD's scores: exact match and F1 of normalized answers, in percent, as the official scripts."""

import collections
import re
import string

from albert_tf.data.tasks.squad_predictions import answers_above

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize_answer(text):
    """Text in lower case, without ASCII punctuation, English articles and extra white space.

    Example:
      >>> from albert_tf.data.tasks.squad_metrics import normalize_answer
      >>> normalize_answer("The  U.S.A.")
      'usa'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def exact_match(prediction, answer):
    """1 if both are equal when normalized, else 0."""
    return int(normalize_answer(prediction) == normalize_answer(answer))


def f1(prediction, answer, empty_match=1):
    """Harmonic mean of precision and recall of the words of a prediction, float in [0, 1].

    Args:
      prediction, answer: str.
      empty_match: The score where both are empty when normalized: 1 in SQuAD 2.0, 0 in 1.1.
    """
    predicted, true = normalize_answer(prediction).split(), normalize_answer(answer).split()
    if not predicted or not true:
        return empty_match if predicted == true else 0
    common = sum((collections.Counter(predicted) & collections.Counter(true)).values())
    if not common:
        return 0
    precision, recall = common / len(predicted), common / len(true)
    return 2 * precision * recall / (precision + recall)


def evaluate_v1(examples, predictions):
    """Scores of SQuAD 1.1, where every question has an answer.

    Args:
      examples: `SquadSet` with answers.
      predictions: dict from question id to answer; questions without one score 0.

    Returns:
      dict {exact_match, f1: percent; total, unanswered: questions}.

    Raises:
      ValueError: If a question has no answer to compare with.

    Reference: the official evaluate-v1.1.py, and `evaluate_v1` in the original's squad_utils.py.
    """
    exact = score = unanswered = 0
    for example in examples:
        if not example.answers:
            raise ValueError(
                "Every question of SQuAD 1.1 must have an answer. "
                f"Received: question {example.guid!r} without. Evaluate SQuAD 2.0 by evaluate_v2."
            )
        if example.guid not in predictions:
            unanswered += 1
            continue
        prediction = predictions[example.guid]
        exact += max(exact_match(prediction, text) for text, _ in example.answers)
        score += max(f1(prediction, text, empty_match=0) for text, _ in example.answers)
    total = len(examples)
    return {
        "exact_match": 100 * exact / total,
        "f1": 100 * score / total,
        "total": total,
        "unanswered": unanswered,
    }


def evaluate_v2(examples, predictions, null_odds, na_threshold=1.0):
    """Scores of SQuAD 2.0 with the no-answer threshold that is best for F1.

    The original's procedure: the threshold is found with answers to all questions, then answers are
    kept whose null odds are below it. So the very question that sets the threshold becomes
    unanswered, and f1 can be a little below best_f1; and questions with null odds over
    `na_threshold` count as unanswered in any case, as in the official script, although null odds
    are logits, not probabilities.

    Args:
      examples: `SquadSet` with answers.
      predictions: dict from question id to answer, of all questions, none of them withheld by a
        threshold.
      null_odds: dict from question id to float, the higher the likelier unanswerable.
      na_threshold: See above.

    Returns:
      dict {exact, f1, best_exact, best_f1: percent; null_score_diff_threshold: the one used,
      best_exact_thresh, best_f1_thresh; total; and, if there are such questions, HasAns_exact,
      HasAns_f1, NoAns_exact, NoAns_f1: percent of those}.

    Raises:
      ValueError: If a question lacks a prediction or its null odds.

    Reference: the official evaluate-v2.0.py, and `evaluate_v2` in the original's squad_utils.py.
    """
    missing = [e.guid for e in examples if e.guid not in predictions or e.guid not in null_odds]
    if missing:
        raise ValueError(
            "Each question must have a prediction and null odds. "
            f"Received: {len(missing)} without, such as {missing[0]!r}."
        )
    odds = {example.guid: null_odds[example.guid] for example in examples}
    answered = {example.guid: bool(example.answers) for example in examples}
    raw = _raw_scores(examples, predictions)
    best = {
        name: _best_threshold(predictions, raw[name], odds, answered) for name in ("exact", "f1")
    }
    threshold = best["f1"][1]
    final = _raw_scores(examples, answers_above(predictions, odds, threshold))
    for scores in final.values():
        for guid in scores:
            if odds[guid] > na_threshold:
                scores[guid] = float(not answered[guid])
    result = {**_percent(final, list(odds)), "total": len(odds)}
    result["null_score_diff_threshold"] = threshold
    for name in ("exact", "f1"):
        result[f"best_{name}"], result[f"best_{name}_thresh"] = best[name]
    for prefix, kind in (("HasAns", True), ("NoAns", False)):
        guids = [guid for guid in odds if answered[guid] == kind]
        if guids:
            result |= {f"{prefix}_{k}": v for k, v in _percent(final, guids).items()}
    return result


def _raw_scores(examples, predictions):
    """dict {exact, f1} of dicts from question id to its score."""
    scores = {"exact": {}, "f1": {}}
    for example in examples:
        answers = [text for text, _ in example.answers if normalize_answer(text)] or [""]
        prediction = predictions[example.guid]
        scores["exact"][example.guid] = max(exact_match(prediction, text) for text in answers)
        scores["f1"][example.guid] = max(f1(prediction, text) for text in answers)
    return scores


def _best_threshold(predictions, scores, odds, answered):
    """(best score in percent, threshold): questions with odds up to the threshold get answers."""
    score = sum(not has_answer for has_answer in answered.values())  # All unanswered.
    best, threshold = score, 0.0
    for guid in sorted(odds, key=odds.get):
        if answered[guid]:
            score += scores[guid]
        elif predictions[guid]:
            score -= 1
        if score > best:
            best, threshold = score, odds[guid]
    return 100 * best / len(scores), threshold


def _percent(scores, guids):
    return {name: 100 * sum(map(by.get, guids)) / len(guids) for name, by in scores.items()}
