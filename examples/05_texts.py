"""Texts for the packaged model: books, speeches and Wikipedia, and sentences for its teacher.

    python examples/05_texts.py CORPORA SQUAD OUTPUT

CORPORA has the folders english_novels (computationalstylistics/100_english_novels on GitHub, each
second novel), nltk_gutenberg, nltk_inaugural and nltk_state_union (of NLTK's data): books and
speeches in the public domain. SQUAD is the training set of SQuAD 1.1: its paragraphs of Wikipedia
and its questions are under CC BY-SA 4.0.

Writes OUTPUT/text (a folder for each source, one of them held out) and OUTPUT/sentences.txt: each
different sentence once, mixed so that every part of the file has the same share of each source.
"""

import json
import pathlib
import random
import re
import sys

HELD_OUT = re.compile(r"Stevenson_|Forster_View|chesterton-thursday|.*-(199|200).-")
WRAPPED = {"gutenberg", "speeches"}  # Lines are not paragraphs there; a blank line ends one.
# How many sentences of a source come for each question. Questions and encyclopedias are nearer to
# what people compare than novels are; short passages are cheap, and of the length of captions.
SHARES = {"questions": 1.0, "wikipedia": 1.2, "passages": 0.8, "books": 0.6}
SENTENCE_END = re.compile(r"(?<=[.!?])[\"'\u201d\u2019)]*\s+(?=[\"'\u201c\u2018(]*[A-Z0-9])")


def main(corpora, squad, output):
    output = pathlib.Path(output)
    if (output / "sentences.txt").exists():
        return print(f"{output}/sentences.txt is there already")
    texts = dict(books(pathlib.Path(corpora)))
    articles = json.loads(pathlib.Path(squad).read_text(encoding="utf-8"))["data"]
    for number, article in enumerate(articles):
        paragraphs = [" ".join(p["context"].split()) for p in article["paragraphs"]]
        texts[f"wikipedia/{number:03}.txt"] = "\n\n".join(paragraphs) + "\n"
    for name, text in texts.items():
        path = output / "text" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    sentences = list(mixed(sources(texts, articles)))
    partial = output / "sentences.partial"
    partial.write_text("".join(f"{sentence}\n" for sentence in sentences), encoding="utf-8")
    partial.replace(output / "sentences.txt")
    print(f"{len(texts)} files of text, {len(sentences)} sentences")


def books(corpora):
    """Yields (name, text) of the books and speeches."""
    for folder, kind, prefix in (
        ("english_novels", "novels", ""),
        ("nltk_gutenberg", "gutenberg", ""),
        ("nltk_inaugural", "speeches", "nltk_inaugural-"),
        ("nltk_state_union", "speeches", "nltk_state_union-"),
    ):
        for path in sorted((corpora / folder).glob("*.txt")):
            name, data = prefix + path.name, path.read_bytes()
            try:
                text = data.decode("utf-8")
            except UnicodeDecodeError:
                text = data.decode("latin-1")
            yield f"{'heldout/' if HELD_OUT.match(name) else ''}{kind}/{name}", text


def sources(texts, articles):
    """{source: sentences}, nothing of what is held out."""
    found = {source: [] for source in SHARES}
    for article in articles:
        for paragraph in article["paragraphs"]:
            found["questions"] += [" ".join(qa["question"].split()) for qa in paragraph["qas"]]
    for name, text in texts.items():
        kind = name.split("/")[0]
        if kind != "heldout":
            source = "wikipedia" if kind == "wikipedia" else "books"
            for paragraph in re.split(r"\n\s*\n" if kind in WRAPPED else r"\n", text):
                found[source] += SENTENCE_END.split(" ".join(paragraph.split()))
    draw = random.Random("passages")
    for sentence in found["wikipedia"]:
        words = sentence.split()
        if len(words) > 12:
            length = draw.randint(3, 10)
            first = draw.randrange(len(words) - length)
            found["passages"].append(" ".join(words[first : first + length]).strip(",;:()\"'"))
    return found


def mixed(found):
    """The sentences of all sources in an order in which each has its share everywhere."""
    keyed, seen = [], set()
    for source, sentences in found.items():
        random.Random(source).shuffle(sentences)
        number = 0
        for sentence in sentences:
            if 2 <= len(sentence.split()) <= 40 and sentence.casefold() not in seen:
                seen.add(sentence.casefold())
                keyed.append((number / SHARES[source], source, sentence))
                number += 1
    return (sentence for _, _, sentence in sorted(keyed))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
