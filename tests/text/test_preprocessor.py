"""The live preprocessor against recordings of TF Hub's preprocessor and of the original's code."""

import json

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.text.preprocessor import Preprocessor
from tests.conftest import FIXTURES, GOLDENS
from tests.text.test_reference import NEW_CHARACTERS, RECORDINGS

pytest.importorskip("tensorflow_text")

NAMES = ("input_word_ids", "input_mask", "input_type_ids")


@pytest.fixture(scope="module")
def tfhub():
    return Preprocessor(FIXTURES / "tf_hub_tiny.model", rules="tfhub")


@pytest.fixture(scope="module")
def original():
    return Preprocessor(FIXTURES / "tiny.model", rules="original", seq_length=16)


@pytest.fixture(scope="module")
def hub_golden():
    strings = json.loads((GOLDENS / "tf_hub/preprocess_strings.json").read_text("utf-8"))
    return strings, np.load(GOLDENS / "tf_hub/preprocess_golden.npz")


def modes(function, argument):
    """Results of a function of one batch: eagerly, in tf.function, in tf.data."""
    yield function(argument)
    yield tf.function(function)(argument)
    rows = tf.data.Dataset.from_tensor_slices(argument).batch(len(argument))
    yield next(iter(rows.map(function)))


def test_tokens_equal_tf_hub(tfhub, hub_golden):
    strings, golden = hub_golden
    for tokens in modes(tfhub.tokenize, tf.constant(strings["single"])):
        np.testing.assert_array_equal(tokens.values, golden["tokens/values"])
        np.testing.assert_array_equal(tokens.row_splits, golden["tokens/row_splits"])
        assert tokens.dtype == tf.int32 and tokens.row_splits.dtype == tf.int64


@pytest.mark.parametrize("seq_length", [8, 16, 128])
def test_inputs_equal_tf_hub(tfhub, hub_golden, seq_length):
    strings, golden = hub_golden

    def single(texts):
        return tfhub.bert_pack_inputs([tfhub.tokenize(texts)], seq_length)

    def pairs(texts):
        return tfhub.encode_pairs(texts[:, 0], texts[:, 1], seq_length)

    for kind, function, texts in (
        ("single", single, strings["single"]),
        ("pair", pairs, strings["pair"]),
    ):
        for outputs in modes(function, tf.constant(texts)):
            for name in NAMES:
                np.testing.assert_array_equal(outputs[name], golden[f"{kind}/{seq_length}/{name}"])


def check_original(tokenize, name):
    texts = [r["text"] for r in RECORDINGS]
    for tokens in modes(tokenize, tf.constant(texts)):
        rows = zip(RECORDINGS, tokens.to_list())
        assert {r["i"] for r, ids in rows if ids != r[name]["ids"]} <= set(NEW_CHARACTERS)


def test_original_equals_recordings_with_the_tiny_vocabulary(original):
    check_original(original.tokenize, "tiny")


def test_original_equals_recordings_with_the_official_vocabulary(shared):
    model = shared / "data/albert_spm/30k-clean.model"
    check_original(Preprocessor(model, rules="original").tokenize, "official30k")


def features(model):
    with open(GOLDENS / "classifier_features.jsonl", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [r for r in rows if r["model"] == model and r["i"] != -1]  # -1: padding, no text.


def check_features(preprocessor, rows):
    assert len(rows) > 150
    for seq_length in {r["max_seq_length"] for r in rows}:
        group = [r for r in rows if r["max_seq_length"] == seq_length]
        outputs = preprocessor.encode_pairs(
            [r["text_a"] for r in group], [r["text_b"] or "" for r in group], seq_length
        )
        for name, key in zip(NAMES, ("input_ids", "input_mask", "segment_ids")):
            np.testing.assert_array_equal(outputs[name], [r[key] for r in group])
        single = [r for r in group if not r["text_b"]]
        tokens = preprocessor.tokenize([r["text_a"] for r in single])
        outputs = preprocessor.bert_pack_inputs([tokens], seq_length)
        np.testing.assert_array_equal(outputs["input_word_ids"], [r["input_ids"] for r in single])


def test_original_features_with_the_tiny_vocabulary(original):
    check_features(original, features("tiny"))


def test_original_features_with_the_official_vocabulary(shared):
    model = shared / "data/albert_spm/30k-clean.model"
    check_features(Preprocessor(model, rules="original"), features("official30k"))


@pytest.mark.parametrize(
    "inputs",
    [
        ["a b", "c"],
        np.array(["a b", "c"]),
        np.array(["a b", "c"], object),
        lambda: tf.constant(["a b", "c"]),
    ],
)
def test_kinds_of_inputs(original, inputs):
    outputs = original(inputs() if callable(inputs) else inputs, training=True, mask=None)
    assert {name: (v.shape, v.dtype) for name, v in outputs.items()} == {
        name: (tf.TensorShape([2, 16]), tf.int32) for name in NAMES
    }


def test_static_shape_and_batch_0(original):
    def spec(dataset):
        return {name: spec.shape.as_list() for name, spec in dataset.element_spec.items()}

    texts = tf.data.Dataset.from_tensor_slices(["a", "b"]).batch(2)
    assert spec(texts.map(original)) == {name: [None, 16] for name in NAMES}
    assert original(tf.zeros([0], tf.string))["input_mask"].shape == (0, 16)


@pytest.mark.parametrize(
    "inputs, received",
    [
        ("a string", r"Received: dtype string and shape \(\). Wrap a single string in a list"),
        ([["a"], ["b"]], r"Received: dtype string and shape \(2, 1\)"),
        (lambda: tf.constant([1]), "Received: dtype int32"),
        ([1, 2], "Received: list that is not of strings"),
        (lambda: tf.ragged.constant([["a"]]), "Received: a RaggedTensor"),
    ],
)
def test_wrong_inputs(original, inputs, received):
    with pytest.raises(ValueError, match=f"must be a batch of strings.*{received}"):
        original(inputs() if callable(inputs) else inputs)


@pytest.mark.parametrize("seq_length", [0, -5, 2, 16.0, None, "16"])
def test_wrong_length(seq_length):
    with pytest.raises(ValueError, match="seq_length must be an integer .* Received: "):
        Preprocessor(FIXTURES / "tiny.model", seq_length=seq_length)


def test_packed_ids_fit_int32(original):
    ids = tf.ragged.constant([[7, 2**31 - 1], [5]], dtype=tf.int64)
    packed = original.bert_pack_inputs([ids])["input_word_ids"]
    np.testing.assert_array_equal(packed[0, :4], [2, 7, 2**31 - 1, 3])
    for call in (original.bert_pack_inputs, tf.function(original.bert_pack_inputs)):
        for wrong in (2**32 + 7, -(2**31) - 1):
            with pytest.raises(tf.errors.InvalidArgumentError, match="Ids must fit int32"):
                call([tf.ragged.constant([[7, wrong], [5]], dtype=tf.int64)])


def test_wrong_rules():
    with pytest.raises(ValueError, match="rules must be one of .* Received: 'python'"):
        Preprocessor(FIXTURES / "tiny.model", rules="python")


def test_detokenize(original):
    tokens = original.tokenize(["Hello there", ""])
    assert original.detokenize(tokens).numpy().tolist() == [b"hello there", b""]
    ids = original(["Hello there"])["input_word_ids"]
    assert original.detokenize(ids).numpy().tolist() == [b"hello there"]
    with pytest.raises(ValueError, match=r"ids of shape \[batch, \(tokens\)\]"):
        original.detokenize([1, 2])


def test_special_tokens(original):
    ids = {name: int(value) for name, value in original.get_special_tokens_dict().items()}
    assert ids == {
        "vocab_size": 1000,
        "padding_id": 0,
        "start_of_sequence_id": 2,
        "end_of_segment_id": 3,
        "mask_id": 4,
    }


def test_live_object_inside_a_users_module(original, tmp_path):
    module = tf.Module()
    module.preprocessor = original
    module.serve = tf.function(original, input_signature=[tf.TensorSpec([None], tf.string)])
    expected = module.serve(["a b"])["input_word_ids"].numpy()
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_array_equal(loaded.serve(["a b"])["input_word_ids"], expected)
