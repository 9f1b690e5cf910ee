"""Questions on paragraphs as fixed-shape arrays: question and a window of the paragraph a row."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from albert_tf.data.progress import progress
from albert_tf.data.report import Report
from albert_tf.data.tasks.features import Features, empty_rows
from albert_tf.data.tasks.squad import SquadExample, SquadSet
from albert_tf.data.tasks.squad_alignment import exact_offsets, piece_offsets
from albert_tf.data.tasks.squad_windows import Window, windows
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.text.wordpiece import WordPieceReferenceTokenizer

FIRST_UNIQUE_ID = 1000000000
CUT_QUESTIONS = "questions cut to max_query_length"
NOT_ALIGNED = "questions left out: their context cannot be aligned with its pieces"
MISPLACED = "questions whose answer is not in the context where it claims to be"
OUTSIDE = "questions left out: their answer is empty or reaches past the context's end"
UNSEEN = "questions left out: no piece stands for their answer"
SPLIT = "questions whose answer is whole in none of their windows"


@dataclasses.dataclass(frozen=True)
class Context:
    """A paragraph in pieces: their ids, int32 [pieces], and places, a `PieceOffsets`."""

    ids: np.ndarray
    offsets: object


class SquadFeatures(Features):
    """Rows `[CLS] question [SEP] window of the context [SEP]`, made when they are asked for.

    A mapping from name to int32 array: unique_ids [N]; input_ids, input_mask, segment_ids,
    p_mask [N, S]; for training also start_positions, end_positions, is_impossible [N]. `p_mask` is
    0 where an answer may be: at [CLS] and in the context. Positions count from [CLS], the last one
    included; both are 0 where the window has no answer.

    Attributes:
      examples: The `SquadSet`.
      windows: list of `Window`, one a row.
      contexts: list, one an example, of `Context`; None for examples left out.
      questions: list, one an example, of lists of ids.
      report: `Report` of what was cut, left out, or is doubtful.
      num_without_answer: Rows for training whose window has no answer, int.
    """

    def __init__(self, examples, tokenizer, max_seq_length, is_training, report):
        self.examples = examples
        self.report = report
        self.max_seq_length = max_seq_length
        self.is_training = is_training
        self.has_labels = is_training
        self.windows, self.contexts, self.questions, self.spans = [], [], [], []
        self._cls = tokenizer.special_ids["start_of_sequence_id"]
        self._sep = tokenizer.special_ids["end_of_segment_id"]

    @property
    def num_rows(self):
        """Number of rows, int."""
        return len(self.windows)

    @property
    def num_without_answer(self):
        return sum(1 for start, _, _ in self.spans if start == 0)

    def __getitem__(self, name):
        return self.rows(0, self.num_rows)[name]

    def __iter__(self):
        return iter(self.rows(0, 1))

    def __len__(self):
        return len(self.rows(0, 1))

    def first_context_position(self, example):
        """Position of a window's first piece of context in its row, int."""
        return len(self.questions[example]) + 2

    def rows(self, start, limit):
        """The arrays' rows from `start` up to `limit`, dict from name to array."""
        chosen = self.windows[start:limit]
        arrays = empty_rows([len(chosen), self.max_seq_length])
        unique_ids = FIRST_UNIQUE_ID + np.arange(start, start + len(chosen), dtype=np.int32)
        arrays = {"unique_ids": unique_ids, **arrays, "p_mask": np.ones_like(arrays["input_ids"])}
        for row, window in enumerate(chosen):
            question = self.questions[window.example]
            context = self.contexts[window.example].ids
            first = self.first_context_position(window.example)
            last = first + window.length
            ids = arrays["input_ids"][row]
            ids[:first] = [self._cls, *question, self._sep]
            ids[first:last] = context[window.start : window.start + window.length]
            ids[last] = self._sep
            arrays["input_mask"][row, : last + 1] = 1
            arrays["segment_ids"][row, first : last + 1] = 1
            arrays["p_mask"][row, 0] = 0
            arrays["p_mask"][row, first:last] = 0
        if self.is_training:
            spans = np.array(self.spans[start:limit], np.int32).reshape(-1, 3)
            names = "start_positions", "end_positions", "is_impossible"
            arrays.update(zip(names, spans.T.copy()))
        return arrays


def squad_features(
    examples: SquadSet | Sequence[SquadExample],
    tokenizer: ReferenceTokenizer | WordPieceReferenceTokenizer,
    max_seq_length: int = 384,
    doc_stride: int = 128,
    max_query_length: int = 64,
    is_training: bool = False,
) -> SquadFeatures:
    """Turns SQuAD's questions into rows of question and window.

    Windows without the answer are kept for training, as unanswerable ones. Questions whose context
    cannot be aligned are left out as in the original, and counted; so are answers at places that
    are not there, on which the original stops.

    Args:
      examples: `SquadSet`.
      tokenizer: `albert_tf.text.reference.ReferenceTokenizer`.
      max_seq_length: Length of all rows, S.
      doc_stride: Pieces from the start of one window to that of the next, at least 1.
      max_query_length: Most pieces of a question; at most S - 4.
      is_training: Whether rows get the answers' places.

    Returns:
      `SquadFeatures`, whose `report` counts what was cut, left out, or is doubtful.

    Raises:
      ValueError: If the lengths leave no room for the context; if a question for training has not
        exactly one answer, nor is impossible; if no row results.

    Example:
      >>> from albert_tf import ReferenceTokenizer, albert_tiny_en
      >>> from albert_tf.data.tasks.squad import SquadExample, SquadSet
      >>> from albert_tf.data.tasks.squad_features import squad_features
      >>> examples = SquadSet([SquadExample("1", "Who sang?", "Ann sang. " * 30)], files=[])
      >>> tokenizer = ReferenceTokenizer(albert_tiny_en.SP_MODEL)
      >>> features = squad_features(examples, tokenizer, 64, doc_stride=32, max_query_length=16)
      >>> features["input_ids"].shape
      (3, 64)

    Reference: `convert_examples_to_features` in the original's squad_utils.py.
    """
    if max_query_length + 4 > max_seq_length or doc_stride < 1 or max_query_length < 0:
        raise ValueError(
            "max_seq_length must leave room for the question, 3 special pieces and the context, "
            f"and doc_stride be at least 1. Received: max_seq_length={max_seq_length}, "
            f"max_query_length={max_query_length}, doc_stride={doc_stride}."
        )
    features = SquadFeatures(examples, tokenizer, max_seq_length, is_training, Report())
    contexts = {}
    for index, example in enumerate(progress(examples, "Questions to ids")):
        question = tokenizer.encode(example.question)
        if len(question) > max_query_length:
            features.report.add(CUT_QUESTIONS, example.guid)
        features.questions.append(question[:max_query_length])
        if example.context not in contexts:
            contexts = {example.context: _context(example.context, tokenizer)}
        context, answer, usable = contexts[example.context], None, True
        if context is None:
            features.report.add(NOT_ALIGNED, example.guid)
        elif is_training:
            answer, usable = _answer(example, context, features.report)
        features.contexts.append(context if usable else None)
        if features.contexts[-1] is not None:
            _add_windows(features, index, answer, doc_stride)
    if not features.windows:
        raise ValueError(
            "SQuAD features must have at least one row. "
            f"Received: {len(examples)} questions, all left out. {features.report}"
        )
    return features


def _context(text, tokenizer):
    if isinstance(tokenizer, WordPieceReferenceTokenizer):
        ids, *spans = tokenizer.encode_with_offsets(text)
        offsets = exact_offsets(len(text), *spans)
    else:
        pieces = tokenizer.tokenize(text)
        ids = tokenizer.pieces_to_ids(pieces)
        offsets = piece_offsets(text, pieces, tokenizer.lower)
    return offsets and Context(np.array(ids, np.int32), offsets)


def _answer(example, context, report):
    """(first and last piece of the answer or None, whether the question can be learned)."""
    if example.is_impossible:
        return None, True
    if len(example.answers) != 1:
        raise ValueError(
            "For training, each question must have exactly 1 answer or be impossible. "
            f"Received: question {example.guid!r} with {len(example.answers)}. "
            "Dev sets have several answers a question: they are for evaluation only."
        )
    ((text, start),) = example.answers
    if not text or start + len(text) > len(example.context):
        report.add(OUTSIDE, example.guid)
        return None, False
    if not example.context.startswith(text, start):
        report.add(MISPLACED, example.guid)
    first = int(context.offsets.starting_piece[start])
    last = int(context.offsets.ending_piece[start + len(text) - 1])
    if first > last:
        report.add(UNSEEN, example.guid)
        return None, False
    return (first, last), True


def _add_windows(features, index, answer, doc_stride):
    first_position = features.first_context_position(index)
    room = features.max_seq_length - first_position - 1
    spans = windows(len(features.contexts[index].ids), room, doc_stride)
    whole = False
    for number, (start, length) in enumerate(spans):
        features.windows.append(Window(index, number, start, length))
        inside = answer is not None and start <= answer[0] and answer[1] < start + length
        whole |= inside
        if features.is_training:
            shift = first_position - start
            span = (answer[0] + shift, answer[1] + shift, 0) if inside else (0, 0, 1)
            features.spans.append(span)
    if answer is not None and not whole:
        features.report.add(SPLIT, features.examples[index].guid)
