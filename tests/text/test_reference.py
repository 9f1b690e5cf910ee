"""The plain Python tokenizer against recordings of the original's (Python 3.7, Unicode 11)."""

import json
import unicodedata

import pytest

from albert_tf.text.reference import ReferenceTokenizer, encode_pieces, preprocess_text
from tests.conftest import FIXTURES, GOLDENS

# Strings whose recordings depend on the Unicode version: characters that were assigned after
# Unicode 11, which the recording Python knew. Proof: test_exceptions_are_new_characters.
NEW_CHARACTERS = {194: "\u32ff", 319: "\U0001f12f", 320: "\uab69\U0001f16c"}
UNASSIGNED = "\u0378"  # In every version so far.


def recordings():
    with open(GOLDENS / "tokenizer.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


RECORDINGS = [r for r in recordings() if "error" not in r["tiny"]]


@pytest.fixture(scope="module")
def tokenizer():
    return ReferenceTokenizer(FIXTURES / "tiny.model")


def without_new_characters(record, text):
    for character in NEW_CHARACTERS.get(record["i"], ""):
        text = text.replace(character, UNASSIGNED)
    return text


@pytest.mark.parametrize(
    "key, options",
    [
        ("preprocessed", {}),
        ("preprocessed_cased", {"lower": False}),
        ("preprocessed_keep_space", {"remove_space": False}),
    ],
)
def test_preprocess_text(key, options):
    differing = {r["i"] for r in RECORDINGS if preprocess_text(r["text"], **options) != r[key]}
    assert differing <= set(NEW_CHARACTERS)
    for r in RECORDINGS:
        text = without_new_characters(r, r["text"])
        assert preprocess_text(text, **options) == without_new_characters(r, r[key])


def test_exceptions_are_new_characters(tokenizer):
    for r in RECORDINGS:
        for character in NEW_CHARACTERS.get(r["i"], ""):
            # Unassigned in Unicode 3.2; the recording kept it, as nothing was known about it.
            assert unicodedata.ucd_3_2_0.category(character) == "Cn"
            assert character in r["preprocessed"]
            # This Python knows it: the normal form or the lower case has changed.
            assert unicodedata.category(character) != "Cn"
        # With characters that no version knows in their place, everything is as recorded.
        text = without_new_characters(r, r["text"])
        assert tokenizer.encode(text) == r["tiny"]["ids"]


def check_against(tokenizer, name):
    differing = set()
    for r in RECORDINGS:
        if tokenizer.encode(r["text"]) != r[name]["ids"]:
            differing.add(r["i"])
        elif tokenizer.tokenize(r["text"]) != r[name]["pieces"]:
            differing.add(r["i"])
        raw = encode_pieces(tokenizer._processor, r["text"])
        assert raw == r[f"{name}_raw"]["pieces"]
        assert tokenizer.pieces_to_ids(raw) == r[f"{name}_raw"]["ids"]
    assert differing <= set(NEW_CHARACTERS)


def test_all_strings_with_the_tiny_vocabulary(tokenizer):
    assert len(RECORDINGS) == 233
    check_against(tokenizer, "tiny")


def test_all_strings_with_the_official_vocabulary(shared):
    check_against(ReferenceTokenizer(shared / "data/albert_spm/30k-clean.model"), "official30k")


def test_lone_surrogate(tokenizer):
    (record,) = (r for r in recordings() if "error" in r["tiny"])  # The original raised, too.
    with pytest.raises(ValueError, match="lone surrogate .* at character 0"):
        tokenizer.encode(record["text"])
    with pytest.raises(TypeError, match="Text must be a str. Received: b'bytes'"):
        tokenizer.encode(b"bytes")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("in 2010, and", ["in", "2010,", "and"]),
        ("Zürich", ["Zürich"]),
        ("  a\u00a0 \u3000b ", ["a", "b"]),
        ("cafe\u0301 x", ["cafe\u0301", "x"]),
        ("oﬃce ½", ["oﬃce", "½"]),
        ("中文 \U0001f600!", ["中文", "\U0001f600!"]),
        ("straße", ["straße"]),
        ("각 x", ["각", "x"]),
        ("", []),
    ],
)
def test_offsets_map_to_source_characters(tokenizer, text, expected):
    ids, starts, limits = tokenizer.encode_with_offsets(text)
    assert ids == tokenizer.encode(text)
    covered = {i for start, limit in zip(starts, limits) for i in range(start, limit)}
    marked = "".join(c if i in covered else "|" for i, c in enumerate(text))
    assert [word for word in marked.split("|") if word] == expected
    assert starts == sorted(starts)
    assert {text[i] for i in set(range(len(text))) - covered} <= set(" \u00a0\u3000")


def test_expanded_character_belongs_to_each_of_its_pieces(tokenizer):
    ids, starts, limits = tokenizer.encode_with_offsets("x ½")
    pieces = tokenizer.ids_to_pieces(ids)
    spans = dict(zip(pieces, zip(starts, limits)))
    assert spans["▁1"] == spans["2"] == (2, 3)


def test_special_ids_and_inverse(tokenizer):
    assert tokenizer.special_ids == {
        "padding_id": 0,
        "unknown_id": 1,
        "start_of_sequence_id": 2,
        "end_of_segment_id": 3,
        "mask_id": 4,
    }
    assert tokenizer.vocab_size == 1000
    assert tokenizer.ids_to_pieces(tokenizer.encode("albert")) == tokenizer.tokenize("albert")
