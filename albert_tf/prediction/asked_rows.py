"""The rows of a job's files, as what a predictor is asked."""

import dataclasses
import json

from albert_tf.prediction.batches import texts_of
from albert_tf.prediction.tables import START, read_rows


@dataclasses.dataclass(slots=True)
class AskedRow:
    """A row.

    Attributes:
      place: File and line, such as "rows.csv:3".
      asked: Tuple of str, as `Predictor.answer` takes it; None where the row is malformed.
      kept: {column: value}, what the output repeats.
      error: What is wrong with it, or None.
      start: Where it begins, for `AskedRows.read`.
    """

    place: str
    asked: tuple | None
    kept: dict | None
    error: str | None
    start: tuple


@dataclasses.dataclass(frozen=True)
class AskedRows:
    """Where the rows are.

    Args:
      files: List of paths that `read_rows` reads, one after the other.
      columns: Columns of the texts, in the order of the predictor's `text_inputs`.
      keep: Columns that the output repeats.
    """

    files: list
    columns: list
    keep: list

    def read(self, predictor, start=(0, START)):
        """Yields each row as an `AskedRow`.

        Args:
          predictor: `Predictor`, which says what a row must be.
          start: `start` of the row to begin with.
        """
        wanted = list(dict.fromkeys([*self.columns, *self.keep]))
        first, within = start
        for number, file in enumerate(self.files[first:], first):
            for row in read_rows(file, wanted, within if number == first else START):
                yield self._asked(predictor, row, (number, row.start))

    def _asked(self, predictor, row, start):
        error = row.error
        if error is None:
            try:
                values = [row.values[column] for column in self.columns]
                asked = _checked(predictor, values, row.place)
                kept = {name: row.values[name] for name in self.keep}
                return AskedRow(row.place, asked, kept, None, start)
            except (TypeError, ValueError) as raised:
                error = str(raised)
        return AskedRow(row.place, None, None, error, start)


def _checked(predictor, values, place):
    for i, name in enumerate(predictor.text_inputs):
        if name == "choices" and isinstance(values[i], str):
            values[i] = json.loads(values[i])  # In a table, a list in JSON.
    row = predictor.row(tuple(values), place)
    if not all(text.strip() for text in texts_of(row)):
        raise ValueError("a text without content")
    return row
