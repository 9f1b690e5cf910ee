from albert_tf.data.progress import progress


def test_passes_items_on_without_a_terminal(capsys):
    assert list(progress([3, 1, 2], "Counting")) == [3, 1, 2]
    assert capsys.readouterr() == ("", "")
