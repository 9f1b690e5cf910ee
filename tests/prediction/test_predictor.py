"""`Predictor`: equal to the SavedModel called row by row, for every task and from every source."""

import numpy as np
import pytest
import tensorflow as tf

import albert_tf
from albert_tf import Predictor
from tests.prediction.models import CHOICES, INPUTS, MASKED, TEXTS


@pytest.fixture(scope="module")
def predictor_of(model_of):
    made = {}

    def predictor(kind):
        if kind not in made:
            made[kind] = Predictor(model_of(kind), batch_tokens=40)
        return made[kind]

    return predictor


def one_by_one(predictor, items):
    """What `serving_default` answers to each item alone, as NumPy."""
    answers = []
    for item in items:
        values = (item,) if isinstance(item, str) else item
        named = {n: tf.constant([v]) for n, v in zip(predictor.text_inputs, values)}
        outputs = predictor.text_function.function(**named)
        answers.append({name: x.numpy()[0] for name, x in outputs.items()})
    return answers


def alike(a, b):
    """Equal, floats nearly so."""
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        return all(alike(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        return all(map(alike, a, b))
    if isinstance(a, (float, np.ndarray)):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
        return True
    assert a == b
    return True


@pytest.mark.parametrize("kind", INPUTS)
def test_equal_in_every_form(kind, predictor_of):
    predictor, items = predictor_of(kind), INPUTS[kind]
    alone = [predictor(item) for item in items]
    assert alike(alone, list(predictor(items)))
    stream = predictor(item for item in items)
    assert iter(stream) is stream and alike(alone, list(stream))
    as_dicts = [dict(zip(predictor.text_inputs, (i,) if isinstance(i, str) else i)) for i in items]
    assert alike(alone, list(predictor(as_dicts)))


def test_classifier(predictor_of):
    predictor = predictor_of("classifier")
    expected = one_by_one(predictor_of("classifier"), TEXTS)
    for answer, right in zip(predictor(TEXTS), expected):
        assert answer["label"] == right["label"].decode()
        assert answer["score"] == pytest.approx(right["probabilities"].max(), abs=1e-5)
    for ranked, right in zip(predictor(TEXTS, top_k=None), expected):
        by_label = {answer["label"]: answer["score"] for answer in ranked}
        assert [by_label[x] for x in ("no", "maybe", "yes")] == pytest.approx(
            right["probabilities"].tolist(), abs=1e-5
        )
        assert [a["score"] for a in ranked] == sorted(by_label.values(), reverse=True)
    assert len(predictor("one", top_k=2)) == 2
    assert alike(predictor(np.array(TEXTS)), predictor(TEXTS))
    assert alike(predictor([text.encode() for text in TEXTS]), predictor(TEXTS))
    dataset = tf.data.Dataset.from_tensor_slices(TEXTS)
    assert alike(list(predictor(dataset)), predictor(TEXTS))
    assert predictor([]) == [] and list(predictor(iter([]))) == []


def test_pairs_by_name(predictor_of):
    predictor = predictor_of("pairs")
    one = predictor(("Who?", "Ann."))
    assert alike(one, predictor(text_a="Who?", text_b="Ann."))
    assert alike(one, predictor({"text": "Who?", "text_pair": "Ann."}))
    assert alike([one], predictor(text_a=["Who?"], text_b=["Ann."]))


def test_multi_label(predictor_of):
    expected = one_by_one(predictor_of("multi-label"), TEXTS)
    found = predictor_of("multi-label")(TEXTS)
    for answer, right in zip(found, expected):
        labels = np.array(["no", "maybe", "yes"])[right["predictions"]].tolist()
        assert sorted(a["label"] for a in answer) == sorted(labels)
    assert {len(answer) for answer in found} != {3}
    assert len(predictor_of("multi-label")("text", top_k=None)) == 3


def test_regression(predictor_of):
    expected = one_by_one(predictor_of("regression"), TEXTS)
    answers = predictor_of("regression")(TEXTS)
    assert [a["score"] for a in answers] == pytest.approx([e["score"] for e in expected], abs=1e-5)


def test_entities_are_grouped(predictor_of):
    expected = one_by_one(predictor_of("token-classifier"), TEXTS)
    found = predictor_of("token-classifier")(TEXTS)
    for answer, right, text in zip(found, expected, TEXTS):
        tagged = sum(tag not in (b"", b"O") for tag in right["tags"])
        assert sum(len(entity["word"].split()) for entity in answer) == tagged
        for entity in answer:
            assert entity["entity_group"] == "X"
            assert text[entity["start"] : entity["end"]] == entity["word"]
    assert any(found)


def test_answers_to_questions(predictor_of):
    items = INPUTS["span-labeler"]
    expected = one_by_one(predictor_of("span-labeler"), items)
    for answer, right, (_, context) in zip(predictor_of("span-labeler")(items), expected, items):
        assert answer["answer"] == right["answer"].decode()
        if answer["answer"]:
            assert context[answer["start"] : answer["end"]] == answer["answer"]
            assert answer["score"] == pytest.approx(right["probabilities"][0], abs=1e-5)
        else:
            assert (answer["start"], answer["end"]) == (0, 0) and 0 <= answer["score"] <= 1
    several = predictor_of("span-labeler")(items[3], top_k=None)
    assert len(several) > 1 and sum(a["score"] for a in several) == pytest.approx(1, abs=1e-4)


def test_multiple_choice(predictor_of):
    expected = one_by_one(predictor_of("multiple-choice"), CHOICES)
    predictor = predictor_of("multiple-choice")
    for answer, right in zip(predictor(CHOICES), expected):
        assert (answer["choice"], answer["answer"]) == (right["choice"], right["answer"].decode())
    context, question, choices = CHOICES[0]
    by_name = predictor(context=context, question=question, choices=list(choices))
    assert alike(by_name, predictor(CHOICES[0]))
    assert len(predictor(CHOICES[1], top_k=None)) == 3


def test_embedding(predictor_of):
    expected = one_by_one(predictor_of("embedding"), TEXTS)
    vectors = predictor_of("embedding")(TEXTS)
    assert vectors.dtype == np.float32 and vectors.shape == (len(TEXTS), 16)
    assert alike(vectors, np.stack([e["embedding"] for e in expected]))
    assert predictor_of("embedding")([]).shape == (0, 16)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_fill_mask_answers_as_fill_mask_does(tiny_checkpoint, sp_model):
    predictor = Predictor(tiny_checkpoint, "fill-mask", sp_model=sp_model, top_k=3)
    fill = albert_tf.FillMask.from_checkpoint(tiny_checkpoint, sp_model)
    texts = [
        *MASKED,
        "it is [MASK]ing in [MASK], 2010, so",
        "漢[MASK]字 x [MASK] .",
        "[MASK]",
        "a[MASK]",
    ]
    assert alike(predictor(texts), fill(texts, top_k=3))
    assert len(predictor(texts[0], top_k=1)) == 1
    long = "a b c d " * 500
    for text in (long + "[MASK]", f"[MASK] {long} [MASK]"):
        with pytest.raises(ValueError, match=r"within the first \d+ tokens .* Received: text 1"):
            predictor(["[MASK]", text])
    assert len(predictor("[MASK] " + long)) == 3


@pytest.mark.parametrize("kind", ["token-classifier", "embedding", "multi-label"])
def test_live_model_answers_as_its_savedmodel(kind, model_of, predictor_of):
    live = Predictor(model_of(kind), seq_length=32)  # A setting: built anew from the weights.
    assert live.record == predictor_of(kind).record
    assert alike(list(live(INPUTS[kind])), list(predictor_of(kind)(INPUTS[kind])))


def test_another_task_of_the_same_weights(model_of, predictor_of):
    embed = Predictor(model_of("classifier"), "embedding", pooling="cls", normalize=False)
    assert embed.record["pooling"] == "cls" and embed("one").shape == (16,)
    with pytest.raises(ValueError, match="must have the head of the model"):
        Predictor(model_of("classifier"), "span_labeler")


@pytest.mark.parametrize(
    "kind, items, message",
    [
        ("classifier", ["a", 3], "Texts must be str. Received: text 1: 3 of type int"),
        ("classifier", ["a", float("nan")], "Received: text 1: nan of type float"),
        ("classifier", ["a", None], "Received: text 1: None of type NoneType"),
        ("classifier", ["a", "\ud800"], "valid Unicode. Received: text 1: a lone surrogate"),
        ("classifier", [b"\xff"], "must be UTF-8. Received: text 0: byte 0xff at 0"),
        ("classifier", [("a", "b")], r"Texts must be str. Received: text 0: \('a', 'b'\)"),
        ("classifier", [{"txt": "a"}], "key text. Received: text 0: a dict with the keys txt"),
        ("classifier", 5, "text or an iterable of texts. Received: 5 of type int"),
        ("pairs", ["a", "b"], r"tuple \(text_a, text_b\).* Received: text 0: 'a'"),
        ("multiple-choice", [("a", "b", "c")], "must be a list of texts. Received: text 0: 'c'"),
        ("multiple-choice", [("a", "b", [])], "must be a choice. Received: text 0: none"),
        ("fill-mask", ["[MASK]", "a"], r"must have \[MASK\] .* Received: text 1: 'a'"),
        ("fill-mask", ["\ufdd0[MASK]"], r"must not hold U\+FDD0.* Received: text 0"),
    ],
)
def test_wrong_inputs_are_named(kind, items, message, predictor_of):
    with pytest.raises((ValueError, TypeError), match=message):
        predictor_of(kind)(items)
    if not isinstance(items, int):
        with pytest.raises((ValueError, TypeError), match=message):
            list(predictor_of(kind)(iter(items)))


def test_wrong_arguments(model_of, predictor_of, tiny_checkpoint, sp_model):
    with pytest.raises(ValueError, match="Received: .*tiny.* and no task. Say which"):
        Predictor(tiny_checkpoint, sp_model=sp_model)
    with pytest.raises(ValueError, match="The task must be one of classifier, .* Received: 'x'"):
        Predictor(tiny_checkpoint, "x", sp_model=sp_model)
    with pytest.raises(ValueError, match="Settings of the task embedding are .* Received: top_k"):
        Predictor(tiny_checkpoint, "embedding", sp_model=sp_model, top_k=3)
    with pytest.raises(ValueError, match="`batch_tokens` must be a positive integer. Received: 0"):
        Predictor(model_of("classifier"), batch_tokens=0)
    with pytest.raises(ValueError, match="`top_k` must be a positive integer.* Received: 0"):
        predictor_of("classifier")(["a"], top_k=0)
    with pytest.raises(ValueError, match="top_k=2 for a model of regression"):
        predictor_of("regression")(["a"], top_k=2)
    with pytest.raises(ValueError, match="takes a tuple .* Received: question"):
        predictor_of("span-labeler")(question="a")
    with pytest.raises(ValueError, match="as many of each. Received: 2 of question, 1 of context"):
        predictor_of("span-labeler")(question=["a", "b"], context=["c"])


def test_a_generator_is_read_one_window_ahead(predictor_of, monkeypatch):
    from albert_tf.prediction import batches

    monkeypatch.setattr(batches.windows, "__defaults__", (3,))
    read = []

    def texts():
        for i in range(10):
            read.append(i)
            yield f"text {i}"

    stream = predictor_of("classifier")(texts())
    assert read == []
    next(stream)
    assert len(read) == 4  # The fourth closes the window of three.
    assert len(list(stream)) == 9
