import gzip

import pytest

from albert_tf.data.tasks.text_files import numbered_lines, read_text


def write(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    return path


def test_text(tmp_path):
    text = "caf\u00e9\r\n\u2028x\x00\n"
    for data in (text.encode(), text.encode("utf-8-sig"), gzip.compress(text.encode("utf-8-sig"))):
        path = write(tmp_path, data)
        assert read_text(path) == text
        assert list(numbered_lines(path)) == [(1, "caf\u00e9"), (2, "\u2028x\x00"), (3, "")]
    assert read_text(write(tmp_path, b"")) == ""


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_two_or_four_bytes_a_character(tmp_path, encoding):
    path = write(tmp_path, "text,label\na,x\n".encode(encoding))
    name = encoding.upper().replace("-LE", "LE").replace("-BE", "BE")
    with pytest.raises(
        ValueError, match=rf"must be UTF-8. .* is {name}. .*iconv -f {name} -t UTF-8"
    ):
        read_text(path)


def test_latin_1(tmp_path):
    data = "text\nein sch\u00f6ner Film\n".encode("latin-1")
    for content in (data, gzip.compress(data)):
        with pytest.raises(
            ValueError, match="a.csv:2: byte 0xf6, in 'ein sch\u00f6ner Film' if .*Latin"
        ):
            read_text(write(tmp_path, content))


@pytest.mark.parametrize(
    "start, what", [(b"PK\x03\x04", ".xlsx"), (b"PAR1", "Parquet"), (b"BZh9", "bz")]
)
def test_other_files(tmp_path, start, what):
    with pytest.raises(ValueError, match=f"must be text, .* Received: .*a.csv, .*{what}"):
        read_text(write(tmp_path, start + bytes(20)))


def test_damaged_archives(tmp_path):
    whole = bytearray(gzip.compress(b"text,label\n" * 100))
    flipped = bytes([*whole[:20], whole[20] ^ 255, *whole[21:]])
    for data in (whole[:-9], flipped, whole + b"more"):
        with pytest.raises(
            ValueError, match=r"compressed data file must be whole. Received: .*a.csv"
        ):
            read_text(write(tmp_path, bytes(data)))
