import pytest

from albert_tf.data.tasks.squad_windows import best_windows, windows


@pytest.mark.parametrize(
    "pieces, expected",
    [
        (0, []),
        (5, [(0, 5)]),
        (10, [(0, 10)]),
        (11, [(0, 10), (4, 7)]),
        (18, [(0, 10), (4, 10), (8, 10)]),
    ],
)
def test_windows_end_with_the_context(pieces, expected):
    assert windows(pieces, length=10, stride=4) == expected


def test_long_strides_leave_no_gap():
    assert windows(25, length=10, stride=99) == [(0, 10), (10, 10), (20, 5)]


def test_best_windows_show_most_surroundings():
    spans = windows(18, length=10, stride=4)
    for piece, best in enumerate(best_windows(spans)):
        scores = [
            min(piece - start, start + length - 1 - piece) + 0.01 * length
            if start <= piece < start + length
            else -1
            for start, length in spans
        ]
        assert best == scores.index(max(scores))
