import pytest

from albert_tf.data.pretraining.sentences import sentences_of


@pytest.mark.parametrize(
    ("paragraph", "sentences"),
    [
        ("He came. She left.", ["He came.", "She left."]),
        ("Mr. Knightley and Mrs. Weston came.", ["Mr. Knightley and Mrs. Weston came."]),
        ("It was J. R. Smith. He ran.", ["It was J. R. Smith.", "He ran."]),
        ('"Why?" he said. "Go!" They went.', ['"Why?" he said.', '"Go!"', "They went."]),
        ("It cost 3.50 in 1901. 12 came.", ["It cost 3.50 in 1901.", "12 came."]),
        ("So it was I. Then came he.", ["So it was I.", "Then came he."]),
        ("no end", ["no end"]),
        ("Élan! Où? Ça.", ["Élan!", "Où?", "Ça."]),
        ("   ", []),
        (". A", [".", "A"]),
    ],
)
def test_splits_paragraphs(paragraph, sentences):
    assert list(sentences_of([paragraph], "paragraph")) == sentences


def test_wrapped_lines_are_joined_until_an_empty_line():
    lines = ["A long", "sentence. And", "more", "", "", "Next paragraph"]
    expected = ["A long sentence.", "And more", "Next paragraph"]
    assert list(sentences_of(lines, "wrapped")) == expected


def test_a_line_is_a_sentence():
    assert list(sentences_of([" One. Two. ", "", "three"], "sentence")) == ["One. Two.", "three"]


def test_unknown_mode():
    with pytest.raises(ValueError, match="lines must be one of .* Received: 'words'"):
        list(sentences_of(["a"], "words"))
