"""Rows of files of any size, one at a time; what is malformed is told with its place."""

import csv
import dataclasses
import difflib
import gzip
import json
import pathlib
import zlib

FORMATS = (".txt", ".csv", ".tsv", ".jsonl", ".parquet")
START = (0, 0)  # Of a file: `Row.start` of its first row.
_BATCH = 1024
_LONGEST_LINE = 1 << 26


@dataclasses.dataclass(slots=True)
class Row:
    """A row of a file.

    Attributes:
      place: File and line, or file and row, such as "rows.csv:3".
      values: {column: value}; None where the row is malformed.
      error: What is wrong with it, or None.
      start: Where it begins, for `read_rows`: (bytes, lines) before it; of .parquet, rows twice.
    """

    place: str
    values: dict | None
    error: str | None = None
    start: tuple = START


def file_format(path):
    """The format that a file's name tells, one of `FORMATS`; ".gz" behind it may say compressed.

    Raises:
      ValueError: It is another one.
    """
    path = pathlib.Path(path)
    suffix = path.with_suffix("").suffix if path.suffix.lower() == ".gz" else path.suffix
    suffix = suffix.lower()
    if suffix not in FORMATS or (suffix == ".parquet" and path.suffix.lower() == ".gz"):
        raise ValueError(
            f"Input files must be {', '.join(FORMATS)}, all but the last perhaps with .gz. "
            f"Received: {path}."
        )
    return suffix


def read_rows(path, columns, start=START):
    """Yields each row of a file as a `Row`, blank ones too.

    A line of .txt is the column "text". The first row of .csv and .tsv names the columns; CSV
    follows RFC 4180, TSV is split at tabs and quotes are ordinary text. JSONL has an object a line.

    Args:
      path: Path of a file in one of `FORMATS`.
      columns: Names of the columns that are wanted; of a JSON object, keys.
      start: `start` of the row to begin with.

    Raises:
      FileNotFoundError: There is no such file.
      ImportError: It is a .parquet file, and pyarrow is missing.
      ValueError: The file as a whole is not as above: its header, or its compression.

    Example:

    >>> import pathlib, tempfile
    >>> from albert_tf.prediction.tables import read_rows
    >>> path = pathlib.Path(tempfile.mkdtemp(), "rows.csv")
    >>> _ = path.write_text("id,text\\n1,good\\n2\\n")
    >>> [(row.values, row.error) for row in read_rows(path, ["text"])]
    [({'text': 'good'}, None), (None, 'expected 2 columns, found 1')]
    """
    kind = file_format(path)
    if not pathlib.Path(path).is_file():
        raise FileNotFoundError(f"The input must be an existing file. Received: {path}.")
    if kind == ".parquet":
        yield from _parquet(path, columns, start[0])
        return
    read = {".txt": _text, ".csv": _csv, ".tsv": _tsv, ".jsonl": _jsonl}[kind]
    with (gzip.open if str(path).lower().endswith(".gz") else open)(path, "rb") as file:
        try:
            lines = _Lines(path, file, start)
            rows = read(path, lines, list(columns))
            while True:
                before = lines.position  # Readers take no line before they are asked for its row.
                row = next(rows, None)
                if row is None:
                    return
                row.start = max(before, start)
                yield row
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(
                f"A .gz file must be whole. Received: {path}, damaged or cut off ({error}). Copy "
                "it again."
            ) from None


class _Lines:
    """Lines of a file with their line ends; bytes that are no UTF-8 become lone surrogates."""

    def __init__(self, path, file, start):
        self.position = START  # Bytes and lines before the next one.
        self._path, self._file, self._start = path, file, start

    def __iter__(self):
        return self

    def __next__(self):
        line = self._file.readline(_LONGEST_LINE)
        if not line:
            raise StopIteration
        offset, number = self.position
        self.position = offset + len(line), number + 1
        if len(line) == _LONGEST_LINE:
            raise ValueError(
                f"A line must be shorter than {_LONGEST_LINE >> 20} MB. Received: "
                f"{self._path}:{number + 1}."
            )
        if not offset:
            line = line.removeprefix(b"\xef\xbb\xbf")
        return line.decode(errors="surrogateescape")

    @property
    def number(self):
        """Of the last line, from 1."""
        return self.position[1]

    def go_to_start(self):
        """What a reader does after the header: from here on, lines are those of the rows."""
        if self._start != START:
            self._file.seek(self._start[0])
            self.position = self._start


def _text(path, lines, columns):
    _check_columns(columns, ["text"], path)
    lines.go_to_start()
    for line in lines:
        yield _row(f"{path}:{lines.number}", {"text": _without_end(line)}, columns)


def _tsv(path, lines, columns):
    header = _without_end(next(lines, "")).split("\t")
    _check_columns(columns, header, path)
    lines.go_to_start()
    for line in lines:
        yield _cells(f"{path}:{lines.number}", _without_end(line).split("\t"), header, columns)


def _csv(path, lines, columns):
    csv.field_size_limit(_LONGEST_LINE)  # Of all readers: Python has no other place for it.
    reader = csv.reader(lines, strict=True)
    header = _next(reader)
    if isinstance(header, csv.Error):
        raise ValueError(f"The first row must name the columns. Received: {path}:1: {header}.")
    _check_columns(columns, header or [], path)
    lines.go_to_start()
    while True:
        number = lines.number + 1
        cells = _next(reader)
        if cells is None:
            return
        if isinstance(cells, csv.Error):
            yield Row(f"{path}:{number}", None, f'no CSV by RFC 4180, with " doubled: {cells}')
        else:
            yield _cells(f"{path}:{number}", cells, header, columns)


def _next(reader):
    """The next row, an error of it, or None at the end."""
    try:
        return next(reader, None)
    except csv.Error as error:
        return error


def _jsonl(path, lines, columns):
    lines.go_to_start()
    for line in lines:
        place = f"{path}:{lines.number}"
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            blank = "a blank line" if not line.strip() else f"no JSON: {error}"
            yield Row(place, None, blank)
            continue
        if not isinstance(values, dict):
            yield Row(place, None, f"no JSON object but a {type(values).__name__}")
        else:
            yield _row(place, values, columns)


def _parquet(path, columns, start):
    try:
        from pyarrow import ArrowInvalid, parquet
    except ImportError as error:
        raise ImportError(
            "Reading .parquet needs pyarrow: pip install 'albert_tf[parquet]'."
        ) from error
    try:
        file = parquet.ParquetFile(path)
    except ArrowInvalid as error:
        raise ValueError(f"The file must be Parquet. Received: {path}: {error}") from None
    with file:
        _check_columns(columns, file.schema_arrow.names, path)
        group, before = 0, 0
        while group < file.num_row_groups and before + _rows_of(file, group) <= start:
            before, group = before + _rows_of(file, group), group + 1
        groups, names = range(group, file.num_row_groups), list(dict.fromkeys(columns))
        for batch in file.iter_batches(_BATCH, row_groups=groups, columns=names):
            for values in batch.to_pylist():
                if before >= start:
                    row = _row(f"{path}:row {before + 1}", values, columns)
                    row.start = (before, before)
                    yield row
                before += 1


def _rows_of(file, group):
    return file.metadata.row_group(group).num_rows


def _cells(place, cells, header, columns):
    if len(cells) != len(header):
        if not any(cells):
            return Row(place, None, "a blank line")
        return Row(place, None, f"expected {len(header)} columns, found {len(cells)}")
    return _row(place, dict(zip(header, cells)), columns)


def _row(place, values, columns):
    missing = [column for column in columns if column not in values]
    if missing:
        return Row(place, None, f"no {', '.join(missing)} among {', '.join(values) or 'no keys'}")
    values = {column: values[column] for column in columns}
    for value in values.values():
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                return Row(place, None, "no UTF-8, or half of a surrogate pair")
    return Row(place, values)


def _check_columns(columns, header, path):
    for name in header:
        if header.count(name) > 1:
            raise ValueError(f"Columns must have distinct names. Received: {path}: {name!r} twice.")
    for column in columns:
        if column not in header:
            near = difflib.get_close_matches(column, header, n=1)
            raise ValueError(
                f"The input must have a column {column!r}. Received: {path} with "
                f"{', '.join(header) or 'none'}."
                + (f" Did you mean {near[0]!r}?" if near else " Name the columns with --columns.")
            )


def _without_end(line):
    return line.removesuffix("\n").removesuffix("\r")
