"""Where a chunk of sentences is cut in two segments, and their order."""

IN_ORDER, SWAPPED, RANDOM_SECOND, ALONE = range(4)


def draw_order(num_sentences, options, generator):
    """Decides how a chunk of consecutive sentences becomes segments a and b.

    Args:
      num_sentences: Sentences in the chunk, at least 1.
      options: `PretrainingOptions`.
      generator: `random.Random`.

    Returns:
      (sentences before the cut, order). The order is IN_ORDER (label 0), SWAPPED (label 1, b before
      a), RANDOM_SECOND (label 1, b from another document; recipe "original" only) or ALONE (one
      segment without order loss; recipe "paper" only).

    Reference: arXiv 1909.11942, section 3.1; `create_instances_from_document` of the original.
    """
    if num_sentences == 1:
        return 1, ALONE if options.recipe == "paper" else RANDOM_SECOND
    cut = 1 + int(generator.random() * (num_sentences - 1))
    other = generator.random() < 0.5
    if options.random_next_sentence:
        return cut, RANDOM_SECOND if other else IN_ORDER
    return cut, SWAPPED if other else IN_ORDER


def random_second_segment(block, document, target, generator):
    """Sentences of another document from a random one on, until there are enough tokens.

    Only the documents of the block are there to choose from: that bounds the memory. Of a single
    document it is the same one, as in the original.

    Args:
      block: `TokenBlock`.
      document: Index of the document to avoid.
      target: Tokens wanted; at least one sentence comes.
      generator: `random.Random`.

    Returns:
      (begin, end) in `block.ids`.
    """
    others = len(block.documents) - 1
    for _ in range(10):
        other = int(generator.random() * others)
        if other != document:
            break
    first, last = int(block.documents[other]), int(block.documents[other + 1])
    sentence = first + int(generator.random() * (last - first))
    begin = int(block.sentences[sentence])
    until = sentence + 1
    while until < last and block.sentences[until] - begin < target:
        until += 1
    return begin, int(block.sentences[until])
