"""How much of a value from outside a message shows: one line, however large or odd the value."""

import difflib
import reprlib

_MOST_CHARACTERS = 120

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 100
_repr.maxlevel = 3


def brief(value):
    """The `repr` of a value, shortened in the middle; quick for values of any size and depth.

    Example:

    >>> from albert_tf.messages import brief
    >>> brief("hidden_size")
    "'hidden_size'"
    >>> brief([[[[0]]]] * 1000)
    '[[[[...]]], [[[...]]], [[[...]]], [[[...]]], [[[...]]], [[[...]]], ...]'
    """
    try:
        text = _repr.repr(value)
    except ValueError:  # Python writes no integers of thousands of digits.
        text = f"a {type(value).__name__} of very many digits"
    if len(text) > _MOST_CHARACTERS:
        half = _MOST_CHARACTERS // 2 - 2
        text = f"{text[:half]}...{text[-half:]}"
    return text


def listed(names, most=5):
    """Names in one line: the first `most`, each shortened, and how many more there are.

    Example:

    >>> from albert_tf.messages import listed
    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(plain(name) for name in names[:most]) + more


def plain(name):
    """A name without quotes if it is an ordinary one, as `brief` otherwise."""
    ordinary = isinstance(name, str) and name.isprintable() and len(name) <= _MOST_CHARACTERS
    return name if ordinary else brief(name)


def did_you_mean(name, names):
    """Asks for the nearest of some names, in whatever case; "" if none is near.

    Example:

    >>> from albert_tf.messages import did_you_mean
    >>> did_you_mean("Lable", ["text", "label"])
    " Did you mean 'label'?"
    """
    by_form = {str(known)[:100].casefold(): known for known in reversed(list(names))}
    near = difflib.get_close_matches(str(name)[:100].strip().casefold(), by_form, n=1)
    return f" Did you mean {by_form[near[0]]!r}?" if near else ""
