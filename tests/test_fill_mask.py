import doctest
import shutil

import numpy as np
import pytest
import tensorflow as tf

from albert_tf import fill_mask
from albert_tf._keras import keras
from albert_tf.checkpoints import read as reading
from albert_tf.encoder import AlbertEncoder
from albert_tf.fill_mask import FillMask
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.task_record import write_task
from albert_tf.text.reference import ReferenceTokenizer
from tests.conftest import GOLDENS
from tests.random_tiny import SP_MODEL

CLS, SEP, MASK = 2, 3, 4


@pytest.fixture(scope="module")
def pretrainer():
    keras.utils.set_random_seed(3)
    return AlbertPretrainer(
        AlbertEncoder(1000, 8, 16, 2, 2, 32, intermediate_size=24, initializer=0.5)
    )


@pytest.fixture(scope="module")
def fill(pretrainer):
    return FillMask(pretrainer, SP_MODEL)


@pytest.fixture(scope="module")
def tokenizer():
    return ReferenceTokenizer(SP_MODEL)


def probabilities(pretrainer, ids):
    """Of the word pieces at each mask of unpadded ids, [masks, vocab_size]."""
    ids = [CLS, *ids, SEP]
    positions = [i for i, token in enumerate(ids) if token == MASK]
    rows = tf.constant([ids])
    logits = pretrainer([rows, tf.ones_like(rows), tf.zeros_like(rows), tf.constant([positions])])
    exponentials = np.exp(logits["mlm_logits"][0].numpy().astype(np.float64))
    return exponentials / exponentials.sum(-1, keepdims=True)


def check_scores(answer, expected):
    """`answer` has the best of `expected` [vocab_size], best first."""
    scores = [filling["score"] for filling in answer]
    tokens = [filling["token"] for filling in answer]
    np.testing.assert_allclose(scores, np.sort(expected)[::-1][: len(scores)], rtol=1e-4)
    np.testing.assert_allclose(scores, expected[tokens], rtol=1e-4)
    assert all(type(score) is float for score in scores)
    assert all(type(token) is int for token in tokens)


def test_one_mask(fill, pretrainer, tokenizer):
    ids = [*tokenizer.encode("The licence of"), MASK, *tokenizer.encode("is free .")]
    (expected,) = probabilities(pretrainer, ids)
    answer = fill("The licence of [MASK] is  FREE .")
    assert len(answer) == 5
    check_scores(answer, expected)
    for filling in answer:
        assert list(filling) == ["score", "token", "token_str", "sequence"]
        (piece,) = tokenizer.ids_to_pieces([filling["token"]])
        assert filling["token_str"] == piece.removeprefix("▁")
        space = " " if piece.startswith("▁") else ""
        assert filling["sequence"] == f"the licence of{space}{filling['token_str']} is free ."
    assert fill("The licence of [MASK] is free .", top_k=1) == answer[:1]
    assert len(fill("[MASK]", top_k=1000)) == 1000


def test_several_masks(fill, pretrainer, tokenizer):
    ids = [MASK, *tokenizer.encode("of the"), MASK, *tokenizer.encode("is"), MASK]
    expected = probabilities(pretrainer, ids)
    answer = fill("[MASK] of the [MASK] is [MASK]", top_k=1000)
    assert len(answer) == 3
    for best, scores in zip(answer, expected):
        check_scores(best, scores)
    free = tokenizer.encode("free")[0]
    sequences = [
        next(filling["sequence"] for filling in best if filling["token"] == free) for best in answer
    ]
    assert sequences == [
        "free of the [MASK] is [MASK]",
        "[MASK] of the free is [MASK]",
        "[MASK] of the [MASK] is free",
    ]


def test_lists_are_answered_in_batches_by_one_graph(pretrainer):
    fill = FillMask(pretrainer, SP_MODEL)
    texts = ["[MASK]", "the [MASK] is not [MASK] .", "all of the software is [MASK]", "[MASK] it"]
    alone = [fill(text) for text in texts]
    for batch_size in (1, 3, 32):
        for answer, expected in zip(fill(texts, batch_size=batch_size), alone, strict=True):
            answer, expected = np.ravel(answer), np.ravel(expected)
            assert [x["sequence"] for x in answer] == [x["sequence"] for x in expected]
            scores = [[x["score"] for x in row] for row in (answer, expected)]
            np.testing.assert_allclose(*scores, rtol=1e-4)
    assert fill([]) == []
    assert fill(["[MASK]"], top_k=2) == [fill("[MASK]", top_k=2)]
    assert fill._best.experimental_get_tracing_count() == 1


def test_targets(fill, pretrainer, tokenizer):
    (expected,) = probabilities(pretrainer, [*tokenizer.encode("it is"), MASK])
    answer = fill("it is [MASK]", targets=["Free", "software", "free", "."], top_k=9)
    tokens = {filling["token_str"]: filling["token"] for filling in answer}
    free, software, stop = tokenizer.pieces_to_ids(["▁free", "▁software", "."])
    assert tokens == {"free": free, "software": software, ".": stop}
    scores = [filling["score"] for filling in answer]
    np.testing.assert_allclose(scores, expected[[x["token"] for x in answer]], rtol=1e-4)
    assert scores == sorted(scores, reverse=True)
    assert fill("it is [MASK]", targets="free") == fill("it is [MASK]", targets=["▁free"])
    assert len(fill("it is [MASK]", targets=["free", "software"], top_k=1)) == 1


def test_special_pieces_are_filled_in_as_nothing(fill):
    (filling,) = fill("it is [MASK] free", targets=["[SEP]"])
    assert filling["token_str"] == "[SEP]" and filling["sequence"] == "it is free"


def test_texts_as_long_as_the_encoder_allows(fill):
    assert len(fill("[MASK]" + " the" * 29)) == 5
    with pytest.raises(ValueError, match=r"fit the encoder's 32 positions .* with 31 tokens"):
        fill(["[MASK]", "[MASK]" + " the" * 30])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"texts": "it is free"}, r"must have \[MASK\] where .* Received: 'it is free'"),
        ({"top_k": 0}, "`top_k` must be a positive integer of at most 1000. Received: 0"),
        ({"top_k": 1001}, "`top_k` must be a positive integer of at most 1000. Received: 1001"),
        ({"top_k": 2.0}, "`top_k` must be a positive integer of at most 1000. Received: 2.0"),
        ({"batch_size": 0}, "`batch_size` must be a positive integer. Received: 0"),
        ({"targets": []}, r"`targets` must be at least one word. Received: \[\]"),
        ({"targets": ["free", "the free"]}, r"Received: 'the free', whose pieces are \['▁the', '▁"),
        (
            {"targets": ["北"]},
            r"one piece .* Received: '北', whose pieces are \['▁', '北'\]",
        ),
        ({"targets": ["<unk>"]}, "must be one piece of the vocabulary. Received: '<unk>'"),
    ],
)
def test_errors(fill, arguments, message):
    with pytest.raises(ValueError, match=message):
        fill(**{"texts": "it is [MASK]", **arguments})


def test_models_that_do_not_fit(pretrainer):
    encoder = pretrainer.encoder
    with pytest.raises(TypeError, match="takes an AlbertPretrainer.* Received: AlbertEncoder"):
        FillMask(encoder, SP_MODEL)
    with pytest.raises(ValueError, match="needs a masked LM head. Received: an AlbertPretrainer"):
        FillMask(AlbertPretrainer(encoder, masked_lm=None), SP_MODEL)
    with pytest.raises(ValueError, match="vocab_size=50. Received: .*sentencepiece.model. with 10"):
        FillMask(AlbertPretrainer(AlbertEncoder(50, 8, 16, 1, 2, intermediate_size=24)), SP_MODEL)


def test_from_checkpoint(tiny_checkpoint, sp_model, tmp_path, monkeypatch):
    with pytest.raises(
        ValueError, match="there is not exactly one with the checkpoint .*. Pass `sp_"
    ):
        FillMask.from_checkpoint(tiny_checkpoint)
    shutil.copytree(tiny_checkpoint, tmp_path / "tiny")
    shutil.copyfile(sp_model, tmp_path / "tiny" / "30k-clean.model")
    given = FillMask.from_checkpoint(tiny_checkpoint, sp_model)
    opened = []
    monkeypatch.setattr(reading, "read", lambda *x, read=reading.read: opened.append(x) or read(*x))
    answer = FillMask.from_checkpoint(tmp_path / "tiny")("the [MASK]")
    assert len(opened) == 1
    assert answer == given("the [MASK]")
    expected = probabilities(given.pretrainer, [*given.tokenizer.encode("the"), MASK])
    check_scores(answer, expected[0])


def test_checkpoint_without_the_head():
    preset = GOLDENS / "keras_hub" / "preset"
    with pytest.raises(ValueError, match="masked LM head. Received: '.*preset' without one. Take"):
        FillMask.from_checkpoint(preset, SP_MODEL)


def test_example_of_the_docstring():
    results = doctest.testmod(fill_mask)
    assert results.attempted > 3 and results.failed == 0


def test_refuses_a_model_of_other_text_rules(pretrainer, tmp_path):
    shutil.copy(SP_MODEL, tmp_path / "a.model")
    write_task(tmp_path, {"rules": "tfhub"})
    with pytest.raises(ValueError, match="rules 'original'. Received: a model .*with 'tfhub'"):
        FillMask(pretrainer, tmp_path / "a.model")
