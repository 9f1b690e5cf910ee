"""Your own data: CSV, TSV or JSON for classification, several labels a text, regression, tagging.

The first row of CSV and TSV names the columns. CSV follows RFC 4180 (quoted fields); TSV is split
at tabs, and quotes are ordinary text. In JSON there is one object a line, or one list of objects,
whose keys are the columns. For tagging there is also the format of CoNLL's shared tasks. All may be
compressed by gzip.
"""

import ast
import functools
import re
from collections.abc import Sequence

from albert_tf._types import Path
from albert_tf.data.report import Report
from albert_tf.data.tasks.conll import CONLL_ENDINGS, read_conll
from albert_tf.data.tasks.examples import Example, ExampleSet, TaggedExample
from albert_tf.data.tasks.labels import (
    LABEL_SEPARATOR,
    listed,
    parse_labels,
    parse_score,
    with_labels,
)
from albert_tf.data.tasks.named_rows import TABLE_ENDINGS, ending, named_rows, row_number


def read_classification(
    path: Path,
    text: str = "text",
    text_pair: str | None = None,
    label: str | None = "label",
    labels: Sequence[str] | None = None,
    guid: str | None = None,
) -> ExampleSet:
    """Reads texts, or pairs of texts, with a label each.

    Args:
      path: Path of a .csv, .tsv, .jsonl or .json file, or of one compressed by gzip, as .csv.gz.
      text: Name of the column of the (first) text.
      text_pair: Name of the column of the second text, if there is one.
      label: Name of the column of the label; None for files to predict on.
      labels: All labels in the order of their ids. None takes those of the file, sorted, as numbers
        if all are; pass the training set's for every other file. Of numbers, 1.0 is the label 1 if
        there is one, and the other way round, which the report counts.
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
    report, columns = Report(), (text, text_pair, label, guid)
    examples, locations = _examples(path, columns, report, _one_label)
    if label is not None:
        examples, labels = with_labels(examples, locations, "label", labels, report)
    return ExampleSet(examples, [path], labels or (), report)


def read_multi_label(
    path: Path,
    text: str = "text",
    text_pair: str | None = None,
    label: str | None = "label",
    labels: Sequence[str] | None = None,
    guid: str | None = None,
    separator: str = LABEL_SEPARATOR,
) -> ExampleSet:
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
    report, columns = Report(), (text, text_pair, label, guid)
    parse = functools.partial(parse_labels, separator=separator)
    examples, locations = _examples(path, columns, report, parse)
    if label is not None:
        if labels is None:
            _check_separator(examples, locations, separator)
        examples, labels = with_labels(examples, locations, "label", labels, report, least=1)
    return ExampleSet(examples, [path], labels or (), report)


def read_regression(
    path: Path,
    text: str = "text",
    text_pair: str | None = None,
    label: str | None = "label",
    guid: str | None = None,
) -> ExampleSet:
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
    report, columns = Report(), (text, text_pair, label, guid)
    examples, _ = _examples(path, columns, report, _score)
    return ExampleSet(examples, [path], None, report)


def read_tagging(
    path: Path,
    words: str = "words",
    tags: str | None = "tags",
    labels: Sequence[str] | None = None,
    guid: str | None = None,
) -> ExampleSet:
    """Reads texts cut into words, with a tag for each word.

    Args:
      path: Path of a .jsonl or .json file, whose words and tags are lists of str; of a .csv or .tsv
        file, where spaces divide them; or of a .conll file (or .bio, .iob, .iob2, .txt), which
        `read_conll` reads: the first column is the word, the last one its tag, as it stands there
        (IOB1, IOB2 or any other). Each may be compressed by gzip.
      words: Name of the column of the words; CoNLL files have no such names.
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
    report, examples, locations = Report(), [], []
    for location, row_words, row_tags, name in _tagged_rows(path, words, tags, guid, report):
        if row_tags is not None and len(row_tags) != len(row_words):
            raise ValueError(
                "Each word must have one tag. "
                f"Received: {location}: {len(row_words)} words, {len(row_tags)} tags."
            )
        examples.append(TaggedExample(name, row_words, row_tags))
        locations.append(location)
    if examples and tags is not None:
        examples, labels = with_labels(examples, locations, "tags", labels, report)
    return ExampleSet(examples, [path], labels or (), report)


def _tagged_rows(path, words, tags, guid, report):
    """Yields (place, words, tags or None, identifier) of each text."""
    if ending(path) in CONLL_ENDINGS:
        if words != "words" or tags not in ("tags", None) or guid is not None:
            raise ValueError(
                "The columns of CoNLL files have no names: the first one is the word, the last one "
                f"its tag. Received: {path}, with columns {words!r}, {tags!r} and {guid!r}. Leave "
                "these out (--text_column, --label_column, --id_column), or write a .jsonl file."
            )
        for line, rows in read_conll(path, report):
            if tags is not None and len(rows[0]) < 2:
                raise ValueError(
                    "Each line of a CoNLL file must have a word and, as its last column, its tag. "
                    f"Received: {path}:{line}: {rows[0][0]!r} alone."
                )
            row_tags = None if tags is None else tuple(row[-1] for row in rows)
            yield f"{path}:{line}", tuple(row[0] for row in rows), row_tags, str(line)
        return
    columns = {"text_column": words, "label_column": tags, "id_column": guid}
    for location, row in named_rows(path, columns, report, TABLE_ENDINGS + CONLL_ENDINGS):
        row_tags = None if tags is None else _items(row[tags], location)
        name = row_number(location) if guid is None else str(row[guid])
        yield location, _items(row[words], location), row_tags, name


def _examples(path, columns, report, parse):
    """(`Example`s, their locations); `parse(value, location)` makes a label of what is written."""
    text, text_pair, label, guid = columns
    flags = ("text_column", "pair_column", "label_column", "id_column")  # For the errors.
    examples, locations = [], []
    for location, row in named_rows(path, dict(zip(flags, columns)), report):
        parsed = None if label is None else parse(row[label], location)
        name = row_number(location) if guid is None else str(row[guid])
        pair = None if text_pair is None else _text(row[text_pair], location)
        examples.append(Example(name, _text(row[text], location), pair, parsed))
        locations.append(location)
    return examples, locations


def _text(value, location):
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"Texts must be strings with content. Received: {location}: {value!r}.")
    return value


def _label(value, location):
    """A label as str; JSON may hold a number or a truth value."""
    text = "" if value is None or isinstance(value, (list, dict)) else str(value).strip()
    if not text or value != value:  # NaN is what pandas writes for a missing label.
        raise ValueError(f"Labels must be strings or numbers. Received: {location}: {value!r}.")
    return text


def _score(value, location):
    return parse_score(_label(value, location), location)


def _one_label(value, location):
    """The label of a text that has exactly one."""
    if listed(value) is not None:
        raise ValueError(
            f"A text must have one label here. Received: {location}: the list {value!r:.80}. Where "
            "texts have several labels, or none, the task is multi-label (--task=multi-label; "
            "read_multi_label)."
        )
    return _label(value, location)


def _check_separator(examples, locations, separator):
    """Raises if no text has several labels, but some label looks like several."""
    if any(len(example.label) > 1 for example in examples):
        return
    for location, example in zip(locations, examples):
        for other in ",;|":
            if any(other in label for label in example.label):
                raise ValueError(
                    f"Labels of a text are divided by {separator!r}, or are a list. Received: "
                    f"{location}: {example.label[0]!r}, and no text with two labels. Name what "
                    f"divides them (--label_separator={other!r}); if it is one label, write lists "
                    "into a .jsonl file."
                )


def _items(value, location):
    items = _split(value, location) if isinstance(value, str) else value
    if not isinstance(items, list) or not items or not all(isinstance(x, str) for x in items):
        raise ValueError(
            "Words and tags must be lists of strings, or strings divided by spaces, and not empty. "
            f"Received: {location}: {value!r:.80}."
        )
    return tuple(items)


def _split(text, location):
    """The words of a cell: divided by spaces, or a list as pandas writes one into a .csv file."""
    if not (text.startswith("[") and text.endswith("]")):
        return text.split()
    if re.search(r"""['"]\s+['"]""", text):
        raise ValueError(
            "Words and tags in a table must be divided by spaces, or a list with commas. Received: "
            f"{location}: {text:.80}, an array as NumPy prints it. Write a .jsonl file, or join "
            "the words with spaces."
        )
    try:
        items = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text.split()
    is_list = isinstance(items, list) and all(isinstance(item, str) for item in items)
    return items if is_list else text.split()
