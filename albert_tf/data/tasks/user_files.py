"""Your own data: CSV, TSV or JSONL for classification, several labels a text, regression, tagging.

The first row of CSV and TSV names the columns. CSV follows RFC 4180 (quoted fields); TSV is split
at tabs, and quotes are ordinary text. JSONL has one object a line, whose keys are the columns.
"""

import ast
import difflib
import pathlib
import re

from albert_tf.data.report import Report
from albert_tf.data.tasks.examples import Example, ExampleSet, TaggedExample
from albert_tf.data.tasks.labels import (
    LABEL_SEPARATOR,
    check_label,
    listed,
    parse_labels,
    parse_score,
)
from albert_tf.data.tasks.tables import read_csv, read_jsonl, read_tsv


def read_classification(path, text="text", text_pair=None, label="label", labels=None, guid=None):
    """Reads texts, or pairs of texts, with a label each.

    Args:
      path: Path of a .csv, .tsv or .jsonl file.
      text: Name of the column of the (first) text.
      text_pair: Name of the column of the second text, if there is one.
      label: Name of the column of the label; None for files to predict on.
      labels: All labels in the order of their ids. None takes those of the file, sorted, as numbers
        if all are; pass the training set's for every other file.
      guid: Name of a column of identifiers; without one it is the line number.

    Returns:
      `ExampleSet` of `Example`s, with `labels` a tuple of str.

    Raises:
      FileNotFoundError: If there is no such file.
      ValueError: For a malformed row, an unknown or empty label or an empty text, with file and
        line; for a missing column, fewer than two labels, or an empty file.

    Example:
      >>> import pathlib, tempfile
      >>> from albert_tf.data.tasks.user_files import read_classification
      >>> path = pathlib.Path(tempfile.mkdtemp(), "train.csv")
      >>> _ = path.write_text("review,stars\\na fine film,5\\ndull,1\\n")
      >>> train = read_classification(path, text="review", label="stars")
      >>> train.labels, train[0].text_a
      (('1', '5'), 'a fine film')
    """
    report, examples, places = Report(), [], []
    for place, row in _rows(path, [text, text_pair, label, guid], report):
        name = None if label is None else _one_label(row[label], place)
        examples.append(_example(row, place, text, text_pair, guid, name))
        places.append(place)
    if examples and label is not None:
        labels = _all_labels(labels, {example.label for example in examples}, path)
        for place, example in zip(places, examples):
            check_label(example.label, labels, place)
    return ExampleSet(examples, [path], labels or (), report)


def read_multi_label(
    path,
    text="text",
    text_pair=None,
    label="label",
    labels=None,
    guid=None,
    separator=LABEL_SEPARATOR,
):
    """Reads texts, or pairs of texts, with any number of labels each.

    Args:
      path, text, text_pair, guid: As of `read_classification`.
      label: Name of the column of the labels: in JSONL a list of strings, such as ["a", "b"] or [];
        in CSV and TSV a field in which `separator` divides them, such as a|b, empty for none. None
        for files to predict on.
      labels: As of `read_classification`.
      separator: What divides the labels of a field.

    Returns:
      `ExampleSet` of `Example`s, whose `label` is a tuple of str, with `labels` a tuple of str.

    Raises:
      FileNotFoundError: If there is no such file.
      ValueError: As in `read_classification`, but that one label is enough; or if the labels seem
        to be divided by something else.

    Example:
      >>> import pathlib, tempfile
      >>> import albert_tf
      >>> path = pathlib.Path(tempfile.mkdtemp(), "train.csv")
      >>> _ = path.write_text("text,label\\nfunny and sad,fun|sorrow\\ndull,\\n")
      >>> train = albert_tf.read_multi_label(path)
      >>> train.labels, [example.label for example in train]
      (('fun', 'sorrow'), [('fun', 'sorrow'), ()])
    """
    report, examples, places = Report(), [], []
    for place, row in _rows(path, [text, text_pair, label, guid], report):
        names = None if label is None else parse_labels(row[label], place, separator)
        examples.append(_example(row, place, text, text_pair, guid, names))
        places.append(place)
    if examples and label is not None:
        found = {name for example in examples for name in example.label}
        if labels is None:
            _check_separator(examples, places, separator)
        labels = _all_labels(labels, found, path, least=1)
        for place, example in zip(places, examples):
            for name in example.label:
                check_label(name, labels, place)
    return ExampleSet(examples, [path], labels or (), report)


def read_regression(path, text="text", text_pair=None, label="label", guid=None):
    """Reads texts, or pairs of texts, with a number each.

    Args: as of `read_classification`.

    Returns:
      `ExampleSet` of `Example`s with float labels; its `labels` are None.

    Raises:
      FileNotFoundError: If there is no such file.
      ValueError: As in `read_classification`; and if a label is not a finite number.

    Example:
      >>> import pathlib, tempfile
      >>> import albert_tf
      >>> path = pathlib.Path(tempfile.mkdtemp(), "train.csv")
      >>> _ = path.write_text("text,label\\na fine film,4.5\\n")
      >>> albert_tf.read_regression(path)[0].label
      4.5
    """
    report, examples = Report(), []
    for place, row in _rows(path, [text, text_pair, label, guid], report):
        score = None if label is None else parse_score(_label(row[label], place), place)
        examples.append(_example(row, place, text, text_pair, guid, score))
    return ExampleSet(examples, [path], None, report)


def read_tagging(path, words="words", tags="tags", labels=None, guid=None):
    """Reads texts cut into words, with a tag for each word.

    Args:
      path: Path of a .jsonl file, whose words and tags are lists of str; or of a .csv or .tsv file,
        where spaces divide them.
      words: Name of the column of the words.
      tags: Name of the column of the tags; None for files to predict on.
      labels, guid: As of `read_classification`.

    Returns:
      `ExampleSet` of `TaggedExample`s, with `labels` a tuple of str.

    Raises:
      FileNotFoundError: If there is no such file.
      ValueError: As in `read_classification`; and if there is not one tag a word.

    Example:
      >>> import pathlib, tempfile
      >>> import albert_tf
      >>> path = pathlib.Path(tempfile.mkdtemp(), "train.csv")
      >>> _ = path.write_text("words,tags\\nAda Lovelace wrote,B-PER I-PER O\\n")
      >>> albert_tf.read_tagging(path)[0].tags
      ('B-PER', 'I-PER', 'O')
    """
    report, examples, places = Report(), [], []
    for place, row in _rows(path, [words, tags, guid], report):
        row_words = _items(row[words], place)
        row_tags = None if tags is None else _items(row[tags], place)
        if row_tags is not None and len(row_tags) != len(row_words):
            raise ValueError(
                "Each word must have one tag. "
                f"Received: {place}: {len(row_words)} words, {len(row_tags)} tags."
            )
        name = place.rpartition(":")[2] if guid is None else str(row[guid])
        examples.append(TaggedExample(name, row_words, row_tags))
        places.append(place)
    if examples and tags is not None:
        labels = _all_labels(labels, {tag for e in examples for tag in e.tags}, path)
        for place, example in zip(places, examples):
            for tag in example.tags:
                check_label(tag, labels, place)
    return ExampleSet(examples, [path], labels or (), report)


def _rows(path, columns, report):
    """Yields `(place, dict from column to value)`; every row has all the columns asked for."""
    columns = [column for column in columns if column is not None]
    suffix = pathlib.Path(path).suffix.lower()
    if suffix == ".jsonl":
        for line, row in read_jsonl(path, report):
            _check_columns(columns, list(row), f"{path}:{line}")
            yield f"{path}:{line}", row
    elif suffix in (".csv", ".tsv"):
        rows = read_csv(path, report) if suffix == ".csv" else read_tsv(path, report)
        _, header = next(rows, (1, []))
        _check_columns(columns, header, f"{path}:1")
        for line, row in rows:
            if len(row) != len(header):
                raise ValueError(
                    f"Each row must have the header's {len(header)} columns. "
                    f"Received: {path}:{line}: {len(row)} columns: {row!r:.200}."
                )
            yield f"{path}:{line}", dict(zip(header, row))
    else:
        raise ValueError(f"Data files must be .csv, .tsv or .jsonl. Received: {path}.")


def _check_columns(columns, header, place):
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ValueError(f"Columns must have distinct names. Received: {place}: {twice} twice.")
    for column in columns:
        if column not in header:
            near = difflib.get_close_matches(column, header, n=1)
            raise ValueError(
                f"The data must have a column {column!r}. Received: {place}: columns {header}."
                + (f" Did you mean {near[0]!r}?" if near else " Name the columns by arguments.")
            )


def _example(row, place, text, text_pair, guid, label):
    name = place.rpartition(":")[2] if guid is None else str(row[guid])
    pair = None if text_pair is None else _text(row[text_pair], place)
    return Example(name, _text(row[text], place), pair, label)


def _text(value, place):
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"Texts must be strings with content. Received: {place}: {value!r}.")
    return value


def _label(value, place):
    """A label as str; JSON may hold a number or a truth value."""
    text = "" if value is None or isinstance(value, (list, dict)) else str(value).strip()
    if not text:
        raise ValueError(f"Labels must be strings or numbers. Received: {place}: {value!r}.")
    return text


def _one_label(value, place):
    """The label of a text that has exactly one."""
    if listed(value) is not None:
        raise ValueError(
            f"A text must have one label here. Received: {place}: the list {value!r:.80}. Where "
            "texts have several labels, or none, the task is multi-label (--task=multi-label; "
            "read_multi_label)."
        )
    return _label(value, place)


def _check_separator(examples, places, separator):
    """Raises if no text has several labels, but some label looks like several."""
    if any(len(example.label) > 1 for example in examples):
        return
    for place, example in zip(places, examples):
        for other in ",;|":
            if any(other in label for label in example.label):
                raise ValueError(
                    f"Labels of a text are divided by {separator!r}, or are a list. Received: "
                    f"{place}: {example.label[0]!r}, and no text with two labels. Name what "
                    f"divides them (--label_separator={other!r}); if it is one label, write lists "
                    "into a .jsonl file."
                )


def _items(value, place):
    items = _split(value, place) if isinstance(value, str) else value
    if not isinstance(items, list) or not items or not all(isinstance(x, str) for x in items):
        raise ValueError(
            "Words and tags must be lists of strings, or strings divided by spaces, and not empty. "
            f"Received: {place}: {value!r:.80}."
        )
    return tuple(items)


def _split(text, place):
    """The words of a cell: divided by spaces, or a list as pandas writes one into a .csv file."""
    if not (text.startswith("[") and text.endswith("]")):
        return text.split()
    if re.search(r"""['"]\s+['"]""", text):
        raise ValueError(
            "Words and tags in a table must be divided by spaces, or a list with commas. Received: "
            f"{place}: {text:.80}, an array as NumPy prints it. Write a .jsonl file, or join the "
            "words with spaces."
        )
    try:
        items = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text.split()
    is_list = isinstance(items, list) and all(isinstance(item, str) for item in items)
    return items if is_list else text.split()


_LEAST = {1: "one label", 2: "two labels"}


def _all_labels(labels, found, path, least=2):
    if labels is not None:
        return tuple(map(str, labels))
    if len(found) < least:
        raise ValueError(
            f"A data set to learn from must have at least {_LEAST[least]}. "
            f"Received: {path}: only {sorted(found)}. If it is a part of the data, pass labels=..."
        )
    return tuple(sorted(found, key=int) if all(map(_is_int, found)) else sorted(found))


def _is_int(text):
    return text.removeprefix("-").isdecimal()
