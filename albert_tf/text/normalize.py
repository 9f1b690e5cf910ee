"""Text normalization in graph, by the rules of TF Hub's preprocessor and of the original."""

import functools
import unicodedata

import tensorflow as tf

from albert_tf.text.characters import regex_class
from albert_tf.text.rules import check_rules
from albert_tf.text.tensorflow_text import import_tensorflow_text


def normalize(strings, rules):
    """Normalizes UTF-8 strings, element by element.

    Does not include the normalization inside the SentencePiece model, which follows it.

    Args:
      strings: string tensor of any shape. Invalid UTF-8 becomes U+FFFD.
      rules: "tfhub" for tensorflow/albert_en_preprocess/3: decompose (NFD), drop the marks
        (category Mn), fold case. "original" for Google's `preprocess_text(lower=True)`: white space
        to single spaces, decompose (NFKD), drop characters of non-zero combining class, lower case.

    Returns:
      string tensor of the same shape.

    Reference: `create_preprocessing` of the TF Model Garden's export_tfhub_lib.py;
    `preprocess_text` in the original's tokenization.py.
    """
    check_rules(rules)
    return _normalize_tfhub(strings) if rules == "tfhub" else _normalize_original(strings)


def _normalize_tfhub(strings):
    text = import_tensorflow_text()
    strings = text.normalize_utf8(strings, "NFD")
    strings = tf.strings.regex_replace(strings, r"\p{Mn}", "")
    return text.case_fold_utf8(strings)


def _normalize_original(strings):
    text = import_tensorflow_text()
    white_space, combining = _original_classes()
    # Two steps, because a pattern that matches each single space costs seven times as much.
    strings = tf.strings.regex_replace(strings, f"[{white_space}]", " ")
    strings = tf.strings.strip(tf.strings.regex_replace(strings, "  +", " "))
    strings = text.normalize_utf8(strings, "NFKD")
    strings = tf.strings.regex_replace(strings, f"[{combining}]", "")
    return lower_case(strings)


@functools.cache
def _original_classes():
    """RE2 classes of Python's white space (but the space) and of combining characters."""
    return (
        regex_class(lambda c: c.isspace() and c != " "),
        regex_class(unicodedata.combining),
    )


def lower_case(strings):
    """`str.lower` of strings without no-break spaces, element by element.

    ASCII goes first, because the op follows the process's locale: "I" becomes dotless in Turkish.
    So does "İ" become "i" and a dot: accents are dropped in all rules. The op also ends a string at
    its first NUL; meanwhile a no-break space, which normalization has removed from the text, stands
    for it.
    """
    strings = tf.strings.regex_replace(strings, r"\x00", "\u00a0")
    strings = tf.strings.lower(tf.strings.lower(strings), encoding="utf-8")
    return tf.strings.regex_replace(strings, "\u00a0", "\x00")
