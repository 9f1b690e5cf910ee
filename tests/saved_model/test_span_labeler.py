import json

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.saved_model.span_labeler import export_span_labeler
from albert_tf.tasks.span_labeler import AlbertSpanLabeler
from albert_tf.text.reference import ReferenceTokenizer
from tests.saved_model.task_exports import close, decoded, load, small_encoder

QUESTIONS = ["What is the licence?", "Why?", "Empty?"]
CONTEXTS = [
    "Zürich: the licence, in its Größe, is free of charge; no warranty is given by anyone. " * 2,
    "Because it is.",
    "",
]


@pytest.fixture(scope="module")
def encoder():
    return small_encoder()


def spans_by_hand(model, tokenizer, question, context, seq_length, stride, max_length):
    """All answers of one example in plain Python, best first: (score, first, limit)."""
    ids, starts, limits = tokenizer.encode_with_offsets(context)
    query = tokenizer.encode(question)[:4]
    room, first, windows = seq_length - len(query) - 3, 0, []
    while True:
        size = min(room, len(ids) - first)
        windows.append((first, size))
        if first + size == len(ids):
            break
        first += min(size, stride)
    found, null = [], []
    for w, (first, size) in enumerate(windows):
        row = [2, *query, 3, *ids[first : first + size], 3]
        begin = len(query) + 2
        types = [0] * begin + [1] * (size + 1)
        inputs = [tf.constant([x]) for x in (row, [1] * len(row), types)]
        outputs = {k: v.numpy()[0] for k, v in model(inputs).items()}
        if model.version_2:
            null.append(outputs["cls_logits"])
            pairs = [
                (outputs["start_top_log_probs"][k] + outputs["end_top_log_probs"][j], s - begin,
                 outputs["end_top_index"][j] - begin)
                for k, s in enumerate(outputs["start_top_index"])
                for j in range(k * model.end_n_top, (k + 1) * model.end_n_top)
            ]  # fmt: skip
        else:
            start, end = outputs["start_logits"], outputs["end_logits"]
            null.append(start[0] + end[0])
            pairs = [
                (start[begin + s] + end[begin + e], s, e) for s in range(size) for e in range(size)
            ]
        for score, s, e in pairs:
            if not (0 <= s <= e < size and e - s < max_length):
                continue
            token = first + s
            context_of = [
                (-(min(token - f, f + n - 1 - token) + 0.01 * n), i)
                for i, (f, n) in enumerate(windows)
                if f <= token < f + n
            ]
            if min(context_of)[1] == w and limits[first + e] > starts[token]:
                found.append((score, starts[token], limits[first + e]))
    return sorted(found, reverse=True), min(null)


@pytest.mark.parametrize("version_2", [False, True])
def test_span_labeler_answers_as_the_live_model(encoder, sp_model, tmp_path, version_2):
    model = AlbertSpanLabeler(encoder, version_2, start_n_top=4, end_n_top=3)
    export_span_labeler(
        model,
        tmp_path / "span",
        sp_model,
        rules="original",
        seq_length=24,
        doc_stride=6,
        max_query_length=4,
        max_answer_length=5,
        n_best=3,
        no_answer_threshold=1e9,
    )
    loaded, serve = load(tmp_path / "span")
    answer = serve(question=tf.constant(QUESTIONS), context=tf.constant(CONTEXTS))
    tokenizer = ReferenceTokenizer(sp_model)
    for i, (question, context) in enumerate(zip(QUESTIONS, CONTEXTS)):
        found, null = spans_by_hand(model, tokenizer, question, context, 24, 6, 5)
        texts, expected = [], []
        for score, first, limit in found:
            if context[first:limit] not in texts:
                texts.append(context[first:limit])
                expected.append((score, first, limit))
        texts, expected = texts[:3], expected[:3]
        missing = 3 - len(texts)
        assert decoded(answer["answers"][i]) == texts + [""] * missing
        close(answer["scores"][i], [score for score, _, _ in expected] + [-1e6] * missing)
        assert (
            answer["char_starts"][i].numpy().tolist()
            == [s for _, s, _ in expected] + [-1] * missing
        )
        assert (
            answer["char_ends"][i].numpy().tolist() == [e for _, _, e in expected] + [-1] * missing
        )
        for text, first, limit in zip(texts, answer["byte_starts"][i], answer["byte_ends"][i]):
            assert context.encode()[int(first) : int(limit)].decode() == text
        assert answer["answer"][i] == (texts[0] if texts else "").encode()
        best = expected[0][0] if expected else -1e6
        close(answer["no_answer_score"][i], null if version_2 else null - best)


def test_no_answer_threshold(encoder, sp_model, tmp_path, unchecked):
    model = AlbertSpanLabeler(encoder, version_2=True)
    export_span_labeler(model, tmp_path / "span", sp_model, seq_length=64, max_query_length=8)
    loaded, serve = load(tmp_path / "span")
    assert json.loads(loaded.task().numpy())["no_answer_threshold"] == 0.0
    answer = serve(
        question=tf.constant(QUESTIONS * 4), context=tf.constant(CONTEXTS * 2 + QUESTIONS * 2)
    )
    has_answer = answer["no_answer_score"].numpy() < 0
    expected = np.where(has_answer, answer["answers"].numpy()[:, 0], b"")
    assert answer["answer"].numpy().tolist() == expected.tolist()
