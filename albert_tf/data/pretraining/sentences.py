"""Lines of text to sentences."""

import re

LINES = ("sentence", "paragraph", "wrapped")

_ABBREVIATIONS = frozenset(
    "mr mrs ms messrs dr prof rev hon gen col capt lieut lt sgt st sr jr no nos vol vols ch fig "
    "figs vs etc e.g i.e cf esq inc ltd co corp viz al approx dept".split()
)
# A closing mark with quotes and brackets after it, then space, then what may open a sentence.
_END = re.compile(r"""[.!?…]+["'”’»)\]]*(?=\s+["'“‘«(\[]*[^\W_a-z])""")


def sentences_of(lines, mode):
    """Yields the sentences of a document's lines.

    Does not know languages: "paragraph" and "wrapped" split where a capital or a digit follows a
    full stop, question or exclamation mark, but not after common English abbreviations and
    initials.

    Args:
      lines: Iterable of str.
      mode: What a line is. "sentence": a sentence, as the original's input has it. "paragraph": a
        paragraph, to be split. "wrapped": part of a paragraph that goes on until an empty line.

    Yields:
      str, without surrounding space; none is empty.

    Example:
      >>> from albert_tf.data.pretraining.sentences import sentences_of
      >>> list(sentences_of(["Mr. Knightley came. It was", "late."], "wrapped"))
      ['Mr. Knightley came.', 'It was late.']
    """
    if mode == "sentence":
        yield from filter(None, map(str.strip, lines))
    elif mode == "paragraph":
        for line in lines:
            yield from _split(line)
    elif mode == "wrapped":
        paragraph = []
        for line in lines:
            if line.strip():
                paragraph.append(line.strip())
            else:
                yield from _split(" ".join(paragraph))
                paragraph = []
        yield from _split(" ".join(paragraph))
    else:
        raise ValueError(f"lines must be one of {', '.join(LINES)}. Received: {mode!r}.")


def _split(paragraph):
    start = 0
    for match in _END.finditer(paragraph):
        if not _abbreviates(paragraph, start, match):
            yield paragraph[start : match.end()].strip()
            start = match.end()
    rest = paragraph[start:].strip()
    if rest:
        yield rest


def _abbreviates(paragraph, start, match):
    if match.group() != ".":
        return False
    word = paragraph[start : match.start()].rsplit(None, 1)[-1:]
    word = word[0].lstrip("\"'“‘«([") if word else ""
    initial = len(word) == 1 and word.isalpha() and word != "I"
    return initial or word.lower() in _ABBREVIATIONS
