"""Single texts and pairs as fixed-shape arrays, as the original makes them."""

import numpy as np

from albert_tf.data.progress import progress
from albert_tf.data.report import Report
from albert_tf.data.tasks.examples import ExampleSet
from albert_tf.data.tasks.features import Features, check_length, empty_rows, fill_row
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.text.wordpiece import WordPieceReferenceTokenizer

CUT = "texts cut to max_seq_length"


def classifier_features(
    examples: ExampleSet,
    tokenizer: ReferenceTokenizer | WordPieceReferenceTokenizer,
    max_seq_length: int,
) -> Features:
    """Turns texts or pairs into ids, for classification, several labels a text, and regression.

    Rows are `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]`, cut at the end and padded with zeros. Too
    long pairs lose pieces one at a time from the longer text, from b on ties. A second text without
    any piece counts as none.

    Args:
      examples: `ExampleSet` of `Example`s.
      tokenizer: `albert_tf.text.reference.ReferenceTokenizer`.
      max_seq_length: Length of all rows, S, at least 5.

    Returns:
      `Features` of N rows: input_ids, input_mask, segment_ids int32 [N, S]; label_ids int32 [N], or
      float32 [N] for regression (`examples.labels` is None), or where texts have any number of
      labels int32 [N, labels], 1 for each that they have; is_real_example int32 [N], all 1. The
      report counts what was cut.

    Raises:
      ValueError: If max_seq_length is too short.

    Example:
      >>> from albert_tf import ReferenceTokenizer, albert_tiny_en
      >>> from albert_tf.data.tasks.classifier_features import classifier_features
      >>> from albert_tf.data.tasks.examples import Example, ExampleSet
      >>> reviews = [Example("1", "a fine film", label="good"), Example("2", "dull", label="bad")]
      >>> examples = ExampleSet(reviews, files=[], labels=("bad", "good"))
      >>> tokenizer = ReferenceTokenizer(albert_tiny_en.SP_MODEL)
      >>> features = classifier_features(examples, tokenizer, max_seq_length=16)
      >>> features["input_ids"].shape, features["label_ids"].tolist()
      ((2, 16), [1, 0])

    Reference: `convert_single_example` in the original's classifier_utils.py.
    """
    check_length(max_seq_length, 5)
    arrays = empty_rows([len(examples), max_seq_length])
    report = Report()
    for row, example in enumerate(progress(examples, "Texts to ids")):
        a = tokenizer.encode(example.text_a)
        b = tokenizer.encode(example.text_b) if example.text_b else []
        if b:
            kept_a, kept_b = pair_lengths(len(a), len(b), max_seq_length - 3)
        else:
            kept_a, kept_b = min(len(a), max_seq_length - 2), 0
        if kept_a < len(a) or kept_b < len(b):
            report.add(CUT, example.guid)
        fill_row(arrays, row, tokenizer, a[:kept_a], b[:kept_b] if b else None)
    arrays["label_ids"] = _label_ids(examples)
    arrays["is_real_example"] = np.ones(len(examples), np.int32)
    return Features(arrays, report, has_labels=examples[0].label is not None)


def pair_lengths(a, b, limit):
    """Lengths of two texts cut one piece at a time: off the longer one, off b on ties.

    Args:
      a, b: Lengths, int.
      limit: What their sum may be at most.

    Returns:
      `(a, b)` after cutting.
    """
    excess = max(a + b - limit, 0)
    level = min(excess, abs(a - b))
    if a > b:
        a -= level
    else:
        b -= level
    rest = excess - level
    return a - rest // 2, b - (rest + 1) // 2


def _label_ids(examples):
    if examples.labels is None:
        return np.array([e.label or 0.0 for e in examples], np.float32)
    ids = {label: i for i, label in enumerate(examples.labels)}
    if isinstance(examples[0].label, tuple):
        rows = np.zeros([len(examples), len(ids)], np.int32)
        for row, example in zip(rows, examples):
            row[[ids[label] for label in example.label]] = 1
        return rows
    return np.array([0 if e.label is None else ids[e.label] for e in examples], np.int32)
