"""Fixed-shape arrays that a model can read, one row an example."""

import collections.abc

import numpy as np

from albert_tf.data.report import Report


class Features(collections.abc.Mapping):
    """Arrays by name, all with the same number of rows.

    A mapping from name to numpy array, int32 or float32, of shape [rows, ...].

    Args:
      arrays: dict from name to array.
      report: `Report` of what was cut.
      has_labels: Whether the labels are real; they are 0 for unlabeled examples.

    Attributes:
      num_rows: Number of rows, int.
    """

    def __init__(self, arrays, report=None, has_labels=True):
        self.arrays = arrays
        self.num_rows = len(next(iter(arrays.values())))
        self.report = Report() if report is None else report
        self.has_labels = has_labels

    def __getitem__(self, name):
        return self.arrays[name]

    def __iter__(self):
        return iter(self.arrays)

    def __len__(self):
        return len(self.arrays)

    def rows(self, start, limit):
        """The arrays' rows from `start` up to `limit`, dict from name to array."""
        return {name: array[start:limit] for name, array in self.arrays.items()}


def empty_rows(shape):
    """Rows of padding only: dict {input_ids, input_mask, segment_ids} of int32 zeros."""
    return {name: np.zeros(shape, np.int32) for name in ("input_ids", "input_mask", "segment_ids")}


def fill_row(arrays, row, tokenizer, first, second=None):
    """Writes `[CLS] first [SEP]`, or `[CLS] first [SEP] second [SEP]`, into one row.

    Args:
      arrays: Rows of padding, from `empty_rows`.
      row: Index of the row, int or tuple of int.
      tokenizer: `ReferenceTokenizer`, for the special ids.
      first: list of ids.
      second: list of ids, of segment 1; None for a single text.
    """
    separator = [tokenizer.special_ids["end_of_segment_id"]]
    ids = [tokenizer.special_ids["start_of_sequence_id"], *first, *separator]
    begin = len(ids)
    if second is not None:
        ids += [*second, *separator]
    arrays["input_ids"][row][: len(ids)] = ids
    arrays["input_mask"][row][: len(ids)] = 1
    arrays["segment_ids"][row][begin : len(ids)] = 1


def check_length(max_seq_length, minimum):
    """Refuses a `max_seq_length` too short for special pieces and text."""
    if max_seq_length < minimum:
        raise ValueError(
            f"max_seq_length must be at least {minimum} here. Received: {max_seq_length}."
        )
