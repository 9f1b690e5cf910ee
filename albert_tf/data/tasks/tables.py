"""Rows of text files with their line numbers; what is malformed is refused with its place."""

import csv
import io
import json
import pathlib
import re

BLANK = "blank lines skipped"
_MAYBE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_lines(path, report):
    """Yields `(line number from 1, line)` of a UTF-8 file, without line ends.

    Lines end with \\n or \\r\\n only: other separators of Unicode are text. A byte order mark is
    dropped; blank lines are skipped and counted in `report`.

    Raises:
      FileNotFoundError: If there is no such file.
      ValueError: If a line is not UTF-8.
    """
    for number, line in enumerate(_read_bytes(path).split(b"\n"), start=1):
        text = _decode(line, path, number).removesuffix("\r")
        if text.strip():
            yield number, text
        elif line:
            report.add(BLANK, f"{path}:{number}")


def read_tsv(path, report):
    """Yields `(line number, list of str)`: split at tabs; quotes are ordinary text, as in GLUE."""
    for number, line in read_lines(path, report):
        yield number, line.split("\t")


def read_csv(path, report):
    """Yields `(line number, list of str)` by RFC 4180: commas; quoted fields may hold line ends."""
    text = _decode(_read_bytes(path), path, 1)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 1
    try:
        for row in reader:
            if row:
                yield number, row
            else:
                report.add(BLANK, f"{path}:{number}")
            number = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            'CSV files must follow RFC 4180, with " inside of quoted fields doubled. '
            f"Received: {path}:{number}: {error}."
        ) from None


def read_jsonl(path, report):
    """Yields `(line number, dict)`: one JSON object a line."""
    for number, line in read_lines(path, report):
        yield number, parse_json(line, path, number)


def parse_json(text, path, line=1):
    """A JSON object from text that begins at a line of a file; anything else is refused."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            "The text must be JSON. "
            f"Received: {path}:{line + error.lineno - 1}: {error.msg} at column {error.colno}."
        ) from None
    if _MAYBE_SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"Texts must be valid Unicode. Received: {path}:{line}: half of a surrogate pair."
            ) from None
    if not isinstance(value, dict):
        raise ValueError(
            f"The text must be a JSON object. Received: {path}:{line}: a {type(value).__name__}."
        )
    return value


def read_json(path):
    """The JSON object that a whole file holds."""
    return parse_json(_decode(_read_bytes(path), path, 1), path)


def _read_bytes(path):
    path = pathlib.Path(path)
    if not path.is_file():
        siblings = sorted(p.name for p in path.parent.glob("*"))[:10]
        raise FileNotFoundError(
            f"The data file must exist. Received: {path}. "
            + (f"Its folder has {', '.join(siblings)}." if siblings else "Nor is there its folder.")
        )
    return path.read_bytes().removeprefix(b"\xef\xbb\xbf")


def _decode(data, path, line):
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line += data.count(b"\n", 0, error.start)
        raise ValueError(
            f"Data files must be UTF-8. Received: {path}:{line}: byte {data[error.start]:#04x}. "
            "Convert the file, for example with `iconv -t UTF-8`."
        ) from None
