"""From a model's scores to answers, the n best of each question, and the odds of no answer."""

import collections
import dataclasses
import json
import math
import pathlib

import numpy as np

from albert_tf.atomic import write_file
from albert_tf.data.tasks.squad_windows import best_windows

NO_NULL_SCORE = 1000000  # The original's null odds of a question without any window.


@dataclasses.dataclass(frozen=True)
class SquadPredictions:
    """Answers to the questions of a set.

    Attributes:
      predictions: dict from question id to answer, str.
      nbest: dict from question id to list of dicts {text, probability, start_log_prob,
        end_log_prob}, best first.
      null_odds: dict from question id to float, the higher the likelier unanswerable; None for
        models that always answer.
    """

    predictions: dict
    nbest: dict
    null_odds: dict | None = None

    def write(self, folder):
        """Writes predictions.json, nbest_predictions.json and, if there are any, null_odds.json."""
        folder = pathlib.Path(folder)
        files = {"predictions": self.predictions, "nbest_predictions": self.nbest}
        if self.null_odds is not None:
            files["null_odds"] = self.null_odds
        for name, content in files.items():
            write_file(folder / f"{name}.json", json.dumps(content, indent=4) + "\n")


def span_predictions(features, outputs, n_best_size=20, max_answer_length=30):
    """Answers from independent scores of starts and ends, for SQuAD 1.1.

    Starts and ends among each window's `n_best_size` best are paired; pairs must lie in the
    context, start where the window shows most surroundings, and be at most `max_answer_length`
    pieces. Scores are start + end; of answers with the same text the best one counts.

    Args:
      features: `SquadFeatures`.
      outputs: dict {start_logits, end_logits} of float arrays [N, S], rows as in `features`; or a
        list of such dicts, of several models, whose scores are averaged.
      n_best_size: Number of answers to keep.
      max_answer_length: In pieces.

    Returns:
      `SquadPredictions` without null odds. A question without any valid answer gets "empty", as in
      the original; those left out of `features` are counted in its report.

    Raises:
      ValueError: If shapes do not fit or a score is not finite.

    Reference: `accumulate_predictions_v1`, `write_predictions_v1` in the original's squad_utils.py.
    """
    rounds = [outputs] if isinstance(outputs, dict) else list(outputs)
    shape = [features.num_rows, features.max_seq_length]
    for output in rounds:
        _check(output, {"start_logits": shape, "end_logits": shape})

    def pairs(row, output):
        start_logits = np.asarray(output["start_logits"][row], np.float64)
        end_logits = np.asarray(output["end_logits"][row], np.float64)
        best_starts = np.argsort(-start_logits, kind="stable")[:n_best_size]
        best_ends = np.argsort(-end_logits, kind="stable")[:n_best_size]
        starts = np.repeat(best_starts, len(best_ends))
        ends = np.tile(best_ends, len(best_starts))
        return starts, ends, start_logits[starts], end_logits[ends]

    nbest = _nbest(features, rounds, pairs, n_best_size, max_answer_length, ("empty", 0.0, 0.0))
    return SquadPredictions({guid: best[0]["text"] for guid, best in nbest.items()}, nbest)


def conditional_span_predictions(
    features, outputs, n_best_size=20, max_answer_length=30, null_threshold=None
):
    """Answers from ends that depend on their start, or none, for SQuAD 2.0.

    Args:
      features: `SquadFeatures`.
      outputs: dict of arrays, rows as in `features`: start_top_log_probs, start_top_index [N, K];
        end_top_log_probs, end_top_index [N, K * M], M ends for each start in turn; cls_logits [N],
        high for no answer. Or a list of such dicts, whose scores are averaged.
      n_best_size: Number of answers to keep.
      max_answer_length: In pieces.
      null_threshold: The answer is "" unless the null odds are below this; None always answers.

    Returns:
      `SquadPredictions`; null odds are the lowest cls_logits of a question's windows. A question
      without any window gets "" and null odds of 1000000.

    Raises:
      ValueError: If shapes do not fit or a score is not finite.

    Reference: `accumulate_predictions_v2`, `write_predictions_v2` in the original's squad_utils.py.
    """
    rounds = [outputs] if isinstance(outputs, dict) else list(outputs)
    for output in rounds:
        starts = [features.num_rows, np.shape(output["start_top_index"])[-1]]
        ends = [features.num_rows, np.shape(output["end_top_index"])[-1]]
        shapes = {"start_top_log_probs": starts, "start_top_index": starts}
        shapes |= {"end_top_log_probs": ends, "end_top_index": ends, "cls_logits": starts[:1]}
        _check(output, shapes)

    def pairs(row, output):
        ends = np.asarray(output["end_top_index"][row])
        starts = np.asarray(output["start_top_index"][row])
        ends_each = len(ends) // len(starts)
        start_scores = np.asarray(output["start_top_log_probs"][row], np.float64)
        end_scores = np.asarray(output["end_top_log_probs"][row], np.float64)
        return np.repeat(starts, ends_each), ends, np.repeat(start_scores, ends_each), end_scores

    nbest = _nbest(features, rounds, pairs, n_best_size, max_answer_length, ("", -1e6, -1e6))
    null_odds = _null_odds(features, rounds)
    answers = {guid: best[0]["text"] for guid, best in nbest.items()}
    return SquadPredictions(answers_above(answers, null_odds, null_threshold), nbest, null_odds)


def answers_above(answers, null_odds, null_threshold):
    """The answers whose null odds are below the threshold, "" for the others; all for None."""
    if null_threshold is None:
        return dict(answers)
    kept = {guid for guid, odds in null_odds.items() if odds < null_threshold}
    return {guid: text if guid in kept else "" for guid, text in answers.items()}


def _null_odds(features, rounds):
    odds = np.full([len(rounds), len(features.examples)], NO_NULL_SCORE, np.float64)
    example_of = [window.example for window in features.windows]
    for row, output in zip(odds, rounds):
        np.minimum.at(row, example_of, np.asarray(output["cls_logits"], np.float64))
    means = sum(odds) / len(rounds)
    return {example.guid: float(x) for example, x in zip(features.examples, means)}


def _nbest(features, rounds, pairs, n_best_size, max_answer_length, no_answer):
    """The n best answers of all questions, from each window's candidate pairs."""
    rows_of = collections.defaultdict(list)
    for row, window in enumerate(features.windows):
        rows_of[window.example].append(row)
    nbest = {}
    for index, example in enumerate(features.examples):
        candidates = []
        for row, valid in zip(rows_of[index], _valid_starts(features, rows_of[index])):
            sums = {}
            for output in rounds:
                for start, end, start_score, end_score in zip(
                    *_valid_pairs(features, row, valid, *pairs(row, output), max_answer_length)
                ):
                    total = sums.setdefault((start, end), [0, 0, 0])
                    total[0] += start_score
                    total[1] += end_score
                    total[2] += 1
            candidates.extend((*span, s / n, e / n) for span, (s, e, n) in sums.items())
        candidates.sort(key=lambda c: c[2] + c[3], reverse=True)
        answers = _distinct_answers(example.context, features.contexts[index], candidates)
        answers = answers[:n_best_size] or [no_answer]
        nbest[example.guid] = _with_probabilities(answers)
    return nbest


def _valid_starts(features, rows):
    """For each window a mask over its pieces, where an answer may start."""
    spans = [(features.windows[row].start, features.windows[row].length) for row in rows]
    if len(spans) == 1:
        return [np.ones(spans[0][1], bool)]
    best = best_windows(spans) if spans else []
    return [best[start : start + length] == k for k, (start, length) in enumerate(spans)]


def _valid_pairs(features, row, valid, starts, ends, start_scores, end_scores, max_answer_length):
    """Lists of the valid starts and ends, as pieces of the context, and of their scores."""
    window = features.windows[row]
    first = features.first_context_position(window.example)
    keep = (starts >= first) & (ends >= starts) & (ends < first + window.length)
    keep &= ends - starts < max_answer_length
    keep[keep] = valid[starts[keep] - first]
    shift = window.start - first
    arrays = starts + shift, ends + shift, start_scores, end_scores
    return [array[keep].tolist() for array in arrays]


def _distinct_answers(text, context, candidates):
    """(text, start score, end score) of the candidates, each text once."""
    answers = {}
    for start, end, start_score, end_score in candidates:
        offsets = context.offsets
        answer = text[offsets.starts[start] : offsets.ends[end] + 1].strip()
        answers.setdefault(answer, (answer, start_score, end_score))
    return list(answers.values())


def _with_probabilities(answers):
    scores = [start + end for _, start, end in answers]
    powers = [math.exp(score - max(scores)) for score in scores]
    total = sum(powers)
    names = "text", "probability", "start_log_prob", "end_log_prob"
    return [
        dict(zip(names, (text, power / total, start, end)))
        for (text, start, end), power in zip(answers, powers)
    ]


def _check(output, shapes):
    for name, shape in shapes.items():
        if name not in output or list(np.shape(output[name])) != list(shape):
            got = f"shape {list(np.shape(output[name]))}" if name in output else "nothing"
            raise ValueError(
                f"Outputs must have {name} of shape {list(shape)}, a row for each row of the "
                f"features. Received: {got}. Cut the rows that only fill the last batch."
            )
        if not np.all(np.isfinite(output[name])):
            raise ValueError(
                f"{name} must be finite. Received: NaN or infinity. The model has diverged."
            )
