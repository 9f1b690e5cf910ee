import pytest

from albert_tf.text.reference import ReferenceTokenizer
from tests.conftest import FIXTURES

pytest.importorskip("tensorflow_text")
model_pb2 = pytest.importorskip("sentencepiece.sentencepiece_model_pb2")

TEXTS = [
    "in 2010, and 10, or 1,000,000",
    "10,",
    "no digit, no rule",
    "",
    "１０, full width",
    "x10, 5,5, 1,2,3,",
]


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    """The tiny vocabulary with pieces that the rule applies to; it has none of its own."""
    proto = model_pb2.ModelProto.FromString((FIXTURES / "tiny.model").read_bytes())
    for piece, name in zip(proto.pieces[-4:], ["▁10,", "1,", "▁2010,", "٣,"]):
        piece.piece, piece.score = name, -1.0
    path = tmp_path_factory.mktemp("vocabulary") / "digits.model"
    path.write_bytes(proto.SerializeToString())
    return path


def test_graph_equals_reference(vocabulary):
    from albert_tf.text.tokenizer import Tokenizer

    reference = ReferenceTokenizer(vocabulary)
    assert reference.tokenize("in 10, x")[1:-1] != ["▁10,"]
    tokens, starts, limits = Tokenizer(vocabulary, "original").tokenize_with_offsets(TEXTS)
    assert Tokenizer(vocabulary, "original")(TEXTS).to_list() == tokens.to_list()
    for text, *row in zip(TEXTS, tokens.to_list(), starts.to_list(), limits.to_list()):
        ids, first, last = reference.encode_with_offsets(text)
        assert row[0] == ids
        if text.isascii():
            assert row[1:] == [first, last]


def test_rule_makes_a_difference(vocabulary):
    from albert_tf.text.tokenizer import Tokenizer

    tfhub, original = (Tokenizer(vocabulary, rules)(TEXTS) for rules in ("tfhub", "original"))
    assert tfhub.to_list() != original.to_list()
    assert tfhub[2].numpy().tolist() == original[2].numpy().tolist()


def test_vocabulary_without_comma(tmp_path):
    from albert_tf.text.tokenizer import Tokenizer

    proto = model_pb2.ModelProto.FromString((FIXTURES / "tiny.model").read_bytes())
    for piece in proto.pieces:
        piece.piece = "," * 3 if piece.piece == "," else piece.piece
    (tmp_path / "m.model").write_bytes(proto.SerializeToString())
    with pytest.raises(ValueError, match='rules="original" need "," as a piece'):
        Tokenizer(tmp_path / "m.model", "original")
