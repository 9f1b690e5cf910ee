import gzip
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
        ("a.csv", ["x,label", "a,1"], r"column 'text'.* first row must .* Say with --text_column"),
        (
            "a.csv",
            ["text,Lable", "a,1"],
            r"column 'label'.* mean 'Lable'\? Say with --label_column",
        ),
        ("a.csv", ["TEXT,LABEL", "a,1"], r"column 'text'.* mean 'TEXT'\? Say with --text_column"),
        ("a.csv", ["text;label", "a;1"], r"by commas. Received: .*:1: 'text;label', .*semicolons"),
        ("a.csv", ['"text";"label"', '"a";"1"'], r"divided by semicolons. Write .*sep=';'"),
        ("a.csv", ["text\tlabel", "a\t1"], r"divided by tabs. Call it .tsv"),
        ("a.tsv", ["label,text", "1,a"], r"by tabs. Received: .*divided by commas. Call it .csv"),
        ("a.csv", ["text|a, b|label", "a|1|1"], r"divided by vertical bars. Write it with commas"),
        (
            "a.csv",
            ["text,text,label", "a,b,1"],
            r"distinct names. Received: .*:1: \['text'\] twice",
        ),
        ("a.csv", ["text,label"], r"one example. Received: none in .*a.csv, which has no row of d"),
        ("a.csv", [], r"at least one example. Received: none in .*a.csv, an empty file"),
        ("a.jsonl", ["", " "], r"at least one example. Received: none in .*, an empty file"),
        ("a.json", ["[]"], r"at least one example. Received: none in .*, which has no row of data"),
        ("a.csv", ["text,label", "a,1", "b,1"], r"at least two labels. Received: .*only \['1'\]"),
        ("a.csv", ["text,label", "a,1", "b, "], r"strings or numbers. Received: .*:3: ' '"),
        ("a.csv", ["text,label", "a,1", " ,2"], r"strings with content. Received: .*:3: ' '"),
        ("a.jsonl", [{"text": "a", "label": 1}, {"text": "b"}], r"column 'label'. Received: .*:2:"),
        ("a.jsonl", [{"text": 5, "label": 1}], r"strings with content. Received: .*:1: 5"),
        ("a.jsonl", ['{"text": "a", "label": NaN}'], r"strings or numbers. Received: .*:1: nan"),
        ("a.txt", ["text,label"], r"must be .csv, .tsv, .jsonl, .json, or .* Received: .*a.txt"),
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


def test_compressed_files_and_lists_of_objects(tmp_path):
    rows = [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]
    contents = {
        "a.csv": "text,label\na,x\nb,y\n",
        "a.tsv": "text\tlabel\na\tx\nb\ty\n",
        "a.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "a.json": json.dumps(rows),
        "b.json": json.dumps(rows, indent=1),
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content.encode()))
        for path in (tmp_path / name, tmp_path / f"{name}.gz"):
            examples = read_classification(path)
            assert [(e.text_a, e.label) for e in examples] == [("a", "x"), ("b", "y")]
    assert [e.guid for e in examples] == ["1", "2"]  # Of a list, the numbers of its items.
    with pytest.raises(ValueError, match=r"must be one of x, z. Received: .*b.json.gz:item 2: 'y'"):
        read_classification(path, labels=["x", "z"])
    (tmp_path / "n.json").write_text('[{"text": "a", "label": 1}, {"text": "b", "label": 2.5}]')
    assert [e.label for e in read_regression(tmp_path / "n.json")] == [1.0, 2.5]
    (tmp_path / "m.json").write_text('[{"text": "a", "label": ["x", "y"]}]')
    assert read_multi_label(tmp_path / "m.json").labels == ("x", "y")
    (tmp_path / "t.json").write_text(
        '[{"words": ["a"], "tags": ["x"]}, {"words": "b", "tags": "y"}]'
    )
    assert read_tagging(tmp_path / "t.json")[1].tags == ("y",)


def test_names_of_columns_may_have_spaces_around_them(tmp_path):
    examples = read_classification(write(tmp_path, "a.csv", " text, label", "a, x", "b, y"))
    assert examples.labels == ("x", "y")


def test_labels_that_are_numbers(tmp_path):
    path = write(tmp_path, "a.csv", "text,label", "a,0.0", "b,1.0", "c,10.0", "d,2", "e,-1")
    assert read_classification(path).labels == ("-1", "0.0", "1.0", "2", "10.0")
    # pandas writes 0 and 1 as 0.0 and 1.0 once a value is missing: these are the same labels.
    train = read_classification(write(tmp_path, "train.csv", "text,label", "a,0", "b,1", "c,1.0"))
    assert train.labels == ("0", "1") and [e.label for e in train] == ["0", "1", "1"]
    assert train.report.locations("labels 1.0 taken for 1") == [f"{tmp_path}/train.csv:4"]
    dev = read_classification(
        write(tmp_path, "dev.jsonl", {"text": "a", "label": 1.0}, {"text": "b", "label": 0}),
        labels=train.labels,
    )
    assert dev.labels == train.labels and [e.label for e in dev] == ["1", "0"]
    several = write(tmp_path, "m.csv", "text,label", "a,1|1.0|2", "b,2")
    assert [e.label for e in read_multi_label(several)] == [("1", "2"), ("2",)]
    tags = write(tmp_path, "t.conll", "a 0", "b 1.0", "c 1")
    assert read_tagging(tags)[0].tags == ("0", "1", "1")
    with pytest.raises(ValueError, match=r"one of 0, 1. Received: .*x.csv:2: '1.5'"):
        read_classification(write(tmp_path, "x.csv", "text,label", "a,1.5"), labels=["0", "1"])


def test_labels_have_the_same_order_in_whatever_order_the_rows_are(tmp_path):
    rows = ["a,no", "b,yes", "c,Maybe", "d,10"]
    for lines in (rows, rows[::-1]):
        assert read_classification(write(tmp_path, "a.csv", "text,label", *lines)).labels == (
            "10",
            "Maybe",
            "no",
            "yes",
        )


def test_near_labels(tmp_path):
    path = write(tmp_path, "a.csv", "text,label", "a,positve", "b,POSITIVE")
    with pytest.raises(ValueError, match=r"a.csv:2: 'positve'. Did you mean 'positive'\?"):
        read_classification(path, labels=["negative", "positive"])
    many = [f"label {i}" for i in range(1000)]
    with pytest.raises(ValueError, match="label 29 and 970 more. Received") as error:
        read_classification(path, labels=many)
    assert len(str(error.value)) < 1000


CONLL = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
# NN I-NP O

Peter NNP B-NP B-PER
Blackburn NNP I-NP I-PER
"""


@pytest.mark.parametrize("name", ["a.conll", "a.bio", "a.iob", "a.iob2", "a.TXT", "a.conll.gz"])
def test_conll(tmp_path, name):
    data = CONLL.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    examples = read_tagging(tmp_path / name)
    assert [(e.guid, e.words, e.tags) for e in examples] == [
        ("3", ("EU", "rejects", "#"), ("B-ORG", "O", "O")),
        ("7", ("Peter", "Blackburn"), ("B-PER", "I-PER")),
    ]
    assert examples.labels == ("B-ORG", "B-PER", "I-PER", "O") and not examples.report
    assert read_tagging(tmp_path / name, tags=None)[1].tags is None


def test_conll_errors(tmp_path):
    path = write(tmp_path, "a.conll", "Ann B-PER", "left")
    with pytest.raises(ValueError, match=r"the 2 columns of .* blanks. Received: .*:2: 1 columns"):
        read_tagging(path)
    words = write(tmp_path, "b.txt", "Ann", "left", "", "Why")
    assert [e.words for e in read_tagging(words, tags=None)] == [("Ann", "left"), ("Why",)]
    with pytest.raises(ValueError, match=r"a word and, as .* its tag. Received: .*b.txt:1: 'Ann'"):
        read_tagging(words)
    with pytest.raises(ValueError, match=r"have no names.* columns 'words', 'ner' and None. Leave"):
        read_tagging(path, tags="ner")
    with pytest.raises(ValueError, match=r"at least one example. Received: none in .*c.conll"):
        read_tagging(write(tmp_path, "c.conll", "-DOCSTART- O", ""))
    with pytest.raises(ValueError, match=r"must be .csv, .*, .conll, .* Received: .*a.xml"):
        read_tagging(write(tmp_path, "a.xml", "<a/>"))
