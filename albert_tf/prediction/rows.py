"""What a model is asked, as rows of texts: checked, and each error with the place of its text."""

import collections.abc

from albert_tf.messages import brief
from albert_tf.text.masked_text import MASK, STAND_IN

# Inputs of a model -> other names that a dict may have for them, as of Hugging Face's pipelines.
_OTHER_NAMES = {("text_a", "text_b"): ("text", "text_pair")}


def is_one(inputs):
    """Whether inputs are those of one answer: a text, a tuple of texts or a dict of them."""
    return isinstance(inputs, (str, bytes, tuple, collections.abc.Mapping))


def as_row(item, names, place, masked=False):
    """One row, checked.

    Args:
      item: A str (or bytes of UTF-8) where `names` is one name; a tuple or list in the order of
        `names`; or a dict with these keys. "choices" are a list of texts.
      names: Names of the model's text inputs.
      place: What errors call it, such as "text 3".
      masked: Whether the text needs a [MASK].

    Returns:
      Tuple of str in the order of `names`; the choices a tuple of str.

    Raises:
      TypeError, ValueError: The item is not as above.
    """
    if isinstance(item, collections.abc.Mapping):
        item = _of_mapping(item, names, place)
    elif len(names) == 1:
        item = item if isinstance(item, (tuple, list)) and len(item) == 1 else (item,)
    elif not isinstance(item, (tuple, list)) or len(item) != len(names):
        raise ValueError(
            f"Each input of this model must be {_described(names)}. Received: {place}: "
            f"{brief(item)}."
        )
    row = tuple(
        _choices(value, place) if name == "choices" else _text(value, place)
        for name, value in zip(names, item)
    )
    if masked:
        _check_mask(row[0], place)
    return row


def zipped(fields, names):
    """Inputs from keyword arguments: one dict of texts, or a list of such of lists of texts.

    Args:
      fields: {name: text or list of texts}.
      names: Names of the model's text inputs.

    Raises:
      ValueError: Names are missing or unknown, or the lists are of different lengths.
    """
    others = _OTHER_NAMES.get(tuple(names), names)
    if set(fields) not in (set(names), set(others)):
        raise ValueError(
            f"This model takes {_described(names)}. Received: {', '.join(fields) or 'nothing'}."
        )
    several = [name for name in fields if name != "choices"]
    if all(isinstance(fields[name], (str, bytes)) for name in several):
        return dict(fields)
    lists = {name: list(value) for name, value in fields.items()}
    if len({len(values) for values in lists.values()}) > 1:
        sizes = ", ".join(f"{len(values)} of {name}" for name, values in lists.items())
        raise ValueError(f"There must be as many of each. Received: {sizes}.")
    return [dict(zip(lists, values)) for values in zip(*lists.values())]


def _of_mapping(item, names, place):
    for known in (tuple(names), _OTHER_NAMES.get(tuple(names))):
        if known is not None and set(item) == set(known):
            return tuple(item[name] for name in known)
    raise ValueError(
        f"Each input of this model must be {_described(names)}. Received: {place}: a dict with "
        f"the keys {', '.join(map(str, item)) or 'none'}."
    )


def _described(names):
    if len(names) == 1:
        return f"a text, or a dict with the key {names[0]}"
    return f"a tuple ({', '.join(names)}), or a dict with these keys"


def _choices(value, place):
    if isinstance(value, (str, bytes)) or not isinstance(value, collections.abc.Iterable):
        raise TypeError(f"Choices must be a list of texts. Received: {place}: {brief(value)}.")
    choices = tuple(_text(choice, place) for choice in value)
    if not choices:
        raise ValueError(f"There must be a choice. Received: {place}: none.")
    return choices


def _text(value, place):
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise ValueError(
                f"Texts of bytes must be UTF-8. Received: {place}: byte {value[error.start]:#04x} "
                f"at {error.start}. Decode it yourself, by the encoding that it has."
            ) from None
    if not isinstance(value, str):
        what = f"{brief(value)} of type {type(value).__name__}"
        raise TypeError(f"Texts must be str. Received: {place}: {what}.")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"Texts must be valid Unicode. Received: {place}: a lone surrogate at character "
                f"{error.start}. Decode the bytes with errors='replace'."
            ) from None
    return str(value)


def _check_mask(text, place):
    if MASK not in text:
        raise ValueError(
            f"A text must have {MASK} where a word piece is to be found. Received: {place}: "
            f"{brief(text)}."
        )
    if STAND_IN in text:
        raise ValueError(
            f"A text must not hold U+FDD0, which Unicode excludes from texts. Received: {place}."
        )
