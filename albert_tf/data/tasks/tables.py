"""Rows of text files with their line numbers; what is malformed is refused with its place."""

import csv
import io
import json
import re

from albert_tf.data.tasks.text_files import numbered_lines, read_text

BLANK = "blank lines skipped"
_MAYBE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_lines(path, report):
    """Yields `(line number from 1, line)` of a UTF-8 file; see `text_files.numbered_lines`.

    Empty lines are skipped; lines of white space, too, and counted in `report`.
    """
    for number, text in numbered_lines(path):
        if text.strip():
            yield number, text
        elif text:
            report.add(BLANK, f"{path}:{number}")


def read_tsv(path, report):
    """Yields `(line number, list of str)`: split at tabs; quotes are ordinary text, as in GLUE."""
    for number, line in read_lines(path, report):
        yield number, line.split("\t")


def read_csv(path, report):
    """Yields `(line number, list of str)` by RFC 4180: commas; quoted fields may hold line ends."""
    text = read_text(path)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number, rows = 1, []
    limit = csv.field_size_limit(max(len(text), 1))  # Documents may be longer than the default.
    try:
        for row in reader:
            if row:
                rows.append((number, row))
            else:
                report.add(BLANK, f"{path}:{number}")
            number = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            'CSV files must follow RFC 4180, with " inside of quoted fields doubled. '
            f"Received: {path}:{number}: {error}."
        ) from None
    finally:
        csv.field_size_limit(limit)
    yield from rows


def read_jsonl(path, report):
    """Yields `(line number, dict)`: one JSON object a line.

    Of a file that is one JSON list of objects instead, yields `("item 1", dict)` and so on.
    """
    text = read_text(path)
    if text.lstrip().startswith("["):
        for number, value in enumerate(_parsed(text, path, 1), start=1):
            yield f"item {number}", _object(value, path, f"item {number}")
        return
    for number, line in read_lines(path, report):
        yield number, parse_json(line, path, number, _ROWS)


_ROWS = " A file of rows has one object a line, or is one list of objects."


def parse_json(text, path, line=1, advice=""):
    """A JSON object from text that begins at a line of a file; anything else is refused."""
    return _object(_parsed(text, path, line, advice), path, line, advice)


def read_json(path):
    """The JSON object that a whole file holds."""
    return parse_json(read_text(path), path)


def _parsed(text, path, line, advice=""):
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            "The text must be JSON. Received: "
            f"{path}:{line + error.lineno - 1}: {error.msg} at column {error.colno}.{advice}"
        ) from None
    except RecursionError:
        raise ValueError(
            f"JSON must not be nested thousands of times. Received: {path}:{line}."
        ) from None
    if _MAYBE_SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"Texts must be valid Unicode. Received: {path}:{line}: half of a surrogate pair."
            ) from None
    return value


def _object(value, path, location, advice=""):
    if not isinstance(value, dict):
        raise ValueError(
            f"The text must be a JSON object. Received: {path}:{location}: a "
            f"{type(value).__name__}.{advice}"
        )
    return value
