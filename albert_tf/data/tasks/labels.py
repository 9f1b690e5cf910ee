"""Labels as files have them, checked; errors name file and line."""

import ast
import math

LABEL_SEPARATOR = "|"


def check_label(text, labels, place):
    """`text` if it is one of the labels; otherwise an error with its place."""
    if text not in labels:
        raise ValueError(
            f"The label must be one of {', '.join(labels)}. Received: {place}: {text!r}."
        )
    return text


def parse_score(text, place):
    """A finite float from text; otherwise an error with its place."""
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise ValueError(f"The label must be a finite number. Received: {place}: {text!r}.")
    return score


def parse_labels(value, place, separator=LABEL_SEPARATOR):
    """Any number of labels, a sorted tuple of str without repetition.

    Args:
      value: A list of strings or numbers, as JSON has it; or a str in which `separator` divides
        labels, or that is such a list, as pandas writes it into CSV. [] and "" are no labels.
      place: File and line, for the error.
      separator: str.
    """
    items = listed(value)
    if items is None and isinstance(value, str):
        items = value.split(separator) if value.strip() else []
    if items is None or not all(_is_label(item) for item in items):
        raise ValueError(
            f"The labels of a text must be a list of strings, or strings divided by {separator!r}. "
            f"Received: {place}: {value!r:.80}."
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
    return isinstance(item, (str, int, float)) and bool(str(item).strip())
