import pytest

from albert_tf.text.characters import byte_to_character_offsets
from albert_tf.text.reference import ReferenceTokenizer
from tests.conftest import FIXTURES
from tests.text.test_characters import tricky_texts
from tests.text.test_reference import RECORDINGS

pytest.importorskip("tensorflow_text")


@pytest.fixture(scope="module", params=["tfhub", "original"])
def tokenizer(request):
    from albert_tf.text.tokenizer import Tokenizer

    return Tokenizer(FIXTURES / "tiny.model", request.param)


def spans(tokenizer, source):
    tokens, starts, limits = tokenizer.tokenize_with_offsets([source])
    pieces = [tokenizer.sp_model.processor.IdToPiece(i) for i in tokens.to_list()[0]]
    encoded = source.encode()
    found = [encoded[a:b].decode() for a, b in zip(starts.to_list()[0], limits.to_list()[0])]
    return list(zip(pieces, found))


def test_tokens_are_those_of_the_call(tokenizer):
    samples = [r["text"] for r in RECORDINGS] + tricky_texts(300)
    tokens, starts, limits = tokenizer.tokenize_with_offsets(samples)
    assert tokens.to_list() == tokenizer(samples).to_list()
    assert tokens.dtype.name == "int32" and starts.dtype.name == limits.dtype.name == "int64"
    for sample, row, *ends in zip(samples, tokens.to_list(), starts.to_list(), limits.to_list()):
        assert len(row) == len(ends[0]) == len(ends[1])
        assert ends[0] == sorted(ends[0])
        assert all(0 <= a <= b <= len(sample.encode()) for a, b in zip(*ends))


def test_source_characters(tokenizer):
    assert spans(tokenizer, "  Été ") == [("▁", ""), ("e", "É"), ("te", "té")]
    assert spans(tokenizer, "e\u0301te\u0301") == [("▁", ""), ("e", "e\u0301"), ("te", "te\u0301")]
    assert [s for _, s in spans(tokenizer, "½")][::2] == ["½", "½"]
    assert "".join(s for _, s in spans(tokenizer, "中文 \U0001f600 x")) == "中文\U0001f600x"
    assert [span for _, span in spans(tokenizer, "ﬁne")][:2] == ["ﬁ", "ﬁn"]
    assert spans(tokenizer, "a\x00b")[-1] == ("b", "b")


def test_sharp_s_that_case_folding_expands():
    from albert_tf.text.tokenizer import Tokenizer

    found = spans(Tokenizer(FIXTURES / "tiny.model", "tfhub"), "groß ist")
    assert found[-1][1] in ("ist", "t", "st") and any(span.endswith("ß") for _, span in found)
    assert "".join(dict.fromkeys(span for _, span in found if span)) == "großist"


def test_invalid_utf8(tokenizer):
    samples = [b"a\xff\xfe b\xe2\x82", b"\xed\xa0\x80x", b"\xf5"]
    tokens, starts, limits = tokenizer.tokenize_with_offsets(samples)
    assert tokens.to_list() == tokenizer(samples).to_list()
    assert all(b <= len(s) for s, row in zip(samples, limits.to_list()) for b in row)


def test_graph_equals_reference():
    from albert_tf.text.tokenizer import Tokenizer

    reference = ReferenceTokenizer(FIXTURES / "tiny.model")
    samples = [r["text"] for r in RECORDINGS] + tricky_texts(300)
    rows = Tokenizer(FIXTURES / "tiny.model", "original").tokenize_with_offsets(samples)
    for sample, ids, *offsets in zip(samples, *(r.to_list() for r in rows)):
        expected = reference.encode_with_offsets(sample)
        assert ids == expected[0]
        assert tuple(byte_to_character_offsets(sample, o) for o in offsets) == expected[1:]
