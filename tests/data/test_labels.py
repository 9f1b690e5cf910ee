import pytest

from albert_tf.data.tasks.labels import check_label, parse_labels, parse_score


def test_check_label():
    assert check_label("b", ("a", "b"), "f:1") == "b"
    with pytest.raises(ValueError, match=r"must be one of a, b. Received: f:1: 'B'"):
        check_label("B", ("a", "b"), "f:1")


def test_parse_score():
    assert parse_score("-1.5e1", "f:1") == -15
    for text in ("", "five", "nan", "-inf"):
        with pytest.raises(ValueError, match=rf"finite number. Received: f:2: '{text}'"):
            parse_score(text, "f:2")


@pytest.mark.parametrize(
    "value, expected",
    [
        (["leak", "smell", "leak"], ("leak", "smell")),
        ([], ()),
        ([3, 1.5, "x"], ("1.5", "3", "x")),
        ("smell|leak", ("leak", "smell")),
        (" leak | smell ", ("leak", "smell")),
        ("", ()),
        ("  ", ()),
        ("one label", ("one label",)),
        ("['leak', 'smell']", ("leak", "smell")),  # As pandas writes lists.
        ('["leak"]', ("leak",)),
        ("[]", ()),
        ("[other]", ("[other]",)),
    ],
)
def test_parse_labels(value, expected):
    assert parse_labels(value, "f:1") == expected


@pytest.mark.parametrize("value", [None, 5, {"a": 1}, "a||b", "|", [""], [["a"]], [None]])
def test_wrong_labels_of_a_text(value):
    with pytest.raises(ValueError, match=r"strings divided by '\|'. Received: f:2: "):
        parse_labels(value, "f:2")


def test_another_separator():
    assert parse_labels("a;b|c", "f:1", ";") == ("a", "b|c")
