import pytest

from albert_tf.data.tasks.labels import check_label, parse_score


def test_check_label():
    assert check_label("b", ("a", "b"), "f:1") == "b"
    with pytest.raises(ValueError, match=r"must be one of a, b. Received: f:1: 'B'"):
        check_label("B", ("a", "b"), "f:1")


def test_parse_score():
    assert parse_score("-1.5e1", "f:1") == -15
    for text in ("", "five", "nan", "-inf"):
        with pytest.raises(ValueError, match=rf"finite number. Received: f:2: '{text}'"):
            parse_score(text, "f:2")
