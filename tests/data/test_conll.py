import pytest

from albert_tf.data.report import Report
from albert_tf.data.tasks.conll import read_conll


def read(tmp_path, text, name="a.conll"):
    path, report = tmp_path / name, Report()
    path.write_bytes(text.encode())
    return read_conll(path, report), report


def test_tabs_and_blanks(tmp_path):
    sentences, report = read(tmp_path, "\ufeffNew York\tB-LOC\r\nis \tO\r\n \t\r\n\u00a0\tO\r\n")
    assert sentences == [(1, [["New York", "B-LOC"], ["is", "O"]]), (4, [["\u00a0", "O"]])]
    assert not report
    sentences, _ = read(tmp_path, "a   X  O \n  b Y O\n\n\n\nc\u3000d Y O")
    assert sentences == [(1, [["a", "X", "O"], ["b", "Y", "O"]]), (6, [["c\u3000d", "Y", "O"]])]


def test_documents_divide_sentences(tmp_path):
    sentences, _ = read(tmp_path, "-DOCSTART-\na O\n-DOCSTART- -X- O\nb O\n")
    assert sentences == [(2, [["a", "O"]]), (4, [["b", "O"]])]


def test_comments_only_where_they_cannot_be_words(tmp_path):
    sentences, report = read(tmp_path, "# O\n1 O\n# O\n")
    assert sentences == [(1, [["#", "O"], ["1", "O"], ["#", "O"]])] and not report
    text = "# newdoc\n# text = a b\na\tO\nb\tO\n\n# id 7\nc\tO\n"  # With tabs, no two columns.
    sentences, report = read(tmp_path, text)
    assert sentences == [(3, [["a", "O"], ["b", "O"]]), (7, [["c", "O"]])]
    assert report.counts == {"comment lines skipped": 3}
    sentences, report = read(tmp_path, "# id 5\tdomain=en\na _ _ O\n")
    assert sentences == [(2, [["a", "_", "_", "O"]])] and report.counts
    with pytest.raises(ValueError, match=r"Received: .*a.conll:2: 3 columns: '# no comment'"):
        read(tmp_path, "a O\n# no comment\n")


def test_numbers_of_words(tmp_path):
    with pytest.raises(ValueError, match=r"Received: .*a.conll:1: numbers of words, as in CoNLL-U"):
        read(tmp_path, "1\tAnn\tO\n2\tleft\tO\n\n1\tWhy\tO\n")
    assert read(tmp_path, "1 O\n2 O\n\nWhy O\n")[0][1] == (4, [["Why", "O"]])
