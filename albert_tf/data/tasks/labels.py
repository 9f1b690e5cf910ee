"""Labels as files have them, checked and put in order; errors name file and line."""

import ast
import dataclasses
import decimal
import math
import re

from albert_tf.messages import did_you_mean
from albert_tf.messages import listed as in_words

LABEL_SEPARATOR = "|"
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def check_label(text, labels, location):
    """`text` if it is one of the labels; otherwise an error with its place."""
    if text not in labels:
        raise ValueError(
            f"The label must be one of {in_words(labels, most=30)}. Received: {location}: {text!r}."
            f"{did_you_mean(text, labels)}"
        )
    return text


def in_order(labels):
    """Labels in the order of their ids: of numbers if all are numbers, otherwise of the alphabet.

    Example:
      >>> from albert_tf.data.tasks.labels import in_order
      >>> in_order({"10.0", "2", "0.0"})
      ('0.0', '2', '10.0')
    """
    if all(map(_NUMBER.fullmatch, labels)):
        return tuple(sorted(labels, key=lambda label: (decimal.Decimal(label), label)))
    return tuple(sorted(labels))


def same_numbers(found, labels=None):
    """Which labels are others in another spelling: pandas writes a column of 0 and 1 as 0.0 and
    1.0 once a value is missing. Only where all labels are numbers.

    Args:
      found: Labels of a file, set of str.
      labels: All labels, if they are known; otherwise the shortest spelling is the label.

    Returns:
      dict from a label of the file to the label that it is.

    Example:
      >>> from albert_tf.data.tasks.labels import same_numbers
      >>> same_numbers({"1", "1.0", "2.0", "3.5"}), same_numbers({"1.0"}, labels=["0", "1"])
      ({'1.0': '1'}, {'1.0': '1'})
    """
    known = found if labels is None else labels
    if not all(map(_NUMBER.fullmatch, known)):
        return {}
    label_of = {_value(label): label for label in sorted(known, key=len, reverse=True)}
    others = found if labels is None else found - set(labels)
    same = {name: label_of.get(_value(name), name) for name in sorted(others)}
    return {name: label for name, label in same.items() if name != label}


def _value(label):
    return re.sub(r"\.0+$", "", label)


def parse_score(text, location):
    """A finite float from text; otherwise an error with its place."""
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise ValueError(f"The label must be a finite number. Received: {location}: {text!r}.")
    return score


def parse_labels(value, location, separator=LABEL_SEPARATOR):
    """Any number of labels, a sorted tuple of str without repetition.

    Args:
      value: A list of strings or numbers, as JSON has it; or a str in which `separator` divides
        labels, or that is such a list, as pandas writes it into CSV. [] and "" are no labels.
      location: File and line, for the error.
      separator: str.
    """
    items = listed(value)
    if items is None and isinstance(value, str):
        items = value.split(separator) if value.strip() else []
    if items is None or not all(_is_label(item) for item in items):
        raise ValueError(
            f"The labels of a text must be a list of strings, or strings divided by {separator!r}. "
            f"Received: {location}: {value!r:.80}."
        )
    return tuple(sorted({str(item).strip() for item in items}))


def listed(value):
    """The list that a value is, or that a str spells out; else None."""
    if isinstance(value, str) and value.strip().startswith("[") and value.strip().endswith("]"):
        try:
            value = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    return value if isinstance(value, list) else None


def _is_label(item):
    is_text = isinstance(item, (str, int, float)) and bool(str(item).strip())
    return is_text and item == item  # NaN is what pandas writes for a missing value.


_LEAST = {1: "one label", 2: "two labels"}


def with_labels(examples, locations, field, labels, report, least=2):
    """The examples, whose labels are all among the labels; and these.

    Args:
      examples, locations: Lists.
      field: What holds an example's labels: "label" or "tags".
      labels: All labels, or None for those that there are.
      report: `Report`, of what is spelled in another way.
      least: How many labels there must be.

    Returns:
      (list of examples, tuple of str)

    Raises:
      ValueError: A label is not one of them, or there are too few.
    """
    found = {name for example in examples for name in _names(example, field)}
    labels = None if labels is None else tuple(map(str, labels))
    same = same_numbers(found, labels)
    if labels is None:
        labels = in_order(found - same.keys())
        if len(labels) < least:
            raise ValueError(
                f"A data set to learn from must have at least {_LEAST[least]}. Received: "
                f"{locations[0].rpartition(':')[0]}: only {list(labels)}. If it is a part of the "
                "data, pass labels=..."
            )
    checked = []
    for location, example in zip(locations, examples):
        for name in _names(example, field):
            if name in same:
                report.add(f"labels {name} taken for {same[name]}", location)
            check_label(same.get(name, name), labels, location)
        if same and same.keys() & set(_names(example, field)):
            example = dataclasses.replace(example, **{field: _renamed(example, field, same)})
        checked.append(example)
    return checked, labels


def _names(example, field):
    value = getattr(example, field)
    return (value,) if isinstance(value, str) else value


def _renamed(example, field, same):
    names = tuple(same.get(name, name) for name in _names(example, field))
    if field == "tags":
        return names
    return names[0] if isinstance(example.label, str) else tuple(sorted(set(names)))
