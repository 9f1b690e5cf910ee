"""Rows of your own files by the names of their columns: CSV, TSV, JSONL and JSON."""

import pathlib

from albert_tf.data.tasks.tables import read_csv, read_jsonl, read_tsv
from albert_tf.data.tasks.text_files import read_text
from albert_tf.messages import did_you_mean

_READERS = {".csv": read_csv, ".tsv": read_tsv, ".jsonl": read_jsonl, ".json": read_jsonl}
TABLE_ENDINGS = tuple(_READERS)
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_OF_FILES = {".csv": ",", ".tsv": "\t"}


def ending(path):
    """What a file's name says that it holds, in lower case: ".csv" of "train.CSV.gz"."""
    path = pathlib.Path(path)
    return (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()


def named_rows(path, columns, report, endings=TABLE_ENDINGS):
    """Yields `(place, dict from column to value)`; every row has all the columns asked for.

    Args:
      path: Path of a file. In CSV and TSV the first row names the columns; in JSON the keys do.
      columns: {flag that names it: column}; a column of None is not asked for.
      report: `Report`.
      endings: What the file may be called, for the error.

    Raises:
      FileNotFoundError: If there is no such file.
      ValueError: If a column is missing, a row malformed, or there is none, with file and line.
    """
    columns = {flag: column for flag, column in columns.items() if column is not None}
    kind, location = ending(path), None
    if kind not in _READERS:
        raise ValueError(
            f"Data files must be {', '.join(endings)}, or one of these with .gz. Received: {path}."
        )
    rows = _READERS[kind](path, report)
    header = _header(path, rows, columns) if kind in _OF_FILES else None
    for line, row in rows:
        location = f"{path}:{line}"
        if header is None:
            _check_columns(columns, list(row), location)
        elif len(row) != len(header):
            raise ValueError(
                f"Each row must have the header's {len(header)} columns. "
                f"Received: {location}: {len(row)} columns: {row!r:.200}."
            )
        else:
            row = dict(zip(header, row))
        yield location, row
    if location is None:
        what = "which has no row of data" if read_text(path).strip() else "an empty file"
        raise ValueError(
            f"A data set must have at least one example. Received: none in {path}, {what}. Check "
            "that the file is complete and is the right one."
        )


def row_number(location):
    """The line, or the number in a list, that a place of `named_rows` ends with."""
    return location.rpartition(":")[2].removeprefix("item ")


def _header(path, rows, columns):
    """The names of the columns, checked; None of an empty file."""
    try:
        _, header = next(rows, (1, None))
    except ValueError:  # A quoted field before another separator is no CSV.
        _check_separator(path, columns)
        raise
    if header is None:
        return None
    header = [name.strip() for name in header]
    if not set(columns.values()) <= set(header):
        _check_separator(path, columns)
    _check_columns(columns, header, f"{path}:1")
    return header


def _check_separator(path, columns):
    """Raises if a table has its columns, or several, by another separator than its ending says."""
    own, line = _OF_FILES[ending(path)], read_text(path).partition("\n")[0]
    for other in (separator for separator in _SEPARATORS if separator != own):
        names = [name.strip(' "\r') for name in line.split(other)]
        if set(columns.values()) <= set(names) or (own not in line and len(names) > 1):
            known = {separator: name for name, separator in _OF_FILES.items()}
            way = (
                f"Write it with {_SEPARATORS[own]}, for example with pandas: read_csv(path, "
                f"sep={other!r}).to_csv(new_path, sep={own!r}, index=False)."
            )
            if other in known:
                way = f"Call it {known[other]}."
            raise ValueError(
                f"The columns of a {ending(path)} file must be divided by {_SEPARATORS[own]}. "
                f"Received: {path}:1: {line.rstrip()!r:.200}, divided by {_SEPARATORS[other]}. "
                f"{way}"
            )


def _check_columns(columns, header, location):
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ValueError(f"Columns must have distinct names. Received: {location}: {twice} twice.")
    for flag, column in columns.items():
        if column not in header:
            first = " The first row must name the columns." if location.endswith(":1") else ""
            raise ValueError(
                f"The data must have a column {column!r}. Received: {location}: columns "
                f"{header!r:.300}.{did_you_mean(column, header) or first} Say with --{flag} what "
                "it is called."
            )
