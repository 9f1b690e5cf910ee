import numpy as np
import pytest
import tensorflow as tf

from albert_tf.saved_model.windows import sliding_windows

SPECIAL_IDS = {"padding_id": 0, "start_of_sequence_id": 2, "end_of_segment_id": 3}


def windows_of_the_original(query, text, seq_length, stride):
    """`convert_examples_to_features` in plain Python: (ids, types, first token, size) a window."""
    head = [2, *query, 3] if query is not None else [2]
    found, start = [], 0
    while True:
        size = min(len(text) - start, seq_length - len(head) - 1)
        ids = [*head, *text[start : start + size], 3]
        types = [0] * len(head) + [0 if query is None else 1] * (size + 1)
        found.append((ids, types, start, size))
        if start + size == len(text):
            return found
        start += min(size, stride)


def best_window(windows, token):
    """`_check_is_max_context`: the window with most context, the first of equal ones."""
    scores = []
    for i, (_, _, start, size) in enumerate(windows):
        if start <= token < start + size:
            context = min(token - start, start + size - 1 - token) + 0.01 * size
            scores.append((-context, i))
    return min(scores)[1]


@pytest.mark.parametrize("with_query", [True, False])
@pytest.mark.parametrize("seq_length, stride", [(16, 5), (16, 100), (12, 1)])
def test_equals_the_originals_loop(with_query, seq_length, stride):
    rng = np.random.RandomState(seq_length + stride)
    texts = [rng.randint(5, 99, n).tolist() for n in (0, 1, 30, 7, 12, 9, 13, 41)]
    queries = [rng.randint(5, 99, n).tolist() for n in (3, 0, 5, 2, 7, 4, 0, 7)]
    if not with_query:
        queries = [None] * len(texts)
    result = sliding_windows(
        tf.ragged.constant(texts, dtype=tf.int32),
        seq_length,
        stride,
        SPECIAL_IDS,
        tf.ragged.constant(queries, dtype=tf.int32) if with_query else None,
    )
    expected = [
        windows_of_the_original(query, text, seq_length, stride)
        for query, text in zip(queries, texts)
    ]
    assert result.counts.numpy().tolist() == [len(windows) for windows in expected]
    flat = [(row, window) for row, windows in enumerate(expected) for window in windows]
    assert result.examples.numpy().tolist() == [row for row, _ in flat]
    width = max(len(ids) for _, (ids, _, _, _) in flat)
    assert result.inputs["input_word_ids"].shape == (len(flat), width)

    all_tokens = [token for text in texts for token in text]
    first_token = np.cumsum([0] + [len(text) for text in texts])
    inputs = {name: tensor.numpy() for name, tensor in result.inputs.items()}
    for w, (row, (ids, types, start, size)) in enumerate(flat):
        padding = [0] * (width - len(ids))
        assert inputs["input_word_ids"][w].tolist() == ids + padding
        assert inputs["input_mask"][w].tolist() == [1] * len(ids) + padding
        assert inputs["input_type_ids"][w].tolist() == types + padding
        text_begins = len(ids) - 1 - size
        is_text = result.is_text.numpy()[w]
        assert np.flatnonzero(is_text).tolist() == list(range(text_begins, text_begins + size))
        tokens = result.tokens.numpy()[w]
        assert tokens[is_text].tolist() == list(first_token[row] + start + np.arange(size))
        assert (tokens[~is_text] == len(all_tokens)).all()
        number = w - next(i for i, (r, _) in enumerate(flat) if r == row)
        expected_best = [best_window(expected[row], start + i) == number for i in range(size)]
        assert result.is_best.numpy()[w][is_text].tolist() == expected_best
    assert result.is_best.numpy().sum() == len(all_tokens)


def test_empty_batch():
    empty = tf.ragged.constant([], ragged_rank=1, dtype=tf.int32)
    result = sliding_windows(empty, 16, 5, SPECIAL_IDS, empty)
    assert result.inputs["input_word_ids"].shape[0] == 0
    assert result.examples.shape == (0,)
