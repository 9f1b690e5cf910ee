import numpy as np
import tensorflow as tf

from albert_tf.saved_model.best_spans import (
    NO_SPAN_SCORE,
    best_spans,
    conditional_candidates,
    independent_candidates,
)
from albert_tf.saved_model.windows import sliding_windows

SPECIAL_IDS = {"padding_id": 0, "start_of_sequence_id": 2, "end_of_segment_id": 3}
TEXTS = ["añ bb cc dd ee ff gg", "one two", ""]
N_BEST = 4


def tokenized():
    """One token a word; returns ids, byte starts and byte limits."""
    words = [text.split() for text in TEXTS]
    starts = []
    for text, parts in zip(TEXTS, words):
        position, row = 0, []
        for part in parts:
            position = text.index(part, position)
            row.append(len(text[:position].encode()))
            position += len(part)
        starts.append(row)
    limits = [[s + len(p.encode()) for s, p in zip(*row)] for row in zip(starts, words)]

    def ragged(rows, dtype):
        return tf.ragged.constant(rows, dtype=dtype, row_splits_dtype=tf.int64, ragged_rank=1)

    ids = [[7] * len(row) for row in words]
    return ragged(ids, tf.int32), ragged(starts, tf.int64), ragged(limits, tf.int64)


def query_and_windows(ids):
    query = tf.ragged.constant([[5], [5, 6], [5]], dtype=tf.int32)
    return sliding_windows(ids, 8, 2, SPECIAL_IDS, query)  # 4 words a window, or 3


def by_hand(scores, windows, row, max_length):
    """All allowed spans of an example, best first: (score, first word, last word)."""
    tokens, best = windows.tokens.numpy(), windows.is_best.numpy()
    is_text = windows.is_text.numpy()
    first = sum(len(text.split()) for text in TEXTS[:row])
    found = []
    for w in np.flatnonzero(windows.examples.numpy() == row):
        for s in np.flatnonzero(best[w]):
            for e in range(s, min(s + max_length, tokens.shape[1])):
                if is_text[w, e]:
                    found.append((scores(w, s, e), tokens[w, s] - first, tokens[w, e] - first))
    return sorted(found, reverse=True)


def check(result, row, spans):
    words = TEXTS[row].split()
    spans = spans[:N_BEST]
    answers = [" ".join(words[s : e + 1]) for _, s, e in spans]
    missing = N_BEST - len(spans)
    result = {name: value.numpy()[row].tolist() for name, value in result.items()}
    assert [a.decode() for a in result["answers"]] == answers + [""] * missing
    expected_scores = [score for score, _, _ in spans] + [NO_SPAN_SCORE] * missing
    np.testing.assert_allclose(result["scores"], expected_scores, rtol=1e-5)
    for i, answer in enumerate(answers):
        assert TEXTS[row][result["char_starts"][i] : result["char_ends"][i]] == answer
        span = slice(result["byte_starts"][i], result["byte_ends"][i])
        assert TEXTS[row].encode()[span] == answer.encode()
    assert result["char_starts"][len(spans) :] == [-1] * missing
    np.testing.assert_allclose(sum(result["probabilities"]), 1.0 if spans else 0.0, rtol=1e-5)


def test_independent_candidates_find_the_best_spans_of_all_windows():
    ids, byte_starts, byte_limits = tokenized()
    windows = query_and_windows(ids)
    assert windows.counts.numpy().tolist() == [3, 1, 1]
    shape = windows.tokens.shape
    rng = np.random.RandomState(1)
    start, end = rng.normal(size=shape), rng.normal(size=shape)
    outputs = {
        "start_logits": tf.constant(start, tf.float32),
        "end_logits": tf.constant(end, tf.float32),
    }
    for max_length in (1, 3, 30):
        candidates = independent_candidates(outputs, windows, max_length)
        result = best_spans(
            candidates, windows, tf.constant(TEXTS), byte_starts, byte_limits, N_BEST
        )
        for row in range(3):
            expected = by_hand(lambda w, s, e: start[w, s] + end[w, e], windows, row, max_length)
            check(result, row, expected)


def test_conditional_candidates_keep_only_allowed_spans():
    ids, byte_starts, byte_limits = tokenized()
    windows = query_and_windows(ids)
    count, width = windows.tokens.shape
    rng = np.random.RandomState(2)
    starts = np.stack([rng.permutation(width)[:5] for _ in range(count)]).astype(np.int32)
    ends = np.stack([[rng.permutation(width)[:4] for _ in range(5)] for _ in range(count)])
    ends = ends.reshape(count, 20).astype(np.int32)
    start_scores, end_scores = rng.normal(size=starts.shape), rng.normal(size=ends.shape)
    outputs = {
        "start_top_index": tf.constant(starts),
        "end_top_index": tf.constant(ends),
        "start_top_log_probs": tf.constant(start_scores, tf.float32),
        "end_top_log_probs": tf.constant(end_scores, tf.float32),
    }
    score = {}
    for w in range(count):
        for k in range(5):
            for j in range(4 * k, 4 * k + 4):
                score[w, starts[w, k], ends[w, j]] = start_scores[w, k] + end_scores[w, j]
    candidates = conditional_candidates(outputs, windows, 3)
    result = best_spans(candidates, windows, tf.constant(TEXTS), byte_starts, byte_limits, N_BEST)
    for row in range(3):
        every = by_hand(lambda w, s, e: score.get((w, s, e), -np.inf), windows, row, 3)
        check(result, row, [span for span in every if span[0] > -np.inf])
    assert any(value > 0 for value in result["probabilities"].numpy()[0])


def test_a_text_found_twice_counts_once():
    ids = tf.ragged.constant([[7, 7]], dtype=tf.int32)
    windows = sliding_windows(ids, 8, 4, SPECIAL_IDS)
    outputs = {"start_logits": tf.zeros([1, 4]), "end_logits": tf.constant([[0.0, 1, 2, 0]])}
    candidates = independent_candidates(outputs, windows, 1)
    offsets = [
        tf.ragged.constant([x], dtype=tf.int64, row_splits_dtype=tf.int64) for x in ([0, 3], [2, 5])
    ]
    result = best_spans(candidates, windows, tf.constant(["ab ab"]), *offsets, n_best=2)
    assert result["answers"].numpy().tolist() == [[b"ab", b""]]
    assert result["byte_starts"].numpy().tolist() == [[3, -1]]
