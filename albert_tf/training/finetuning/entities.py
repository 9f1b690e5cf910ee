"""Scores of entities in tagged words, as CoNLL-2003's conlleval counts them."""


def is_bio(labels):
    """Whether tags are of the form O, B-x, I-x, and there is an entity among them."""
    forms = [label == "O" or label[:2] in ("B-", "I-") for label in labels]
    return all(forms) and any(label != "O" for label in labels)


def entities(tags):
    """The entities in a list of tags: set of (first word, word after the last, kind).

    An entity begins at B-x, and at an I-x that does not go on with the same kind.

    Example:

    >>> from albert_tf.training.finetuning.entities import entities
    >>> sorted(entities(["B-PER", "I-PER", "O", "I-LOC"]))
    [(0, 2, 'PER'), (3, 4, 'LOC')]
    """
    found, first, kind = set(), None, None
    for i, tag in enumerate([*tags, "O"]):
        goes_on = kind is not None and tag == f"I-{kind}"
        if kind is not None and not goes_on:
            found.add((first, i, kind))
            kind = None
        if tag != "O" and not goes_on:
            first, kind = i, tag[2:]
    return found


def entity_f1(labels, predictions):
    """Precision, recall and F1 of whole entities over all texts, fractions.

    Args:
      labels: list of lists of tags.
      predictions: list of lists of tags, as long.

    Returns:
      dict {entity_precision, entity_recall, entity_f1}; 0 where there is nothing to divide by.

    Reference: E. Tjong Kim Sang and F. De Meulder, "Introduction to the CoNLL-2003 shared task".
    """
    both = found = true = 0
    for right, answer in zip(labels, predictions):
        right, answer = entities(right), entities(answer)
        both, found, true = both + len(right & answer), found + len(answer), true + len(right)
    precision, recall = (both / n if n else 0.0 for n in (found, true))
    f1 = 2 * both / (found + true) if found + true else 0.0
    return {"entity_precision": precision, "entity_recall": recall, "entity_f1": f1}
