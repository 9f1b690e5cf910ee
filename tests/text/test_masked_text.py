import pytest

from albert_tf.text.masked_text import join_pieces, tokenize_masked
from albert_tf.text.reference import ReferenceTokenizer


@pytest.fixture(scope="module")
def tokenizer(sp_model):
    return ReferenceTokenizer(sp_model)


@pytest.mark.parametrize(
    "text, pieces",
    [
        ("The [MASK] is free .", ["▁the", "▁[MASK]", "▁is", "▁free", "▁", "."]),
        ("The [MASK].", ["▁the", "▁[MASK]", "."]),
        ("[MASK] of\n [MASK] ", ["▁[MASK]", "▁of", "▁[MASK]"]),
        ("the ([MASK]) of", ["▁the", "▁", "(", "[MASK]", ")", "▁of"]),
        ("[MASK][MASK]ing [MASK]", ["▁[MASK]", "[MASK]", "ing", "▁[MASK]"]),
        # Unknown characters make one piece with their neighbors, but not with a mask.
        ("北[MASK]京 [MASK]北", ["▁", "北", "[MASK]", "京", "▁[MASK]", "北"]),
    ],
)
def test_a_mask_is_one_piece(tokenizer, text, pieces):
    assert tokenize_masked(tokenizer, text) == pieces


def test_the_rest_is_tokenized_as_ever(tokenizer):
    """As where pre-training masks a piece: here "▁of"."""
    text = 'of what: "½ of 2010, of", 北 of, ﬁ (free of) of. of-Ça of'
    pieces = tokenizer.tokenize(text)
    assert pieces.count("▁of") == 8
    masked = ["▁[MASK]" if piece == "▁of" else piece for piece in pieces]
    assert tokenize_masked(tokenizer, text.replace("of", "[MASK]")) == masked


def test_joins_to_the_normalized_text(tokenizer):
    text = "  Zürich's [MASK], 北京\tand un[MASK]ed. "
    expected = "zurich's [MASK], 北京 and un[MASK]ed."
    assert join_pieces(tokenize_masked(tokenizer, text), tokenizer) == expected


@pytest.mark.parametrize(
    "text, message",
    [
        ("the [mask]", r"must have \[MASK\] where .* Received: 'the \[mask\]'"),
        ("", r"must have \[MASK\] where .* Received: ''"),
        ("a [MASK] \ufdd0", r"must not hold U\+FDD0.* Received: .* Remove it"),
        ("a [MASK] \ud800", "must be valid Unicode"),
    ],
)
def test_errors(tokenizer, text, message):
    with pytest.raises(ValueError, match=message):
        tokenize_masked(tokenizer, text)
    with pytest.raises(TypeError, match="Text must be a str. Received: 3 "):
        tokenize_masked(tokenizer, 3)
