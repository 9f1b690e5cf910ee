"""Facts about Unicode characters that the Python and the in-graph text code share."""

import bisect
import sys
import unicodedata

# Letters that combine with what precedes them although they are no marks by category: hangul
# vowels and final consonants, and characters whose compatibility form starts with one or a mark.
_COMBINING_LETTERS = (
    (0xE33, 0xE33), (0xEB3, 0xEB3), (0x1160, 0x11FF), (0x3133, 0x3133), (0x3135, 0x3136),
    (0x313A, 0x313F), (0x314F, 0x3164), (0x3167, 0x316D), (0x316F, 0x3170), (0x3182, 0x3183),
    (0x3187, 0x318E), (0xD7B0, 0xD7FB), (0xFF9E, 0xFFA0), (0xFFA3, 0xFFA3), (0xFFA5, 0xFFA6),
    (0xFFAA, 0xFFAF), (0xFFC2, 0xFFC7), (0xFFCA, 0xFFCF), (0xFFD2, 0xFFD7), (0xFFDA, 0xFFDC),
)  # fmt: skip

# What case folding drops, so that the neighbors may combine: soft hyphen, grapheme joiner,
# zero-width characters, direction marks, invisible operators, byte order mark, tags.
_INVISIBLE = ((0xAD, 0xAD), (0x61C, 0x61C), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E),
              (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF))  # fmt: skip


def _regex_ranges(ranges):
    return "".join(rf"\x{{{first:X}}}-\x{{{last:X}}}" for first, last in ranges)


def regex_class(predicate):
    """The RE2 character class (without brackets) of the characters that fulfill a predicate."""
    ranges = []
    for code in range(sys.maxunicode + 1):
        if predicate(chr(code)):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return _regex_ranges(ranges)


_FOLLOWER_CLASS = rf"[\p{{M}}{_regex_ranges(_COMBINING_LETTERS)}]"

# RE2 pattern of a cluster: a character with all that may combine with it. Normal forms of texts
# are the normal forms of their clusters, one after the other.
CLUSTER_PATTERN = rf"(?s:.)(?:[{_regex_ranges(_INVISIBLE)}]*{_FOLLOWER_CLASS})*"


def _within(character, ranges):
    return any(first <= ord(character) <= last for first, last in ranges)


def _is_invisible(cluster):
    return len(cluster) == 1 and _within(cluster, _INVISIBLE)


def _is_follower(character):
    return unicodedata.category(character)[0] == "M" or _within(character, _COMBINING_LETTERS)


def clusters(text):
    """Splits a str into clusters, as CLUSTER_PATTERN does in the graph.

    Returns:
      list of str; joined, they are `text`.
    """
    if text.isascii():
        return list(text)
    found = []
    for character in text:
        if found and _is_follower(character):
            while len(found) > 1 and _is_invisible(found[-1]):
                character = found.pop() + character
            found[-1] += character
        else:
            found.append(character)
    return found


def byte_to_character_offsets(text, offsets):
    """Converts byte offsets into UTF-8 text to character offsets.

    `Preprocessor.tokenize_with_offsets` counts bytes, as TensorFlow does; Python's strings and the
    answers of SQuAD count characters.

    Args:
      text: The text, str (or UTF-8 bytes).
      offsets: Iterable of byte offsets, 0 to the number of bytes.

    Returns:
      list of int. An offset inside a character gives that character's offset.

    Raises:
      ValueError: If an offset lies outside the text.

    Example:
      >>> from albert_tf.text.characters import byte_to_character_offsets
      >>> byte_to_character_offsets("Zürich", [0, 3, 7])
      [0, 2, 6]
    """
    text = text.decode() if isinstance(text, bytes) else text
    starts = [0]
    for character in text:
        starts.append(starts[-1] + len(character.encode()))
    offsets = [int(offset) for offset in offsets]
    if any(not 0 <= offset <= starts[-1] for offset in offsets):
        raise ValueError(
            f"Offsets must lie between 0 and the text's {starts[-1]} bytes. Received: {offsets}."
        )
    return [bisect.bisect_right(starts, offset) - 1 for offset in offsets]
