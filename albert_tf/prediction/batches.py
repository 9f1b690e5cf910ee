"""Which rows are computed together: those of similar length, so many that the work is bounded."""

import itertools

from albert_tf.text.given_vocabulary import reference_tokenizer
from albert_tf.text.masked_text import MASK
from albert_tf.text.wordpiece_vocabulary import WordPieceVocabulary

# Rows and characters of a window: within one, rows are sorted; more are never held.
WINDOW_ROWS = 4096
_WINDOW_CHARACTERS = 1 << 24


def windows(rows, most=WINDOW_ROWS):
    """Yields lists of consecutive rows, each with a bounded number of them and of characters.

    Args:
      rows: Iterable of tuples of str, or of tuples of str in them.
      most: Most rows of a window.
    """
    window, held = [], 0
    for row in rows:
        size = sum(map(len, texts_of(row)))
        if window and (len(window) == most or held + size > _WINDOW_CHARACTERS):
            yield window
            window, held = [], 0
        window.append(row)
        held += size
    if window:
        yield window


def texts_of(row):
    """All texts of a row, one after the other, choices included."""
    for value in row:
        yield from (value,) if isinstance(value, str) else value


def batches(costs, batch_tokens, kinds):
    """Yields lists of indices: the longest rows first, padded to at most `batch_tokens` tokens.

    Args:
      costs: Tokens of each row, list of int.
      batch_tokens: int; a row that has more is a batch by itself.
      kinds: A number for each row; only rows of the same go together.
    """
    order = sorted(range(len(costs)), key=lambda i: (kinds[i], costs[i]), reverse=True)
    for _, group in itertools.groupby(order, kinds.__getitem__):
        batch = []
        for i in group:
            if batch and (len(batch) + 1) * costs[batch[0]] > batch_tokens:
                yield batch
                batch = []
            batch.append(i)
        yield batch


class TokenCounts:
    """How many tokens the model computes for a row: what windows and choices repeat counts again.

    Args:
      vocabulary: `SentencePieceModel` or `WordPieceVocabulary`.
      record: What `task()` of the model tells.
    """

    def __init__(self, vocabulary, record):
        self._lengths = _counter(vocabulary)
        self._task = record["task"]
        self._seq_length = record["seq_length"]
        self._stride = record.get("stride") or record.get("doc_stride")
        self._longest_query = record.get("max_query_length")

    def __call__(self, rows):
        """The number for each of a list of rows, list of int."""
        lengths = iter(self._lengths([text for row in rows for text in texts_of(row)]))
        return [self._cost(*itertools.islice(lengths, len(list(texts_of(r))))) for r in rows]

    def prefix(self, text):
        """Tokens of a text alone; each [MASK] is one."""
        parts = text.split(MASK)
        return sum(self._lengths(parts)) + len(parts) - 1

    def _cost(self, *lengths):
        if self._task == "multiple_choice":
            context, question, *choices = lengths
            return sum(min(context + question + c + 3, self._seq_length) for c in choices)
        if self._task == "span":
            query = min(lengths[0], self._longest_query)
            return self._windows(lengths[1], query + 3)
        if self._task == "token_classification":
            return self._windows(lengths[0], 2)
        return min(sum(lengths) + 1 + len(lengths), self._seq_length)

    def _windows(self, length, overhead):
        """Tokens of the overlapping windows that a text is read in."""
        room = self._seq_length - overhead
        step = max(min(room, self._stride), 1)
        count = 1 + -(-max(length - room, 0) // step)
        return min(length, room) * count + overhead * count


def _counter(vocabulary):
    """Function from a list of texts to the list of their numbers of tokens."""
    if isinstance(vocabulary, WordPieceVocabulary):
        encode = reference_tokenizer(vocabulary).encode
        return lambda texts: [len(encode(text)) for text in texts]

    def count(texts):
        # Not exactly the tokens of the graph, but all texts at once.
        ids = vocabulary.processor.EncodeAsIds([text.lower() for text in texts]) if texts else []
        return list(map(len, ids))

    return count
