import json

import pytest

from albert_tf.data.tasks.user_files import (
    read_classification,
    read_multi_label,
    read_regression,
    read_tagging,
)


def write(tmp_path, name, *lines):
    path = tmp_path / name
    path.write_text("".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in lines))
    return path


def test_the_three_formats_read_alike(tmp_path):
    files = [
        write(tmp_path, "a.csv", "review,stars", '"Good, really.",10', "Bad.,9"),
        write(tmp_path, "a.tsv", "stars\treview", "10\tGood, really.", "9\tBad."),
        write(
            tmp_path,
            "a.jsonl",
            {"review": "Good, really.", "stars": 10},
            "",
            {"review": "Bad.", "stars": "9"},
        ),
    ]
    for path in files:
        examples = read_classification(path, text="review", label="stars")
        assert examples.labels == ("9", "10")  # As numbers, not as text.
        assert [(e.text_a, e.text_b, e.label) for e in examples] == [
            ("Good, really.", None, "10"),
            ("Bad.", None, "9"),
        ]
        assert examples.files == (str(path),)
    assert [e.guid for e in examples] == ["1", "3"]  # Line numbers.
    assert examples.report.counts == {}  # An empty line holds nothing.


def test_pairs_ids_and_unlabeled_files(tmp_path):
    path = write(tmp_path, "a.csv", "id,one,two", "x7,a,b")
    examples = read_classification(path, "one", "two", label=None, labels=["n", "y"], guid="id")
    assert (examples[0].guid, examples[0].text_b, examples[0].label) == ("x7", "b", None)
    assert examples.labels == ("n", "y")


def test_regression(tmp_path):
    path = write(tmp_path, "a.tsv", "text\tlabel", "a\t1.5", "b\t-2")
    examples = read_regression(path)
    assert [e.label for e in examples] == [1.5, -2.0] and examples.labels is None
    with pytest.raises(ValueError, match=r"finite number. Received: .*b.tsv:3: 'inf'"):
        read_regression(write(tmp_path, "b.tsv", "text\tlabel", "a\t1", "b\tinf"))


def test_tagging(tmp_path):
    files = [
        write(tmp_path, "a.csv", "words,tags", "Ann left,NAME O"),
        write(tmp_path, "a.jsonl", {"words": ["Ann", "left"], "tags": ["NAME", "O"]}),
    ]
    for path in files:
        examples = read_tagging(path)
        assert examples.labels == ("NAME", "O")
        assert (examples[0].words, examples[0].tags) == (("Ann", "left"), ("NAME", "O"))
    assert read_tagging(files[0], tags=None)[0].tags is None
    bad = write(tmp_path, "b.csv", "words,tags", "Ann left,NAME")
    with pytest.raises(ValueError, match=r"one tag. Received: .*b.csv:2: 2 words, 1 tags"):
        read_tagging(bad)
    with pytest.raises(ValueError, match=r"label must be one of O, X. Received: .*a.csv:2: 'NAME'"):
        read_tagging(files[0], labels=["O", "X"])
    with pytest.raises(ValueError, match=r"lists of strings.* Received: .*c.jsonl:1: \[1\]"):
        read_tagging(write(tmp_path, "c.jsonl", {"words": [1], "tags": ["O"]}))


def test_lists_that_pandas_wrote(tmp_path):
    line = """"['Ann', ""d'Arc""]","['B-PER', 'O']\""""
    (example,) = read_tagging(write(tmp_path, "a.csv", "words,tags", line))
    assert (example.words, example.tags) == (("Ann", "d'Arc"), ("B-PER", "O"))
    (example,) = read_tagging(write(tmp_path, "b.csv", "words,tags", "[ Ann ],O NAME O"))
    assert example.words == ("[", "Ann", "]")
    numpy = write(tmp_path, "c.csv", "words,tags", "a b,['B-PER' 'O']")
    with pytest.raises(ValueError, match=r"c.csv:2: \['B-PER' 'O'\], an array as NumPy prints it"):
        read_tagging(numpy)


@pytest.mark.parametrize(
    "name, lines, match",
    [
        ("a.csv", ["text,label", "a,1", "b"], r"header's 2 columns. Received: .*:3: 1 columns"),
        ("a.tsv", ["text\tlabel", "a\t1\t2"], r"header's 2 columns. Received: .*:2: 3 columns"),
        ("a.csv", ["txt,label", "a,1"], r"column 'text'. Received: .*:1: .*mean 'txt'"),
        ("a.csv", ["x,label", "a,1"], r"column 'text'.* Name the columns by arguments"),
        (
            "a.csv",
            ["text,text,label", "a,b,1"],
            r"distinct names. Received: .*:1: \['text'\] twice",
        ),
        ("a.csv", ["text,label"], r"at least one example. Received: none in .*a.csv"),
        ("a.csv", [], r"must have a column 'text'. Received: .*a.csv:1: columns \[\]"),
        ("a.csv", ["text,label", "a,1", "b,1"], r"at least two labels. Received: .*only \['1'\]"),
        ("a.csv", ["text,label", "a,1", "b, "], r"strings or numbers. Received: .*:3: ' '"),
        ("a.csv", ["text,label", "a,1", " ,2"], r"strings with content. Received: .*:3: ' '"),
        ("a.jsonl", [{"text": "a", "label": 1}, {"text": "b"}], r"column 'label'. Received: .*:2:"),
        ("a.jsonl", [{"text": 5, "label": 1}], r"strings with content. Received: .*:1: 5"),
        ("a.txt", ["text,label"], r"must be .csv, .tsv or .jsonl. Received: .*a.txt"),
    ],
)
def test_refuses_bad_files_with_their_place(tmp_path, name, lines, match):
    with pytest.raises(ValueError, match=match):
        read_classification(write(tmp_path, name, *lines))


def test_refuses_unknown_labels(tmp_path):
    path = write(tmp_path, "a.csv", "text,label", "a,yes", "b,no")
    with pytest.raises(ValueError, match=r"must be one of yes, maybe. Received: .*a.csv:3: 'no'"):
        read_classification(path, labels=["yes", "maybe"])


def test_several_labels(tmp_path):
    files = [
        write(tmp_path, "a.csv", "text,label", "one,b|10", "two,", "three,9"),
        write(tmp_path, "b.csv", "text,label", "one,\"['b', '10']\"", "two,[]", "three,['9']"),
        write(
            tmp_path,
            "a.jsonl",
            {"text": "one", "label": ["b", 10]},
            {"text": "two", "label": []},
            {"text": "three", "label": "9"},
        ),
    ]
    for path in files:
        examples = read_multi_label(path)
        assert examples.labels == ("10", "9", "b")
        assert [e.label for e in examples] == [("10", "b"), (), ("9",)]
    assert read_multi_label(files[0], label=None)[0].label is None
    with pytest.raises(ValueError, match=r"must be one of b, 9. Received: .*a.csv:2: '10'"):
        read_multi_label(files[0], labels=["b", "9"])
    with pytest.raises(ValueError, match=r"at least one label. Received: .*c.csv: only \[\]"):
        read_multi_label(write(tmp_path, "c.csv", "text,label", "one,"))


def test_labels_divided_by_something_else(tmp_path):
    path = write(tmp_path, "a.tsv", "text\tlabel", "one\tleak", "two\tleak;smell")
    with pytest.raises(ValueError, match=r"Received: .*a.tsv:3: 'leak;smell', .*separator=';'"):
        read_multi_label(path)
    assert read_multi_label(path, separator=";").labels == ("leak", "smell")


@pytest.mark.parametrize("name, value", [("a.jsonl", ["x", "y"]), ("a.csv", "\"['x', 'y']\"")])
def test_a_list_of_labels_is_not_one_label(tmp_path, name, value):
    rows = [{"text": "one", "label": value}]
    path = write(tmp_path, name, *(rows if name == "a.jsonl" else ["text,label", f"one,{value}"]))
    with pytest.raises(ValueError, match=r"one label here. Received: .*--task=multi-label"):
        read_classification(path)
