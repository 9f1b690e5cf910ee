"""What the exporters of models from text to answers take: their common options, and checks."""

from typing import TypedDict

from albert_tf._types import Path


class ExportOptions(TypedDict, total=False):
    """Arguments that all of them have, by keyword only; `export_classifier` describes them."""

    rules: str | None
    overwrite: bool
    skip_padding: bool
    compute_dtype: str | None
    warmup: bool
    vocab_file: Path | None
    do_lower_case: bool | None


def checked_labels(labels, num_classes):
    """The names of classes as a tuple of str; "0", "1", ... if `labels` is None."""
    if labels is None:
        return tuple(str(i) for i in range(num_classes))
    rule = f"`labels` must be {num_classes} different names, one for each class in order."
    if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
        raise ValueError(f"{rule} Received: {labels!r}.")
    if len(labels) != num_classes or len(set(labels)) != num_classes:
        raise ValueError(f"{rule} Received: {len(labels)} of them, {list(labels)!r}.")
    return tuple(labels)


def check_model(model, kind):
    """Raises a TypeError unless `model` is of the class that an exporter takes."""
    if not isinstance(model, kind):
        raise TypeError(
            f"This exporter takes an {kind.__name__}. Received: {type(model).__name__}."
        )


def check_positive(**values):
    """Raises a ValueError unless each value is a positive integer."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a positive integer. Received: {value!r}.")
