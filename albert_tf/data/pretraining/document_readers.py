"""Documents of one file, or of a byte range of it: text, JSON lines, TFRecord."""

import json

from albert_tf.data.example_proto import parse_example
from albert_tf.data.tfrecord import read_records

MAX_LINE_BYTES = 16 << 20
MAX_DOCUMENT_BYTES = 4 << 20


def read_text(file, name, start=0, end=None, whole_file=False):
    """Yields the documents of an open text file, which empty lines separate.

    A document belongs to the range that its preceding empty line starts in (the first of the file:
    the range that starts at 0), so ranges that cover a file yield each document once. One longer
    than 4 MB comes in several pieces.

    Args:
      file: Seekable binary file.
      name: What errors call it.
      start, end: The byte range; None is the end of the file.
      whole_file: The file is a single document, empty lines included.

    Yields:
      list of str: lines without their ends.

    Raises:
      ValueError: With file and line, for what is not UTF-8 or longer than 16 MB.
    """
    file.seek(max(start - 1, 0))
    if start:
        _next_line(file, name)  # The rest of a line of the range before, or its line end.
    position = file.tell()
    inside = start == 0  # After an empty line of this range.
    document, size = [], 0
    while raw := _next_line(file, name):
        line = _decode(raw, file, name, position)
        empty = not line.strip()
        if empty and not whole_file:
            if document:
                yield document
                document, size = [], 0
            if end is not None and position >= end:
                return
            inside = True
        elif inside:
            document.append(line)
            size += len(raw)
            if size > MAX_DOCUMENT_BYTES:
                yield document
                document, size = [], 0
        elif end is not None and position >= end:
            # No document of this range can start any more: its empty line would lie behind.
            return
        position += len(raw)
    if any(map(str.strip, document)):
        yield document


def read_jsonl(file, name, field, start=0, end=None):
    """Yields the documents of an open file of one JSON object a line.

    A line belongs to the range that it starts in.

    Args:
      file, name, start, end: As of `read_text`.
      field: The object's field with the text: a string, or a list of strings.

    Yields:
      list of str: lines.

    Raises:
      ValueError: With file and line, for what is not such a line.
    """
    file.seek(max(start - 1, 0))
    if start:
        _next_line(file, name)
    position = file.tell()
    while (end is None or position < end) and (raw := _next_line(file, name)):
        line = _decode(raw, file, name, position)
        if line.strip():
            try:
                value = json.loads(line)
            except json.JSONDecodeError as error:
                place = f"{name}:{_line_number(file, position)}"
                raise ValueError(
                    f"Each line must be a JSON object. Received: {place}: {error}."
                ) from None
            if not isinstance(value, dict) or not _is_text(value.get(field)):
                raise _wrong_field(field, value, f"{name}:{_line_number(file, position)}")
            yield _lines(value[field])
        position += len(raw)


def read_tfrecord(file, name, field, start=0, end=None):
    """Yields the documents of an open TFRecord file of tf.train.Example.

    A record belongs to the range that it starts in.

    Args:
      file, name, start, end: As of `read_text`.
      field: The bytes feature with the text; several values are several lines.

    Yields:
      list of str: lines.

    Raises:
      ValueError: For a damaged file, or records without the field.
    """
    for number, record in enumerate(read_records(file, name, start, end), start=1):
        place = f"{name}, record {number}" + (f" after byte {start}" if start else "")
        try:
            features = parse_example(record)
        except ValueError as error:
            raise ValueError(f"{error} Received: {place}.") from None
        values = features.get(field)
        if not values or not isinstance(values[0], bytes):
            raise _wrong_field(field, features, place)
        try:
            yield _lines([value.decode() for value in values])
        except UnicodeDecodeError as error:
            raise ValueError(f"Text must be UTF-8. Received: {place}: {error}.") from None


def _is_text(value):
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return isinstance(value, str)


def _lines(text):
    """Lines of a string or a list of strings."""
    if isinstance(text, str):
        return text.split("\n")
    return [line for part in text for line in part.split("\n")]


def _wrong_field(field, value, place):
    fields = ", ".join(sorted(value)) if isinstance(value, dict) else type(value).__name__
    return ValueError(
        f"Each document must have its text, a string or a list of strings, in the field {field!r}. "
        f"Received: {place} with {fields or 'no fields'}. Name the field that has the text."
    )


def _next_line(file, name):
    line = file.readline(MAX_LINE_BYTES + 1)
    if len(line) > MAX_LINE_BYTES:
        position = file.tell() - len(line)
        raise ValueError(
            f"A line must not be longer than {MAX_LINE_BYTES >> 20} MB. "
            f"Received: {name}:{_line_number(file, position)}. Break the text into sentences, one "
            "a line."
        )
    return line


def _decode(raw, file, name, position):
    try:
        line = raw.decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            "Text must be UTF-8. Received: "
            f"{name}:{_line_number(file, position)}: byte {raw[error.start]:#04x} at column "
            f"{error.start + 1}. Convert it first, as with `iconv -f latin1 -t utf-8`."
        ) from None
    return line[1:] if position == 0 and line.startswith("\ufeff") else line


def _line_number(file, position):
    """The number of the line that starts at a byte; counted only when an error needs it."""
    file.seek(0)
    lines, left = 1, position
    while left > 0 and (chunk := file.read(min(left, 1 << 20))):
        lines += chunk.count(b"\n")
        left -= len(chunk)
    return lines
