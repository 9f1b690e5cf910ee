import pathlib

import pytest

from albert_tf.text.sentencepiece_model import SentencePieceModel
from tests.conftest import FIXTURES

TINY = FIXTURES / "tiny.model"


def test_reads_str_bytes_and_path():
    for path in (str(TINY), bytes(TINY), TINY):
        model = SentencePieceModel.read(path)
        assert pathlib.Path(model.path) == TINY
        assert model.vocab_size == len(model.pieces) == 1000
        assert model.special_ids["mask_id"] == 4
    assert SentencePieceModel.read(model) is model


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"existing .* Received: .*nothing\.model"):
        SentencePieceModel.read(tmp_path / "nothing.model")


def test_vocab_given_for_model(tmp_path):
    (tmp_path / "30k-clean.vocab").write_text("<pad>\t0\n")
    with pytest.raises(ValueError, match="readable list.*Pass the .model file.*next to it"):
        SentencePieceModel.read(tmp_path / "30k-clean.vocab")


@pytest.mark.parametrize("content", [b"", b"[PAD]\n[UNK]\n", TINY.read_bytes()[:-1000]])
def test_no_sentencepiece_model(tmp_path, content):
    (tmp_path / "vocab.model").write_bytes(content)
    with pytest.raises(ValueError, match="must be a SentencePiece model.*WordPiece"):
        SentencePieceModel.read(tmp_path / "vocab.model")


def test_missing_special_piece_is_named(tmp_path):
    path = tmp_path / "other.model"
    path.write_bytes(TINY.read_bytes().replace(b"[MASK]", b"[MASC]"))
    with pytest.raises(ValueError, match=r"other\.model without \[MASK\]\. Train it with"):
        SentencePieceModel.read(path)


def test_wrong_type():
    with pytest.raises(TypeError, match="path of a SentencePiece model. Received: 3"):
        SentencePieceModel.read(3)
