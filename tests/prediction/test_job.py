"""Files in, files out: equal to the Predictor, and to themselves after any interruption."""

import csv
import gzip
import json

import numpy as np
import pytest

from albert_tf.lock import locked
from albert_tf.prediction import batches, parts
from albert_tf.prediction.job import Job
from albert_tf.prediction.predictor import Predictor
from albert_tf.prediction.similarity import read_vectors
from albert_tf.prediction.tables import read_rows

TEXTS = ["one text", "Zürich, again", "a much longer text than all others", "two", 'a "quoted" one']


@pytest.fixture(scope="module")
def classify(model_of):
    return Predictor(model_of("classifier"), batch_tokens=24)


@pytest.fixture(scope="module")
def embed(model_of):
    return Predictor(model_of("embedding"), batch_tokens=24)


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    monkeypatch.setattr(batches.windows, "__defaults__", (2,))


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.jsonl"
    rows = [{"id": i, "text": text, "label": "no"} for i, text in enumerate(TEXTS)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_jsonl(classify, texts, tmp_path):
    output = tmp_path / "answers.jsonl"
    counts = Job(classify, [texts], output, keep=["id", "label"])()
    assert counts["rows"] == 5 and counts["bad_rows"] == 0 and counts["tokens"] > 20
    for i, (line, answer) in enumerate(zip(lines(output), classify(TEXTS), strict=True)):
        assert line.pop("score") == pytest.approx(answer["score"], abs=1e-5)
        assert line == {"input_id": i, "input_label": "no", "label": answer["label"]}
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "answers.jsonl",
        "answers.jsonl.manifest.json",
        "texts.jsonl",
    ]
    before = output.read_bytes()
    assert Job(classify, [texts], output, keep=["id", "label"])()["tokens"] == 0  # It is done.
    assert output.read_bytes() == before


@pytest.mark.parametrize("suffix", [".txt", ".txt.gz", ".csv", ".tsv", ".jsonl.gz"])
def test_input_formats(suffix, classify, tmp_path):
    path = tmp_path / f"texts{suffix}"
    if suffix.startswith(".txt"):
        content = "".join(f"{text}\r\n" for text in TEXTS)
    elif suffix == ".csv":
        content = "id,text\n" + "".join('1,"{}"\n'.format(t.replace('"', '""')) for t in TEXTS)
    elif suffix == ".tsv":
        content = "text\tid\n" + "".join(f"{text}\t1\n" for text in TEXTS)
    else:
        content = "".join(json.dumps({"text": text}) + "\n" for text in TEXTS)
    data = b"\xef\xbb\xbf" + content.encode()
    path.write_bytes(gzip.compress(data) if suffix.endswith(".gz") else data)
    Job(classify, [path], tmp_path / "out.jsonl")()
    found = lines(tmp_path / "out.jsonl")
    assert [x["label"] for x in found] == [a["label"] for a in classify(TEXTS)]


@pytest.mark.parametrize("suffix", [".npy", ".jsonl", ".csv", ".tfrecord", ".parquet"])
def test_vectors_in_every_format(suffix, embed, texts, tmp_path):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    output = tmp_path / f"vectors{suffix}"
    Job(embed, [texts], output)()
    np.testing.assert_allclose(read_vectors(output), embed(TEXTS), atol=1e-6)


def test_tables_of_answers(model_of, tmp_path):
    tag = Predictor(model_of("token-classifier"))
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS))
    Job(tag, [tmp_path / "texts.txt"], tmp_path / "tags.csv", keep=["text"])()
    with open(tmp_path / "tags.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["input_text"] for row in rows] == TEXTS
    assert [len(json.loads(row["answers"])) for row in rows] == [len(a) for a in tag(TEXTS)]


def test_parquet_in_and_out(classify, tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"text": TEXTS}), tmp_path / "texts.parquet")
    Job(classify, [tmp_path / "texts.parquet"], tmp_path / "out.parquet", keep=["text"])()
    found = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [x["input_text"] for x in found] == TEXTS
    assert [x["label"] for x in found] == [a["label"] for a in classify(TEXTS)]


def test_choices_and_pairs_from_tables(model_of, tmp_path):
    choose = Predictor(model_of("multiple-choice"))
    (tmp_path / "in.tsv").write_text('q\tc\to\nIt is _ .\tThe text\t["here", "there"]\n')
    Job(choose, [tmp_path / "in.tsv"], tmp_path / "out.jsonl", columns=["c", "q", "o"])()
    answer = choose(("The text", "It is _ .", ["here", "there"]))
    assert lines(tmp_path / "out.jsonl")[0]["answer"] == answer["answer"]


BAD = {
    "rows.csv": (b'id,text\n1,good\n2\n3, \n4,"un"closed\n5,\xff\n6,last\n', [3, 4, 5, 6]),
    "rows.tsv": (b"id\ttext\n1\tgood\n2\n\n6\tlast\n", [3, 4]),
    "rows.txt": (b"good\n\n \n\xff\xfe\nlast\n", [2, 3, 4]),
    "rows.jsonl": (
        b'{"text": "good"}\n{"text"}\n[1]\n{"txt": "a"}\n{"text": 3}\n{"text": null}\n'
        b'{"text": "\\ud800"}\n\n{"text": "last"}\n',
        [2, 3, 4, 5, 6, 7, 8],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_rows_are_refused_or_set_aside(name, classify, tmp_path):
    content, bad = BAD[name]
    path, output = tmp_path / name, tmp_path / "out.jsonl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"must have its texts. Received: .*{name}:{bad[0]}: "):
        Job(classify, [path], output)()
    assert [p.name for p in tmp_path.iterdir()] == [name]  # Nothing is left of the attempt.
    counts = Job(classify, [path], output, bad_rows="set_aside")()
    assert (counts["rows"], counts["bad_rows"]) == (2, len(bad))
    aside = lines(tmp_path / "out.jsonl.bad_rows.jsonl")
    assert [int(row["place"].rpartition(":")[2]) for row in aside] == bad
    assert all(row["error"] for row in aside)
    assert [x["label"] for x in lines(output)] == [a["label"] for a in classify(["good", "last"])]


@pytest.mark.parametrize("name", [*BAD, "rows.csv.gz", "rows.parquet"])
def test_reading_goes_on_at_any_row(name, tmp_path):
    path = tmp_path / name
    if name == "rows.parquet":
        pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
        from pyarrow import parquet

        parquet.write_table(pyarrow.table({"text": TEXTS}), path, row_group_size=2)
    else:
        content = b"\xef\xbb\xbf" + BAD[name.removesuffix(".gz")][0]
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    rows = list(read_rows(path, ["text"]))
    assert len(rows) >= 4
    for i, row in enumerate(rows):
        assert list(read_rows(path, ["text"], row.start)) == rows[i:]


class Killed(BaseException):
    """As of SIGKILL: nothing in the package catches it."""


@pytest.mark.parametrize("kind", [".jsonl", ".csv", ".npy"])
def test_the_same_bytes_after_any_interruption(kind, embed, texts, tmp_path, monkeypatch):
    Job(embed, [texts], tmp_path / f"whole{kind}")()
    output = tmp_path / f"output{kind}"
    calls = []

    def interrupted(function, after):
        def call(*args, **kwargs):
            result = function(*args, **kwargs) if after else None
            calls.append(function.__name__)
            if len(calls) in dying:
                raise Killed
            return result if after else function(*args, **kwargs)

        return call

    for after in (False, True):
        for name in ("write_part", "join_parts"):
            monkeypatch.setattr(parts, name, interrupted(getattr(parts, name), after))
    dying = {2, 5, 9, 12, 14}  # Parts begin and end at 1 to 8, joins at 9 and more.
    deaths = 0
    while deaths < 20:
        try:
            Job(embed, [texts], output)()
            break
        except Killed:
            deaths += 1
            assert not output.exists()
    assert deaths >= 4
    assert output.read_bytes() == (tmp_path / f"whole{kind}").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_done_parts_are_not_computed_again(embed, texts, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "join_parts", lambda *args: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        Job(embed, [texts], tmp_path / "out.npy")()
    monkeypatch.undo()
    monkeypatch.setattr(batches.windows, "__defaults__", (2,))
    assert Job(embed, [texts], tmp_path / "out.npy")()["tokens"] == 0
    np.testing.assert_allclose(read_vectors(tmp_path / "out.npy"), embed(TEXTS), atol=1e-6)


def test_another_job_is_refused(embed, classify, texts, tmp_path):
    output = tmp_path / "out.jsonl"
    Job(embed, [texts], output)()
    before = output.read_bytes()
    with pytest.raises(FileExistsError, match="Received: for .*, other keep. Use the earlier"):
        Job(embed, [texts], output, keep=["id"])()
    with pytest.raises(FileExistsError, match="other batch_tokens, model, record"):
        Job(Predictor(classify.source), [texts], output)()
    texts.write_text('{"text": "another"}\n')
    with pytest.raises(FileExistsError, match="other input"):
        Job(embed, [texts], output)()
    assert output.read_bytes() == before
    assert Job(embed, [texts], output, overwrite=True)()["rows"] == 1
    (tmp_path / "mine.jsonl").write_text("")
    with pytest.raises(FileExistsError, match="must not exist yet. Received: .*mine.jsonl"):
        Job(embed, [texts], tmp_path / "mine.jsonl")()
    with locked(tmp_path / ".busy.jsonl.parts"):
        with pytest.raises(BlockingIOError, match="Only one process"):
            Job(embed, [texts], tmp_path / "busy.jsonl")()


def test_shards_are_the_whole(embed, texts, tmp_path):
    for i in range(2):
        Job(embed, [texts], tmp_path / "out.npy", shard=(i, 2))()
    parts = [read_vectors(tmp_path / f"out-0000{i}-of-00002.npy") for i in range(2)]
    assert [len(part) for part in parts] == [2, 3]
    np.testing.assert_allclose(np.concatenate(parts), embed(TEXTS), atol=1e-6)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"inputs": ["nowhere.txt"]}, "must be an existing file. Received: nowhere.txt"),
        ({"inputs": ["texts.doc"]}, "existing file. Received: texts.doc"),
        ({"output": "out.npy"}, "An .npy file holds vectors.*classification"),
        ({"output": "out.xml"}, "The output must end in .jsonl, .csv"),
        ({"columns": ["a", "b"]}, "`columns` must name those of text, in this order"),
        ({"columns": ["txt"]}, "a text|Every row must have its texts"),
        ({"shard": (2, 2)}, "i from 0 to n - 1. Received: 2/2"),
        ({"bad_rows": "drop"}, "one of refuse, set_aside. Received: 'drop'"),
    ],
)
def test_wrong_arguments(arguments, message, classify, texts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        Job(classify, **{"inputs": [texts], "output": "out.jsonl", **arguments})()


def test_wrong_files(classify, tmp_path):
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(ValueError, match="must have rows to answer. Received: .*empty.txt"):
        Job(classify, [tmp_path / "empty.txt"], tmp_path / "out.jsonl")()
    (tmp_path / "cut.txt.gz").write_bytes(gzip.compress(b"text\n" * 1000)[:-9])
    with pytest.raises(ValueError, match="must be whole. Received: .*cut.txt.gz, damaged"):
        Job(classify, [tmp_path / "cut.txt.gz"], tmp_path / "out.jsonl")()
    (tmp_path / "columns.csv").write_text("id,txt\n1,a\n")
    with pytest.raises(ValueError, match="a column 'text'. Received: .* Did you mean 'txt'"):
        Job(classify, [tmp_path / "columns.csv"], tmp_path / "out.jsonl")()
    (tmp_path / "x.doc").write_text("a")
    with pytest.raises(ValueError, match="Input files must be .txt"):
        Job(classify, [tmp_path / "x.doc"], tmp_path / "out.jsonl")()
