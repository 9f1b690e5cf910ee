"""Words with tags as fixed-shape arrays, one label a word."""

import numpy as np

from albert_tf.data.progress import progress
from albert_tf.data.report import Report
from albert_tf.data.tasks.examples import ExampleSet
from albert_tf.data.tasks.features import Features, check_length, empty_rows, fill_row
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.text.wordpiece import WordPieceReferenceTokenizer

IGNORED = -1  # Label of pieces that carry none: no class id, so it cannot be mistaken for one.
CUT = "texts cut to max_seq_length"
NO_PIECES = "words without any piece, whose tags are not learned"


def token_features(
    examples: ExampleSet,
    tokenizer: ReferenceTokenizer | WordPieceReferenceTokenizer,
    max_seq_length: int,
) -> Features:
    """Turns tagged words into ids and labels.

    The label of a word is on its first piece that is not a lone "▁"; its other pieces, [CLS], [SEP]
    and padding have the label -1.

    Args:
      examples: `ExampleSet` of `TaggedExample`s.
      tokenizer: `albert_tf.text.reference.ReferenceTokenizer`.
      max_seq_length: Length of all rows, S, at least 3.

    Returns:
      `Features` of N rows: input_ids, input_mask, segment_ids, label_ids int32 [N, S];
      is_real_example int32 [N], all 1. `label_ids >= 0` marks the words' first pieces, in order; in
      unlabeled sets too, with label 0. The report counts cut texts and words without pieces.

    Raises:
      ValueError: If max_seq_length is too short.

    Example:
      >>> import pathlib, tempfile
      >>> import albert_tf
      >>> path = pathlib.Path(tempfile.mkdtemp(), "train.csv")
      >>> _ = path.write_text("words,tags\\nAda Lovelace wrote,B-PER I-PER O\\n")
      >>> tokenizer = albert_tf.ReferenceTokenizer(albert_tf.albert_tiny_en.SP_MODEL)
      >>> features = albert_tf.token_features(albert_tf.read_tagging(path), tokenizer, 16)
      >>> features["label_ids"].shape
      (1, 16)
    """
    check_length(max_seq_length, 3)
    arrays = empty_rows([len(examples), max_seq_length])
    arrays["label_ids"] = np.full([len(examples), max_seq_length], IGNORED, np.int32)
    arrays["is_real_example"] = np.ones(len(examples), np.int32)
    label_ids = {label: i for i, label in enumerate(examples.labels or ())}
    report = Report()
    for row, example in enumerate(progress(examples, "Words to ids")):
        ids, labels = [], []
        for word, tag in zip(example.words, example.tags or [None] * len(example.words)):
            pieces = tokenizer.tokenize(word)
            first = next(
                (i for i, piece in enumerate(pieces) if not tokenizer.is_blank(piece)), None
            )
            if first is None:
                report.add(NO_PIECES, f"{example.guid} {word!r}")
                continue
            ids.extend(tokenizer.pieces_to_ids(pieces))
            word_labels = [IGNORED] * len(pieces)
            word_labels[first] = 0 if tag is None else label_ids[tag]
            labels.extend(word_labels)
        if len(ids) > max_seq_length - 2:
            report.add(CUT, example.guid)
        labels = labels[: max_seq_length - 2]
        fill_row(arrays, row, tokenizer, ids[: max_seq_length - 2])
        arrays["label_ids"][row, 1 : 1 + len(labels)] = labels
    return Features(arrays, report, has_labels=examples[0].tags is not None)
