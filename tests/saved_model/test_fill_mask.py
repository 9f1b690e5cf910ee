"""`export_fill_mask`: the same fillings as `FillMask`."""

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.encoder import AlbertEncoder
from albert_tf.fill_mask import FillMask
from albert_tf.prediction.predictor import Predictor
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.saved_model.contract.tasks import check_task
from albert_tf.saved_model.fill_mask import export_fill_mask, fill_mask_task
from albert_tf.saved_model.tasks import serving_function
from albert_tf.text.masked_text import tokenize_masked
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.text.tokenizer import Tokenizer
from albert_tf.text.wordpiece_tokenizer import WordPieceTokenizer
from albert_tf.text.wordpiece_vocabulary import WordPieceVocabulary
from tests.saved_model.task_exports import close, decoded, load, small_encoder

TEXTS = [
    "The [MASK] is free.",
    "no mask",
    "[MASK] of the [MASK]ing , 2010, so",
    "x 漢[MASK]字[MASK][MASK]",
    "",
    "[MASK]",
]


@pytest.fixture(scope="module")
def pretrainer():
    return AlbertPretrainer(small_encoder())


def test_masks_are_the_tokens_of_the_reference(sp_model):
    reference = ReferenceTokenizer(sp_model)
    texts = [text for text in TEXTS if "[MASK]" in text]
    tokens, _ = Tokenizer(sp_model, "original").tokenize_masked(texts)
    for text, ids in zip(texts, tokens.to_list()):
        pieces = [
            p.removeprefix("▁") if "[MASK]" in p else p for p in tokenize_masked(reference, text)
        ]
        assert ids == reference.pieces_to_ids(pieces)
    plain = ["a text, without", ""]
    tokens, _ = Tokenizer(sp_model, "tfhub").tokenize_masked(plain)
    assert tokens.to_list() == Tokenizer(sp_model, "tfhub")(plain).to_list()


def test_answers(pretrainer, sp_model, tmp_path):
    checks = export_fill_mask(pretrainer, tmp_path / "out", sp_model, top_k=3)
    assert all(check.difference is None for check in checks)
    loaded, serve = load(tmp_path / "out")
    assert all(check.difference is None for check in check_task(loaded))
    outputs = {name: x.numpy() for name, x in serve(text=tf.constant(TEXTS)).items()}
    assert outputs["counts"].tolist() == [1, 0, 2, 3, 0, 1]
    assert outputs["scores"].shape == (6, 3, 3)
    fill = FillMask(pretrainer, sp_model)
    for i, text in enumerate(TEXTS):
        count = outputs["counts"][i]
        assert set(outputs["token_ids"][i, count:].ravel().tolist()) <= {-1}
        assert set(outputs["sequences"][i, count:].ravel().tolist()) <= {b""}
        if count:
            expected = fill(text, top_k=3)
            for m, mask in enumerate([expected] if count == 1 else expected):
                assert outputs["token_ids"][i, m].tolist() == [x["token"] for x in mask]
                assert decoded(outputs["sequences"][i, m]) == [x["sequence"] for x in mask]
                close(outputs["scores"][i, m], [x["score"] for x in mask])
    for batch in (0, 1):
        assert serve(text=tf.constant(["[MASK]"] * batch, tf.string))["scores"].shape[0] == batch
    again = AlbertPretrainer.from_checkpoint(tmp_path / "out")
    assert len(again.weights_by_name()) >= len(again.encoder.weights_by_name())


def test_a_mask_that_would_be_cut_off_is_an_error(pretrainer, sp_model):
    serve, _, _kept = serving_function(fill_mask_task(pretrainer, sp_model), sp_model, None, 8)
    long = "one two three four five six seven"
    assert serve(text=tf.constant(["[MASK] " + long]))["counts"].numpy().tolist() == [1]
    with pytest.raises(tf.errors.InvalidArgumentError, match="within the first 8 tokens"):
        serve(text=tf.constant(["[MASK]", long + " [MASK]"]))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"must not hold U\+FDD0"):
        serve(text=tf.constant(["[MASK] \ufdd0"]))


def test_wrong_arguments(pretrainer, sp_model):
    with pytest.raises(TypeError, match="takes an AlbertPretrainer. Received: AlbertEncoder"):
        fill_mask_task(pretrainer.encoder, sp_model)
    bare = AlbertPretrainer(AlbertEncoder(1000, 8, 16, 1, 2), masked_lm=None)
    with pytest.raises(ValueError, match="needs a masked LM head. Received: an AlbertPretrainer"):
        fill_mask_task(bare, sp_model)
    for top_k, message in ((0, "positive integer"), (1001, "at most the 1000 pieces")):
        with pytest.raises(ValueError, match=message):
            fill_mask_task(pretrainer, sp_model, top_k)


def test_scores_are_probabilities(pretrainer, sp_model):
    serve, _, _kept = serving_function(
        fill_mask_task(pretrainer, sp_model, 1000), sp_model, seq_length=64
    )
    scores = serve(text=tf.constant(["a [MASK] b"]))["scores"].numpy()
    np.testing.assert_allclose(scores.sum(-1), 1, rtol=1e-5)


def test_wordpiece(wordpiece_checkpoint, vocab_file):
    texts = [
        "我[MASK]北京,[MASK]!",
        "no mask",
        "The [MASK]ing",
        "",
        "[MASK]",
        "[MASK] 爱 x\U0001f600",
    ]
    fill = FillMask.from_checkpoint(wordpiece_checkpoint)
    tokens, _ = WordPieceTokenizer(vocab_file).tokenize_masked(texts)
    pieces = [tokenize_masked(fill.tokenizer, t) if "[MASK]" in t else None for t in texts]
    for text, ids, row in zip(texts, tokens.to_list(), pieces):
        row = fill.tokenizer.tokenize(text) if row is None else row
        assert ids == fill.tokenizer.pieces_to_ids(row)
    pretrainer = fill.pretrainer
    random = np.random.default_rng(0)  # The initial weights answer everything alike.
    pretrainer.set_weights([random.normal(0, 0.3, w.shape) for w in pretrainer.get_weights()])
    vocabulary = WordPieceVocabulary.read(vocab_file)
    task = fill_mask_task(pretrainer, vocabulary, 222)
    serve, record, _kept = serving_function(task, vocabulary, seq_length=32)
    assert record["do_lower_case"] is True
    outputs = {name: x.numpy() for name, x in serve(text=tf.constant(texts)).items()}
    for i, text in enumerate(texts):
        count = text.count("[MASK]")
        assert outputs["counts"][i] == count
        expected = fill(text, top_k=222) if count else []
        for m, mask in enumerate([expected] if count == 1 else expected):
            by_token = {x["token"]: x for x in mask}
            for token, sequence, score in zip(
                outputs["token_ids"][i, m], outputs["sequences"][i, m], outputs["scores"][i, m]
            ):
                assert sequence.decode() == by_token[token]["sequence"]
                close(score, by_token[token]["score"])


def test_wordpiece_saved_model(wordpiece_checkpoint, vocab_file, tmp_path, unchecked):
    pretrainer = AlbertPretrainer.from_checkpoint(wordpiece_checkpoint)
    path = tmp_path / "out"
    export_fill_mask(pretrainer, path, vocab_file=vocab_file, do_lower_case=False, top_k=1)
    answer = Predictor(path)("The [MASK]!")
    assert answer == FillMask(pretrainer, vocab_file=vocab_file, do_lower_case=False)(
        "The [MASK]!", top_k=1
    )
