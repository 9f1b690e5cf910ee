import json

import numpy as np
import pytest

from albert_tf.data.pretraining.token_block import BlockEncoder
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.text.word_starts import starts_word
from tests.conftest import GOLDENS


def check_equals_reference(sp_model, texts):
    block = BlockEncoder(sp_model).encode([[text] for text in texts])
    tokenizer = ReferenceTokenizer(sp_model)
    pieces = [tokenizer.tokenize(text) for text in texts]
    flat = sum(pieces, [])
    assert block.ids.tolist() == tokenizer.pieces_to_ids(flat)
    assert block.word_starts.tolist() == [starts_word(piece) for piece in flat]
    lengths = [len(sentence) for sentence in pieces if sentence]
    assert np.diff(block.sentences).tolist() == lengths
    assert block.documents.tolist() == list(range(len(lengths) + 1))


@pytest.fixture(scope="module")
def texts():
    texts = []
    for line in (GOLDENS / "tokenizer.jsonl").read_text().splitlines():
        text = json.loads(line)["text"]
        if not any(0xD800 <= ord(character) < 0xE000 for character in text):
            texts.append(text)
    return texts


def test_equals_the_reference_tokenizer(sp_model, texts):
    check_equals_reference(sp_model, texts)


def test_digit_comma_of_the_official_vocabulary(shared, texts):
    model = shared / "data" / "albert_spm" / "30k-clean.model"
    check_equals_reference(model, ["In 2010, and 9,000, too", *texts])


def test_nothing_is_left_of_empty_sentences_and_documents(sp_model):
    block = BlockEncoder(sp_model).encode([["", "a b"], ["", " "], [], ["c", "", "d"]])
    assert np.diff(block.documents).tolist() == [1, 2]
    assert len(block.sentences) == 4
    empty = BlockEncoder(sp_model).encode([["", " "]])
    assert (empty.documents.tolist(), empty.sentences.tolist(), len(empty.ids)) == ([0], [0], 0)


def test_many_sentences(sp_model):
    sentences = [f"number {i}" for i in range(5000)]
    block = BlockEncoder(sp_model).encode([sentences[:3000], sentences[3000:]])
    assert block.documents.tolist() == [0, 3000, 5000]


@pytest.mark.parametrize("piece", ["▁play", "▁", "<unk>", ".", "(", "€", "'", "'s", "é", "中", "5"])
def test_pieces_that_start_words(piece):
    assert starts_word(piece)


@pytest.mark.parametrize("piece", ["ing", "s", "er", "--", "e.", "[mask]"])
def test_pieces_that_go_on(piece):
    assert not starts_word(piece)
