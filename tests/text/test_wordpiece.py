"""Google's WordPiece tokenizer in Python, and its vocabulary."""

import json

import pytest

from albert_tf.task_record import write_task
from albert_tf.text.given_vocabulary import found_vocabulary, given_vocabulary
from albert_tf.text.sentencepiece_model import SentencePieceModel
from albert_tf.text.wordpiece import WordPieceReferenceTokenizer, basic_words
from albert_tf.text.wordpiece_vocabulary import WordPieceVocabulary
from tests.conftest import FIXTURES

# What the definitions of the original's tokenization.py give, worked out by hand.
WORDS = [
    ("Playing 我爱北京!", ["playing", "我", "爱", "北", "京", "!"]),
    ("Zürich É", ["zurich", "e"]),
    ("ΑΒΓΣ", ["αβγς"]),
    ("a\x00b\ufffdc\u200dd\x0be", ["abcde"]),  # NUL, replacement, format, control: dropped.
    ("a\tb\nc\rd\u00a0e\u3000f", ["a", "b", "c", "d", "e", "f"]),
    ("a\u2028b", ["a", "b"]),  # No white space of the cleaning, but of str.split.
    ("$5^x`", ["$", "5", "^", "x", "`"]),  # ASCII symbols count as punctuation,
    ("€5", ["€5"]),  # others do not.
    ("日本のカ", ["日", "本", "のカ"]),  # Only Chinese characters stand apart.
    ("豈", ["豈"]),  # A compatibility character, which becomes another one.
    ("[MASK]", ["[", "mask", "]"]),
    ("\ufeff", []),
]


@pytest.mark.parametrize("text, words", WORDS)
def test_words(text, words):
    assert basic_words(text) == words


def test_cased_words():
    assert basic_words("Zürich É e\u0301 ΑΣ", lower=False) == ["Zürich", "É", "e\u0301", "ΑΣ"]


def test_pieces_and_ids(vocab_file):
    tokenizer = WordPieceReferenceTokenizer(vocab_file)
    pieces = tokenizer.tokenize("Unaffable played 中国, 龘!")
    assert pieces == ["un", "##aff", "##able", "play", "##ed", "中", "国", ",", "[UNK]", "!"]
    ids = tokenizer.encode("Unaffable played 中国, 龘!")
    assert tokenizer.ids_to_pieces(ids) == pieces
    lines = vocab_file.read_text(encoding="utf-8").split("\n")
    assert [lines[i] for i in ids] == pieces
    assert tokenizer.special_ids == {
        "padding_id": 0,
        "unknown_id": 3,
        "start_of_sequence_id": 4,
        "end_of_segment_id": 5,
        "mask_id": 6,
    }
    assert (tokenizer.vocab_size, tokenizer.lower, tokenizer.rules) == (222, True, "original")


def test_longest_word(vocab_file):
    tokenizer = WordPieceReferenceTokenizer(vocab_file)
    assert tokenizer.tokenize("a" * 200) == ["a", *["##a"] * 199]
    assert tokenizer.tokenize("a" * 201 + " b") == ["[UNK]", "b"]


def test_offsets(vocab_file):
    tokenizer = WordPieceReferenceTokenizer(vocab_file)
    text = " Cafe\u0301 played\u200d,中国龘x " + "é" * 201
    ids, starts, limits = tokenizer.encode_with_offsets(text)
    assert ids == tokenizer.encode(text)
    spans = [text[a:b] for a, b in zip(starts, limits)]
    assert spans == ["Cafe\u0301", "play", "ed", ",", "中", "国", "龘", "x", "é" * 201]


def test_wrong_text(vocab_file):
    tokenizer = WordPieceReferenceTokenizer(vocab_file)
    with pytest.raises(TypeError, match="Text must be a str. Received: b'a'"):
        tokenizer.encode(b"a")
    with pytest.raises(ValueError, match="lone surrogate"):
        tokenizer.encode("a\ud800")


SPECIAL = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"


@pytest.mark.parametrize(
    "content, message",
    [
        (SPECIAL.replace("[MASK]\n", ""), r"must have the pieces.* without \[MASK\]"),
        (SPECIAL + "a\nb\na\n", "another piece. Received: .*'a' on lines 6, 8. .*Rename"),
        ((FIXTURES / "tiny.model").read_bytes(), "no text .*passed as sp_model"),
        (b"", "without \\[PAD\\]"),
    ],
)
def test_wrong_vocabularies(tmp_path, content, message):
    path = tmp_path / "vocab.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=message):
        WordPieceVocabulary.read(path)


def test_file_forms(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_bytes(("\ufeff" + SPECIAL + "a\t17\n\n##b\n\n\n").replace("\n", "\r\n").encode())
    vocabulary = WordPieceVocabulary.read(bytes(path))
    assert vocabulary.pieces[5:] == ("a", "", "##b")
    assert WordPieceVocabulary.read(vocabulary) is vocabulary
    with pytest.raises(FileNotFoundError, match="existing WordPiece vocabulary. Received: .*none"):
        WordPieceVocabulary.read(tmp_path / "none.txt")
    with pytest.raises(TypeError, match="path of a WordPiece vocabulary. Received: 3"):
        WordPieceVocabulary.read(3)


def test_lower_casing_is_looked_up(tmp_path, vocab_file):
    path = tmp_path / "vocab.txt"
    path.write_bytes(vocab_file.read_bytes())

    def lower(**kwargs):
        return WordPieceVocabulary.read(path, **kwargs).do_lower_case

    def configure(**values):
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(values))

    assert lower() is True
    write_task(tmp_path, {"do_lower_case": False})
    assert lower() is False
    configure(strip_accents=None, tokenize_chinese_chars=True)
    assert lower() is False
    configure(do_lower_case=True)
    assert lower() is True and lower(do_lower_case=False) is False
    assert WordPieceVocabulary.read(WordPieceVocabulary.read(path), False).do_lower_case is False
    for odd in ({"strip_accents": False}, {"tokenize_chinese_chars": False}):
        configure(do_lower_case=True, **odd)
        with pytest.raises(ValueError, match=f"in Google's.* {next(iter(odd))}=False.*Pass do_l"):
            lower()
        assert lower(do_lower_case=True) is True


def test_one_vocabulary(vocab_file, sp_model):
    assert isinstance(given_vocabulary(sp_model), SentencePieceModel)
    opened = given_vocabulary(vocab_file=vocab_file, do_lower_case=False)
    assert given_vocabulary(opened) is opened and opened.do_lower_case is False
    for arguments, received in (((), "none"), ((sp_model, vocab_file), "both")):
        with pytest.raises(ValueError, match=f"one vocabulary: sp_model.* Received: {received}"):
            given_vocabulary(*arguments)
    with pytest.raises(ValueError, match="do_lower_case is for a WordPiece vocabulary"):
        given_vocabulary(sp_model, do_lower_case=True)
    with pytest.raises(ValueError, match="passed as vocab_file"):
        given_vocabulary(vocab_file)
    assert found_vocabulary(vocab_file, task={"do_lower_case": False}).do_lower_case is False
    with pytest.raises(ValueError, match="vocab_size=222.*223|vocab_size=223.*222 pieces"):
        opened.check_size(223)
    with pytest.raises(ValueError, match="vocab_size=200.*222 pieces.*from_checkpoint.*=222"):
        opened.check_size(200)
