"""Writes lines of words for what books seldom ask a model: to compare two segments.

    python examples/05_word_games.py TEXT OUTPUT

TEXT has the folders novels, gutenberg and speeches. OUTPUT gets a folder for each game, in the form
that `albert-tf pretraining-data` reads: a sentence a line, an empty line between documents.
"""

import pathlib
import random
import sys


def main(text, output):
    folders = [pathlib.Path(text, name) for name in ("novels", "gutenberg", "speeches")]
    files = [file for folder in folders for file in sorted(folder.glob("*.txt"))]
    words = [word for file in files for word in file.read_text(encoding="utf-8").split()]
    for game in (twice, changed, drawn):
        folder = pathlib.Path(output, game.__name__)
        folder.mkdir(parents=True)
        documents = ("\n".join(lines) + "\n\n" for lines in game(words))
        (folder / "words.txt").write_text("".join(documents), encoding="utf-8")


def twice(words):
    """Random words, and the same again: what is masked in one segment stands in the other."""
    draw = random.Random(4)
    for _ in range(120_000):
        line = " ".join(draw.choices(words, k=draw.randint(3, 40)))
        yield line, line


def changed(words):
    """A passage, and the same with other words, with fewer, and turned around at some place."""
    draw = random.Random(5)
    for _ in range(60_000):
        start, length = draw.randrange(len(words) - 40), draw.randint(4, 40)
        line = words[start : start + length]
        kept = draw.uniform(0.5, 1.0)
        again = [word if draw.random() < kept else draw.choice(words) for word in line]
        again = [word for word in again if draw.random() < 0.9] or line
        cut = draw.choice([0, draw.randrange(len(again))])
        yield " ".join(line), " ".join(again[cut:] + again[:cut])


def drawn(words):
    """Random words, and a line with no others: only what is missing in one tells their order.

    Then random words twice in one segment, which has no order to guess.
    """
    draw = random.Random(6)
    for _ in range(55_000):
        first = draw.choices(words, k=draw.randint(5, 40))
        replaced = draw.uniform(0.1, 0.6)
        second = [draw.choice(first) if draw.random() < replaced else word for word in first]
        yield " ".join(first), " ".join(second)
    for _ in range(25_000):
        line = " ".join(draw.choices(words, k=draw.randint(3, 40)))
        yield (f"{line} {line}",)


if __name__ == "__main__":
    main(*sys.argv[1:])
