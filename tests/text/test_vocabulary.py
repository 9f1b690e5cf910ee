import pathlib

import pytest

from albert_tf.text.vocabulary import USER_DEFINED_SYMBOLS, train_vocabulary
from tests.conftest import FIXTURES


def texts():
    with open(FIXTURES / "pretrain_corpus.txt", encoding="utf-8") as lines:
        yield from lines


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train_vocabulary(texts(), tmp_path_factory.mktemp("vocab") / "my.model", 1000)


def test_special_ids_and_marks(trained):
    special = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]
    assert trained.pieces[: 5 + len(USER_DEFINED_SYMBOLS)] == [*special, *USER_DEFINED_SYMBOLS]
    assert trained.vocab_size == 1000
    processor = trained.processor
    assert [processor.IsControl(i) for i in range(6)] == [True, False, True, True, True, False]
    assert processor.IsUnknown(1)
    pieces = processor.EncodeAsPieces('he said "no" - (£5).')
    assert all(mark in pieces for mark in '"-(£).')


def test_the_order_of_ids_is_the_official_vocabulary_s(trained, shared):
    from albert_tf.text.sentencepiece_model import SentencePieceModel

    official = SentencePieceModel.read(shared / "data" / "albert_spm" / "30k-clean.model")
    assert official.pieces[:13] == trained.pieces[:13]


def test_text_is_preprocessed(trained):
    assert not any(piece != piece.lower() for piece in trained.pieces[5:])
    assert trained.processor.PieceToId("é") == 1


def test_vocab_file(trained):
    path = pathlib.Path(trained.path).with_suffix(".vocab")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[0] for line in lines] == trained.pieces


def test_same_text_same_model(trained, tmp_path):
    again = train_vocabulary(texts(), tmp_path / "again.model", 1000)
    assert again.proto == trained.proto


def test_a_sample_bounds_the_memory_and_is_always_the_same(trained, tmp_path):
    sampled = [
        train_vocabulary(texts(), tmp_path / f"{name}.model", 300, input_sentence_size=200)
        for name in "ab"
    ]
    assert sampled[0].proto == sampled[1].proto


def test_long_texts_are_not_left_out(tmp_path):
    model = train_vocabulary(["ab " * 5000 + "cd" * 9000], tmp_path / "my.model", 20)
    assert {"a", "b", "c", "d"} <= set("".join(model.pieces))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"texts": []}, "needs text. Received: no text"),
        ({"texts": ["  ", ""]}, "needs text. Received: no text"),
        ({"vocab_size": 90_000}, r"enough for vocab_size .* vocab_size=90000 with text for"),
        ({"vocab_size": 30}, r"every character .* at least \d+. Received: 30"),
        ({"vocab_size": 13}, "vocab_size must be an integer above 13, .* Received: 13"),
        ({"texts": ["fine", "x\udc80"]}, "must be valid Unicode. Received: a lone surrogate"),
        ({"character_coverage": 1.5}, "character_coverage must be .* Received: 1.5"),
        ({"input_sentence_size": 0}, "input_sentence_size must be .* Received: 0"),
    ],
)
def test_errors(tmp_path, arguments, message):
    arguments = {"texts": texts(), "vocab_size": 500, **arguments}
    with pytest.raises(ValueError, match=message):
        train_vocabulary(output=tmp_path / "my.model", **arguments)
    assert not list(tmp_path.iterdir())


def test_an_error_of_the_texts_is_that_of_the_training(tmp_path):
    def broken():
        yield "some text"
        raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        train_vocabulary(broken(), tmp_path / "my.model", 100)


def test_output(trained, tmp_path):
    with pytest.raises(FileExistsError, match="must not exist yet. Received: .*my.model"):
        train_vocabulary(texts(), trained.path, 500)
    with pytest.raises(ValueError, match="ends in .model. Received: .*my.spm"):
        train_vocabulary(texts(), tmp_path / "my.spm", 500)
    path = tmp_path / "my.model"
    path.write_text("old")
    assert train_vocabulary(texts(), path, 400, overwrite=True).vocab_size == 400
