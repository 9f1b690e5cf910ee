"""Labels as files have them, checked; errors name file and line."""

import math


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
