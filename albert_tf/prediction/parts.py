"""The parts that an output is made of: windows of rows, each answered by itself."""

import dataclasses
import itertools
import pathlib

import tqdm

from albert_tf.atomic import new_file, remove_remains
from albert_tf.prediction.asked_rows import AskedRows
from albert_tf.prediction.batches import windows
from albert_tf.prediction.writers import join_parts, write_part


@dataclasses.dataclass(frozen=True)
class Parts:
    """The parts of an output, wherever they are computed: the same bytes on the same hardware.

    Args:
      rows: `AskedRows`.
      limits: Numbers of the first row and of that after the last, or None.
      directory: Where the parts lie until all are there.
      kind: One of `writers.FORMATS`.
      top_k: As of `Predictor`.
    """

    rows: AskedRows
    limits: tuple
    directory: pathlib.Path
    kind: str
    top_k: object

    def windows(self, predictor):
        """Yields (number of the part, list of its `AskedRow`s); malformed rows are left out."""
        limited = itertools.islice(self.rows.read(predictor), *self.limits)
        asked, rows = itertools.tee(row for row in limited if row.error is None)
        for number, window in enumerate(windows(row.asked for row in asked)):
            yield number, list(itertools.islice(rows, len(window)))

    def window(self, predictor, start, count):
        """The rows of a part again.

        Args:
          start: `start` of the first one.
          count: How many there are.
        """
        rows = (row for row in self.rows.read(predictor, start) if row.error is None)
        return list(itertools.islice(rows, count))

    def is_written(self, number):
        """Whether a part is there, whole."""
        return self._path(number).exists()

    def write(self, predictor, number, rows):
        """Answers the rows of a part; returns how many tokens were computed."""
        answers, tokens = predictor.answer([row.asked for row in rows], self.top_k)
        with new_file(self._path(number)) as temporary:
            write_part(temporary, self.kind, [row.kept for row in rows], answers)
        return tokens

    def join(self, path):
        """Writes one file with all parts."""
        join_parts(sorted(self.directory.glob("part-*")), path, self.kind)

    def remove(self):
        """Removes the parts that are there."""
        for path in self.directory.glob("part-*"):
            path.unlink()
        remove_remains(self.directory)  # Of workers that were killed, while others went on.

    def _path(self, number):
        return self.directory / f"part-{number:07d}"


def compute_here(parts, predictor, total):
    """Writes the parts that are missing, one after the other.

    Args:
      parts: `Parts`.
      predictor: `Predictor`.
      total: Number of all rows.

    Returns:
      `(rows, tokens)` that were computed, int.
    """
    tokens, skipped, bar = 0, 0, None
    for number, rows in parts.windows(predictor):
        if parts.is_written(number):
            skipped += len(rows)
            continue
        if bar is None:  # Not before: what is skipped is no speed.
            how = {"unit": " texts", "disable": None, "mininterval": 0.5}
            bar = tqdm.tqdm(total=total, initial=skipped, **how)
        tokens += parts.write(predictor, number, rows)
        bar.update(len(rows))
        if not bar.disable:
            speed = tokens / max(bar.format_dict["elapsed"], 1e-9)
            bar.set_postfix_str(f"{speed:,.0f} tokens/s")
    if bar is not None:
        bar.close()
    return total - skipped, tokens
