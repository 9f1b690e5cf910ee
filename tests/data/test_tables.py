import csv

import pytest

from albert_tf.data.report import Report
from albert_tf.data.tasks.tables import read_csv, read_json, read_jsonl, read_tsv


def write(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_tsv_keeps_quotes_and_odd_separators(tmp_path):
    path = write(tmp_path, "a.tsv", '\ufeffa\tb\r\n"x\t\x85y\u2028 \r\n \nlast\tline')
    report = Report()
    rows = [(1, ["a", "b"]), (2, ['"x', "\x85y\u2028 "]), (4, ["last", "line"])]
    assert list(read_tsv(path, report)) == rows
    assert report.locations("blank lines skipped") == [f"{path}:3"]


def test_csv_gives_the_line_where_a_row_begins(tmp_path):
    path = write(tmp_path, "a.csv", 'a,b\n"two\nlines","say ""hi"""\n\n3,4\n')
    report = Report()
    rows = [(1, ["a", "b"]), (2, ["two\nlines", 'say "hi"']), (5, ["3", "4"])]
    assert list(read_csv(path, report)) == rows
    assert report.counts == {"blank lines skipped": 1}


def test_csv_has_fields_of_any_length(tmp_path):
    limit = csv.field_size_limit()
    path = write(tmp_path, "a.csv", "text,label\n" + "word " * 50_000 + ",1\n")
    assert len(list(read_csv(path, Report()))[1][1][0]) == 250_000
    assert csv.field_size_limit() == limit


def test_csv_refuses_an_open_quote(tmp_path):
    path = write(tmp_path, "a.csv", 'a,b\n1,2\n"3,4\n5,6\n')
    with pytest.raises(ValueError, match=r"RFC 4180.* Received: .*a.csv:3: unexpected end of data"):
        list(read_csv(path, Report()))


def test_refuses_other_encodings(tmp_path):
    path = write(tmp_path, "a.csv", "a\nb\ncaf\xe9\n".encode("latin-1"))
    for reader in (read_csv, read_tsv):
        with pytest.raises(ValueError, match=r"must be UTF-8. Received: .*a.csv:3: byte 0xe9"):
            list(reader(path, Report()))


def test_jsonl(tmp_path):
    path = write(tmp_path, "a.jsonl", '{"a": 1}\n\n{"a": "\\u2028"}\n')
    assert list(read_jsonl(path, Report())) == [(1, {"a": 1}), (3, {"a": "\u2028"})]
    with pytest.raises(ValueError, match=r"must be JSON. Received: .*b.jsonl:2: Expecting"):
        list(read_jsonl(write(tmp_path, "b.jsonl", '{"a": 1}\n{"a": }\n'), Report()))
    with pytest.raises(ValueError, match=r"JSON object. Received: .*c.jsonl:1: a int. A file of r"):
        list(read_jsonl(write(tmp_path, "c.jsonl", "1\n"), Report()))
    whole = write(tmp_path, "d.json", '{\n "data": []\n}')
    with pytest.raises(ValueError, match=r"d.json:1: Expecting.* or is one list of objects"):
        list(read_jsonl(whole, Report()))
    with pytest.raises(ValueError, match=r"thousands of times. Received: .*e.json:1"):
        list(read_jsonl(write(tmp_path, "e.json", "[" * 100_000), Report()))


def test_a_list_of_objects(tmp_path):
    path = write(tmp_path, "a.json", '\ufeff[\n {"a": 1},\n {"a":\n 2}]\n')
    assert list(read_jsonl(path, Report())) == [("item 1", {"a": 1}), ("item 2", {"a": 2})]
    with pytest.raises(ValueError, match=r"must be JSON. Received: .*b.json:3: Expecting value"):
        list(read_jsonl(write(tmp_path, "b.json", '[\n{"a": 1},\n]'), Report()))
    with pytest.raises(ValueError, match=r"JSON object. Received: .*c.json:item 2: a str"):
        list(read_jsonl(write(tmp_path, "c.json", '[{"a": 1}, "b"]'), Report()))


def test_json_must_be_unicode(tmp_path):
    path = write(tmp_path, "a.jsonl", '{"a": "\\ud83d\\ude00"}\n{"a": "\\ud83d"}\n')
    rows = read_jsonl(path, Report())
    assert next(rows) == (1, {"a": "\U0001f600"})
    with pytest.raises(ValueError, match=r"valid Unicode. Received: .*a.jsonl:2: half"):
        next(rows)


def test_json_names_the_line(tmp_path):
    with pytest.raises(ValueError, match=r"must be JSON. Received: .*a.json:3: .* column 1"):
        read_json(write(tmp_path, "a.json", '{"data":\n[\n'))


def test_missing_file_shows_the_folder(tmp_path):
    write(tmp_path, "train.tsv", "a\n")
    with pytest.raises(FileNotFoundError, match=r"must exist.*dev.tsv. Its folder has train.tsv"):
        list(read_tsv(tmp_path / "dev.tsv", Report()))
