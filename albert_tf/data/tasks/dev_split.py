"""A part of the training examples set aside to score on: the same part for the same seed."""

import collections
import copy
import hashlib

from albert_tf.data.report import Report
from albert_tf.data.tasks.examples import MultipleChoiceExample, TaggedExample
from albert_tf.data.tasks.labels import in_order
from albert_tf.messages import listed

_BINS = 10  # That numbers are divided into, from the lowest to the highest.


def split_off(examples, fraction, seed):
    """Sets a fraction of the different texts aside.

    Examples with the same text (but for case and spaces) stay together, so that no text is in both
    parts; of SQuAD, those on one paragraph. Each label keeps its share, as far as numbers allow,
    and is never without a text to learn from: a label with a single text is not set aside. Where a
    text has several labels or tags, its rarest counts; numbers count by tenths of their range.

    What is set aside depends on the texts, labels, `fraction` and `seed`, not on the order of rows.

    Args:
      examples: `ExampleSet`.
      fraction: float between 0 and 1.
      seed: int.

    Returns:
      (`ExampleSet` to learn from, `ExampleSet` set aside), each in the order of `examples`.

    Raises:
      ValueError: There are too few different texts.

    Example:
      >>> from albert_tf.data.tasks.dev_split import split_off
      >>> from albert_tf.data.tasks.examples import Example, ExampleSet
      >>> rows = [Example(str(i), f"text {i}", label="yn"[i % 2]) for i in range(20)]
      >>> train, dev = split_off(ExampleSet(rows, ["a.csv"], ["n", "y"]), 0.2, seed=0)
      >>> len(train), sorted(example.label for example in dev)
      (16, ['n', 'n', 'y', 'y'])

    Reference: `train_test_split(stratify=...)` of scikit-learn, whose shares these are.
    """
    groups = collections.defaultdict(list)
    for example in examples:
        groups[_text(example)].append(example)
    order = sorted(groups, key=lambda text: hashlib.sha256(f"{seed}\n{text}".encode()).digest())
    names = {text: set().union(*map(_names, groups[text])) for text in order}
    left = collections.Counter(name for text in order for name in names[text])
    total = min(max(round(fraction * len(order)), 1), len(order) - 1)
    aside = set()
    strata = _strata(order, groups, names, left, total)
    for texts, quota in zip(strata, _quotas(list(map(len, strata)), total)):
        for text in texts:
            if quota and all(left[name] > 1 for name in names[text]):
                aside.add(text)
                left.subtract(names[text])
                quota -= 1
    if not aside:
        raise ValueError(
            "To set some aside, a label must have at least two different texts. Received: "
            f"{len(order)} different texts in {', '.join(examples.files)}, none of which can be "
            "spared. Add examples, or name a dev file."
        )
    train, dev = copy.copy(examples), copy.copy(examples)
    train.examples = [example for example in examples if _text(example) not in aside]
    dev.examples = [example for example in examples if _text(example) in aside]
    dev.report = Report()
    return train, dev


def described(train, dev):
    """What `split_off` did, in words: numbers of rows, and of rows of each class."""
    count = len(train) + len(dev)
    lines = [f"dev: {len(dev)} of {count} training examples set aside, none with a text of train"]
    if dev.labels:
        numbers = [collections.Counter(n for e in part for n in _names(e)) for part in (train, dev)]
        labels = in_order(set().union(*numbers) - {""})
        counts = [
            f"{label}: {numbers[1][label]} of {sum(n[label] for n in numbers)}" for label in labels
        ]
        lines.append(f"  {listed(counts, most=20)}")
        if lacking := [label for label in labels if not numbers[1][label]]:
            lines.append(f"  not in dev, and so not scored: {listed(lacking, most=20)}")
    return "\n".join(lines)


def _text(example):
    """What must not be in both parts, without case and spaces, which say little."""
    if isinstance(example, TaggedExample):
        texts = example.words
    elif hasattr(example, "context"):
        texts = [example.context]
    else:
        texts = [example.text_a, example.text_b or ""]
    return "\n".join(" ".join(text.split()).casefold() for text in texts)


def _names(example):
    """The labels of an example; of one with none, or with a number, ""."""
    names = getattr(example, "tags", getattr(example, "label", None))
    if isinstance(example, MultipleChoiceExample) or not isinstance(names, (str, tuple)):
        return [""]
    return [names] if isinstance(names, str) else list(dict.fromkeys(names)) or [""]


def _strata(order, groups, names, counts, total):
    """The texts in lists of which each gives its share; in each in the order given."""
    scores = {text: getattr(groups[text][0], "label", None) for text in order}
    if all(isinstance(score, float) for score in scores.values()):
        bins = min(_BINS, total)
        ranked = sorted(order, key=scores.get)
        stratum = {text: rank * bins // len(order) for rank, text in enumerate(ranked)}
    else:
        stratum = {t: min(names[t], key=lambda name: (counts[name], name)) for t in order}
    strata = collections.defaultdict(list)
    for text in order:
        strata[stratum[text]].append(text)
    return list(strata.values())


def _quotas(sizes, total):
    """Whole numbers with a sum of `total`, in proportion to sizes: by the largest remainders."""
    quotas = [total * size // sum(sizes) for size in sizes]
    by_remainder = sorted(range(len(sizes)), key=lambda i: -(total * sizes[i] % sum(sizes)))
    for i in by_remainder[: total - sum(quotas)]:
        quotas[i] += 1
    return quotas
