"""WordPiece in graph equals the tokenizer in Python, ids and offsets, on any text."""

import functools
import random

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from albert_tf.text.characters import byte_to_character_offsets
from albert_tf.text.preprocessor import Preprocessor
from albert_tf.text.wordpiece import WordPieceReferenceTokenizer
from albert_tf.text.wordpiece_tokenizer import WordPieceTokenizer
from tests.conftest import FIXTURES
from tests.text.test_wordpiece import WORDS

pytest.importorskip("tensorflow_text")

VOCABULARY = FIXTURES / "vocab_zh.txt"
LOWER = (True, False)
ODD = "aAbBiIİ#!?,。我爱豈の한ΣσΑαéÉßﬁ１① \t\n\x00\x01\u0301\u0323\u200d\ufeff\u00a0\u2028\ufdd0"


def random_texts():
    """3,000 texts of odd and of any characters; each of Latin to Greek between two letters."""
    source = random.Random(0)

    def character():
        if source.random() < 0.7:
            return source.choice(ODD)
        code = source.randrange(0x110000 - 0x800)
        return chr(code if code < 0xD800 else code + 0x800)

    texts = ["".join(character() for _ in range(source.randrange(15))) for _ in range(3000)]
    return texts + [f"a{chr(code)}a {chr(code)}" for code in range(0x400)]


TEXTS = [text for text, _ in WORDS] + ["a" * 200, "a" * 201 + "我", "É" * 201, "", "# ## ##a"]


@functools.cache
def tokenizers(lower):
    return WordPieceTokenizer(VOCABULARY, lower), WordPieceReferenceTokenizer(VOCABULARY, lower)


@functools.cache
def in_graph(lower):
    signature = [tf.TensorSpec([None], tf.string)]
    return tf.function(tokenizers(lower)[0].tokenize_with_offsets, input_signature=signature)


def assert_equal(lower, texts):
    _, python = tokenizers(lower)
    tokens, starts, limits = in_graph(lower)(tf.constant(texts))
    tokens = tokens.to_list()
    for text, ids, *spans in zip(texts, tokens, starts.to_list(), limits.to_list()):
        places = [byte_to_character_offsets(text, offsets) for offsets in spans]
        assert (ids, *places) == python.encode_with_offsets(text), ascii(text)


@pytest.mark.parametrize("lower", LOWER)
def test_equals_python(lower):
    texts = TEXTS + random_texts()
    assert_equal(lower, texts)
    graph, python = tokenizers(lower)
    assert graph(texts).to_list() == [python.encode(text) for text in texts]


@given(st.booleans(), st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_equals_python_on_any_text(lower, texts):
    assert_equal(lower, texts)


def test_bad_bytes_are_dropped():
    graph, python = tokenizers(False)
    assert graph([b"a\xffb \xe4\xb8 c"]).to_list() == [python.encode("ab c")]


def test_in_tf_data():
    graph, python = tokenizers(True)
    dataset = tf.data.Dataset.from_tensor_slices(["我爱", "playing!"]).batch(2).map(graph)
    assert next(iter(dataset)).to_list() == [python.encode("我爱"), python.encode("playing!")]


def test_preprocessor():
    preprocessor = Preprocessor(vocab_file=VOCABULARY, seq_length=8)
    python = tokenizers(True)[1]
    outputs = preprocessor(["我爱 Playing!"])
    ids = [4, *python.encode("我爱playing!"), 5, 0]
    assert outputs["input_word_ids"].numpy().tolist() == [ids]
    pairs = preprocessor.encode_pairs(["我", "我"], ["你", ""])
    assert pairs["input_type_ids"].numpy().tolist() == [[0, 0, 0, 1, 1, 0, 0, 0], [0] * 8]
    special = preprocessor.tokenize.get_special_tokens_dict()
    assert {name: int(value) for name, value in special.items()} == {
        "padding_id": 0,
        "start_of_sequence_id": 4,
        "end_of_segment_id": 5,
        "mask_id": 6,
        "vocab_size": 222,
    }
    text = preprocessor.detokenize(outputs["input_word_ids"]).numpy()[0].decode()
    assert text == "我 爱 playing !"
    assert preprocessor.rules == "original"
    with pytest.raises(ValueError, match="rules must be 'original'.* Received: 'tfhub'"):
        Preprocessor(vocab_file=VOCABULARY, rules="tfhub")
    with pytest.raises(ValueError, match="one vocabulary"):
        Preprocessor()
