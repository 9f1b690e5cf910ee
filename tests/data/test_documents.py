import gzip
import json
import os
import pickle

import pytest

from albert_tf.data.example_proto import serialize_examples
from albert_tf.data.pretraining import document_readers
from albert_tf.data.pretraining.document_format import DocumentFormat
from albert_tf.data.pretraining.documents import DocumentFiles, DocumentIterable
from albert_tf.data.tfrecord import frame_records

DOCUMENTS = [["One.", "Zwölf."], ["Drei."], ["Four.", "Five.", "Six."], ["Seven."], ["Acht €."]]


def write(path, documents, separator=b"\n\n"):
    lines = ("\n".join(document).encode() for document in documents)
    path.write_bytes(separator.join(lines) + b"\n")
    return path


def read_all(documents, num_shards=1):
    return [d for shard in range(num_shards) for d in documents.read(shard, num_shards)]


@pytest.fixture(params=["txt", "crlf.txt", "jsonl", "json", "tfrecord", "txt.gz", "jsonl.gz"])
def one_file(request, tmp_path):
    path = tmp_path / f"documents.{request.param}"
    if "json" in request.param:
        fields = [{"text": d if i % 2 else "\n".join(d)} for i, d in enumerate(DOCUMENTS)]
        content = "\n".join(json.dumps(field) for field in fields).encode()
    elif request.param == "tfrecord":
        texts = [["\n".join(d).encode()] if i % 2 else [s.encode() for s in d]
                 for i, d in enumerate(DOCUMENTS)]  # fmt: skip
        content = frame_records(serialize_examples({"text": texts}))
    else:
        end = "\r\n" if "crlf" in request.param else "\n"
        content = (end + end + "  " + end).join(end.join(d) for d in DOCUMENTS).encode()
        content = b"\xef\xbb\xbf" + content
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("num_shards", [1, 2, 3, 7, 50, 500])
def test_each_document_comes_once_and_in_order(one_file, num_shards):
    assert read_all(DocumentFiles(one_file), num_shards) == DOCUMENTS


def test_every_border_between_two_ranges(tmp_path):
    path = write(tmp_path / "a.txt", DOCUMENTS, b"\n\n \n")
    size = path.stat().st_size
    reader = DocumentFormat()
    for border in range(1, size):
        with open(path, "rb") as file:
            first = list(reader.read(file, "a.txt", 0, border))
        with open(path, "rb") as file:
            second = list(reader.read(file, "a.txt", border, size))
        assert first + second == DOCUMENTS, border


def test_patterns_directories_and_lists(tmp_path):
    (tmp_path / "more").mkdir()
    write(tmp_path / "b.txt", DOCUMENTS[2:3])
    write(tmp_path / "a.txt", DOCUMENTS[:2])
    write(tmp_path / "more" / "c.txt", DOCUMENTS[3:])
    (tmp_path / "more" / ".hidden").write_text("")
    files = DocumentFiles([str(tmp_path / "*.txt"), tmp_path / "more", tmp_path / "a.txt"])
    for num_shards in (1, 2, 4):
        assert read_all(files, num_shards) == DOCUMENTS
    assert pickle.loads(pickle.dumps(files)).sizes == files.sizes


def test_a_directory_is_read_with_all_below_it(tmp_path):
    """As WikiExtractor lays them out: AA/wiki_00, AA/wiki_01, AB/wiki_00."""
    corpus = tmp_path / "corpus"
    places = ["AA/wiki_00.txt", "AA/wiki_01.txt", "AB/deep/wiki_00.txt", "B/wiki_00.txt", "top.txt"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    corpus.mkdir()
    (corpus / "B").symlink_to(elsewhere)
    for place, document in zip(places, DOCUMENTS):
        (corpus / place).parent.mkdir(parents=True, exist_ok=True)
        write(corpus / place, [document])
    (corpus / ".git").mkdir()
    (corpus / ".git" / "note.txt").write_text("no")
    for files in (corpus, f"{corpus}/", f"{corpus}/*", f"{corpus}/**", [corpus, corpus / "AA"]):
        assert read_all(DocumentFiles(files), 3) == DOCUMENTS
    assert read_all(DocumentFiles(f"{corpus}/A*")) == DOCUMENTS[:3]
    (corpus / "AA" / "loop").symlink_to(corpus)  # However a file is reached, it is read once.
    for files in (corpus, f"{corpus}/*"):
        assert sorted(read_all(DocumentFiles(files))) == sorted(DOCUMENTS)
    (corpus / "AB" / "gone.txt").symlink_to(tmp_path / "gone.txt")
    with pytest.raises(FileNotFoundError, match="Received: .*gone.txt, a link to nothing"):
        DocumentFiles(corpus)


def test_an_odd_file_below_a_directory_is_an_error(tmp_path):
    write(tmp_path / "a.txt", DOCUMENTS)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "picture.png").write_bytes(b"x")
    with pytest.raises(ValueError, match="format must be known. Received: .*picture.png"):
        DocumentFiles(tmp_path)


def test_whole_files(tmp_path):
    for name in "ab":
        write(tmp_path / f"{name}.txt", DOCUMENTS[:2])
    files = DocumentFiles(tmp_path, DocumentFormat(whole_files=True, lines="wrapped"))
    assert files.most_shards == 2
    assert read_all(files, 3) == [["One.", "Zwölf.", "Drei."]] * 2


def test_a_long_document_comes_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(document_readers, "MAX_DOCUMENT_BYTES", 30)
    sentences = [f"Sentence number {i}." for i in range(10)]
    path = write(tmp_path / "a.txt", [sentences, ["End."]])
    pieces = read_all(DocumentFiles(path), 4)
    assert len(pieces) == 6 and pieces[-1] == ["End."]
    assert sum(pieces[:-1], []) == sentences


def test_iterable():
    texts = ["Aa. Bb.\n\nCc.", ["D."], "", ["E."]]
    documents = DocumentIterable(lambda: texts, "five", "paragraph")
    assert read_all(documents) == [["Aa.", "Bb.", "Cc."], ["D."], ["E."]]
    assert sorted(read_all(documents, 3)) == sorted(read_all(documents))
    with pytest.raises(TypeError, match="must be a str or a list of str. Received: 7"):
        read_all(DocumentIterable(lambda: [7], "number"))


def test_identity_tells_files_apart(tmp_path):
    path = write(tmp_path / "a.txt", DOCUMENTS)
    before = DocumentFiles(path).identity()
    assert json.loads(json.dumps(before))["files"][0][0] == str(path)
    os.utime(path, (1, 1))
    assert DocumentFiles(path).identity() != before


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "must have documents. Received: .*a.txt, which is empty"),
        ("a.csv", b"x", "format must be known. Received: .*a.csv"),
        ("a.txt", b"One.\nTwo.\n\nf\xfcnf\n", r"UTF-8. Received: .*a.txt:4: byte 0xfc at column 2"),
        ("a.jsonl", b'{"text": "x"}\n{"text"\n', r"a JSON object. Received: .*a.jsonl:2: "),
        ("a.jsonl", b'\n{"body": "x", "id": 1}\n', r"field 'text'. Received: .*:2 with body, id"),
        ("a.jsonl", b'{"text": [1]}\n', r"field 'text'. Received: .*a.jsonl:1 with text"),
        ("a.jsonl", b"[1]\n", r"field 'text'. Received: .*a.jsonl:1 with list"),
        ("a.jsonl", b'{"text": "\xfc"}\n', r"UTF-8. Received: .*a.jsonl:1: byte 0xfc at column 11"),
        ("a.tfrecord", frame_records(serialize_examples({"body": [[b"x"]]})),
         r"field 'text'. Received: .*a.tfrecord, record 1 with body"),
        ("a.tfrecord", frame_records(serialize_examples({"text": [[b"\xfc"]]})),
         r"UTF-8. Received: .*a.tfrecord, record 1: "),
        ("a.tfrecord", frame_records([b"\xff"]), r"tf.train.Example. Received: .*, record 1"),
        ("a.tfrecord", b"no records", "damaged or cut off at byte 0"),
    ],
)  # fmt: skip
def test_bad_files(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_all(DocumentFiles(tmp_path / name))


def test_line_of_a_later_range(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"One.\n\n" * 20 + b"f\xfcnf\n")
    with pytest.raises(ValueError, match="a.txt:41: byte 0xfc"):
        read_all(DocumentFiles(tmp_path / "a.txt"), 3)


def test_a_line_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(document_readers, "MAX_LINE_BYTES", 1 << 20)
    (tmp_path / "a.txt").write_bytes(b"One.\n" + b"x" * (1 << 21))
    with pytest.raises(ValueError, match="longer than 1 MB. Received: .*a.txt:2"):
        read_all(DocumentFiles(tmp_path / "a.txt"))


def test_a_cut_gzip_file(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(os.urandom(5000).hex().encode())[:-1000])
    with pytest.raises(ValueError, match="in .gz must be whole. Received: .*a.txt.gz"):
        read_all(DocumentFiles(path))


def test_no_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="Received: .*none.txt, which leads to none"):
        DocumentFiles(str(tmp_path / "none.txt"))
    with pytest.raises(FileNotFoundError, match="Received: an empty list"):
        DocumentFiles([])


def test_bad_options(tmp_path):
    with pytest.raises(ValueError, match="format must be one of .* Received: 'xml'"):
        DocumentFormat(format="xml")
    with pytest.raises(ValueError, match="lines must be one of .* Received: 'words'"):
        DocumentFormat(lines="words")
    path = tmp_path / "a.jsonl"
    path.write_text("{}")
    with pytest.raises(ValueError, match="whole_files is for text files. Received: .*a.jsonl"):
        DocumentFiles(path, DocumentFormat(whole_files=True))
