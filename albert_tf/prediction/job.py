"""A file of texts to a file of answers: at any size, and after any interruption."""

import contextlib
import dataclasses
import glob
import itertools
import json
import os
import pathlib
import shutil
import time

import tqdm

from albert_tf.atomic import local_path, new_file, remove_remains
from albert_tf.lock import locked
from albert_tf.prediction.batches import texts_of, windows
from albert_tf.prediction.manifest import Manifest, digest
from albert_tf.prediction.tables import file_format, read_rows
from albert_tf.prediction.writers import join_parts, output_format, write_part

REFUSE, SET_ASIDE = BAD_ROWS = ("refuse", "set_aside")
_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class Job:
    """What is asked, of which files, and where the answers go.

    Calling it does the work. It is done in parts of some thousand rows, in a hidden directory
    beside the output; each is on the disk before it gets its name. Killed at any moment, the same
    job goes on where it was, and ends with the same bytes. `OUTPUT.manifest.json` tells what the
    output is made of; a job of other settings is refused there.

    Args:
      predictor: `Predictor`.
      inputs: List of paths or patterns of files that `read_rows` reads, one after the other.
      output: Path of a file that ends in one of `writers.FORMATS`; a shard's name has its number.
      columns: Names of the columns of the texts, in the order of `predictor.text_inputs`. Default:
        these.
      keep: Names of columns to repeat in the output, where they are called "input_...".
      top_k: As of `Predictor`.
      bad_rows: "refuse", the default: a row that is malformed, or has no text, ends the job before
        anything is computed. "set_aside": such rows go to `OUTPUT.bad_rows.jsonl`.
      shard: (i, n): only the i-th of n parts of the rows, i from 0, to go with other machines.
      overwrite: Whether an output of other settings is replaced.

    Raises:
      ValueError, FileNotFoundError, ImportError: An argument is not as above, there are no rows, or
        a row is malformed.
      FileExistsError: The output is there, and not of this job.
      BlockingIOError: Another process does this job.

    Example:

    >>> import pathlib, tempfile
    >>> import albert_tf
    >>> from albert_tf.prediction.job import Job
    >>> directory = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (directory / "texts.txt").write_text("one\\ntwo\\n")
    >>> embed = albert_tf.Predictor("albert_tiny_en", task="embedding")
    >>> result = Job(embed, [directory / "texts.txt"], directory / "vectors.npy")()
    >>> result["rows"], (directory / "vectors.npy").is_file()
    (2, True)
    """

    predictor: object
    inputs: list
    output: str
    columns: list | None = None
    keep: list = ()
    top_k: object = "auto"
    bad_rows: str = REFUSE
    shard: tuple | None = None
    overwrite: bool = False

    def __call__(self):
        """Does the work that is left.

        Returns:
          dict {rows, bad_rows, computed, tokens, seconds}: rows answered and bad ones of the whole
          output; rows and tokens computed by this call, and its seconds.
        """
        start, output = time.monotonic(), self._output()
        kind = output_format(output, self.predictor.record["task"])
        files, columns = self._checked_files(output), self._checked_columns()
        about = {"model": self.predictor.source, "files": files}
        manifest = Manifest(f"{output}.manifest.json", self._made_of(files, columns), about)
        work = output.with_name(f".{output.name}.parts")
        if manifest.is_finished(output, self.overwrite):
            shutil.rmtree(work, ignore_errors=True)  # Of a call that was killed at its very end.
            return {**manifest.counts, "computed": 0, "tokens": 0, "seconds": 0.0}
        with _removed_if_empty(work), locked(work):
            remove_remains(work)
            limits = self._limits(files, columns)
            counts = self._scan(self._rows(files, columns, limits), output)
            if manifest.begin():
                _empty(work)
            rows = self._rows(files, columns, limits)
            done = self._compute(rows, work, kind, counts["rows"])
            with new_file(output) as file:
                join_parts(sorted(work.glob("part-*")), file, kind)
            manifest.finish(counts)
            _empty(work)
        return {**counts, **done, "seconds": time.monotonic() - start}

    # === What is asked ===

    def _output(self):
        output = local_path(self.output, "file")
        if self.shard is None:
            return output
        i, n = self.shard
        if not 0 <= i < n:
            raise ValueError(f"A shard is i/n, with i from 0 to n - 1. Received: {i}/{n}.")
        return output.with_name(f"{output.stem}-{i:05d}-of-{n:05d}{output.suffix}")

    def _checked_columns(self):
        if self.bad_rows not in BAD_ROWS:
            raise ValueError(
                f"`bad_rows` must be one of {', '.join(BAD_ROWS)}. Received: {self.bad_rows!r}."
            )
        names = self.predictor.text_inputs
        columns = list(self.columns or names)
        if len(columns) != len(names):
            raise ValueError(
                f"`columns` must name those of {', '.join(names)}, in this order. Received: "
                f"{', '.join(columns)}."
            )
        return columns

    def _checked_files(self, output):
        files = []
        for pattern in map(os.fspath, self.inputs):
            found = [pattern] if os.path.exists(pattern) else sorted(glob.glob(pattern))
            if not found:
                raise FileNotFoundError(f"The input must be an existing file. Received: {pattern}.")
            files += found
        for file in files:
            file_format(file)
            if local_path(file, "file") == output:
                raise ValueError(f"The output must not be an input. Received: {output}.")
        return files

    def _made_of(self, files, columns):
        return {
            "model": digest(self.predictor.source),
            "record": self.predictor.record,
            "input": [digest(file) for file in files],
            "columns": columns,
            "keep": list(self.keep),
            "top_k": self.top_k,
            "batch_tokens": self.predictor.batch_tokens,
            "bad_rows": self.bad_rows,
            "shard": self.shard,
        }

    # === Rows ===

    def _rows(self, files, columns, limits=(0, None)):
        """Yields (place, row or None, kept values or None, error or None)."""
        wanted = list(dict.fromkeys([*columns, *self.keep]))
        found = itertools.chain.from_iterable(read_rows(file, wanted) for file in files)
        for row in itertools.islice(found, *limits):
            if row.error:
                yield row.place, None, None, row.error
                continue
            try:
                asked = self._asked([row.values[column] for column in columns], row.place)
                yield row.place, asked, {name: row.values[name] for name in self.keep}, None
            except (TypeError, ValueError) as error:
                yield row.place, None, None, str(error)

    def _asked(self, values, place):
        for i, name in enumerate(self.predictor.text_inputs):
            if name == "choices" and isinstance(values[i], str):
                values[i] = json.loads(values[i])  # In a table, a list in JSON.
        row = self.predictor.row(tuple(values), place)
        if not all(text.strip() for text in texts_of(row)):
            raise ValueError("a text without content")
        return row

    def _limits(self, files, columns):
        """The numbers of the first row and of that after the last."""
        if self.shard is None:
            return 0, None
        i, n = self.shard
        total = sum(1 for _ in self._rows(files, columns))
        return i * total // n, (i + 1) * total // n

    def _scan(self, rows, output):
        """Reads all rows once, before the first is computed; counts good and bad ones."""
        good, bad, shown = 0, 0, []
        aside = pathlib.Path(f"{output}.bad_rows.jsonl")
        with new_file(aside) as temporary, open(temporary, "w", encoding="utf-8") as file:
            for place, row, _, error in rows:
                if row is not None:
                    good += 1
                    continue
                bad += 1
                line = json.dumps({"place": place, "error": error}, ensure_ascii=False)
                if self.bad_rows == SET_ASIDE:
                    file.write(line + "\n")
                if bad <= _SHOWN:
                    shown.append(error if place in error else f"{place}: {error}")
        if bad == 0 or self.bad_rows == REFUSE:
            aside.unlink()
        if bad and self.bad_rows == REFUSE:
            more = f"; and {bad - _SHOWN} more" if bad > _SHOWN else ""
            raise ValueError(
                f"Every row must have its texts. Received: {'; '.join(shown)}{more}. Mend the "
                "file, or set such rows aside (--bad_rows=set_aside)."
            )
        if not good:
            raise ValueError(
                f"The input must have rows to answer. Received: {', '.join(map(str, self.inputs))} "
                f"with none, and {bad} that are malformed."
            )
        return {"rows": good, "bad_rows": bad}

    # === Answers ===

    def _compute(self, rows, work, kind, total):
        """Writes the parts that are missing; returns how many rows and tokens it computed."""
        asked, kept = itertools.tee((row, keep) for _, row, keep, _ in rows if row is not None)
        asked, kept = (row for row, _ in asked), (keep for _, keep in kept)
        tokens, skipped, bar = 0, 0, None
        for number, window in enumerate(windows(asked)):
            beside = list(itertools.islice(kept, len(window)))
            path = work / f"part-{number:07d}"
            if path.exists():
                skipped += len(window)
                continue
            if bar is None:  # Not before: what is skipped is no speed.
                options = {"unit": " texts", "disable": None, "mininterval": 0.5}
                bar = tqdm.tqdm(total=total, initial=skipped, **options)
            answers, count = self.predictor.answer(window, self.top_k)
            with new_file(path) as temporary:
                write_part(temporary, kind, beside, answers)
            tokens += count
            bar.update(len(window))
            if not bar.disable:
                speed = tokens / max(bar.format_dict["elapsed"], 1e-9)
                bar.set_postfix_str(f"{speed:,.0f} tokens/s")
        if bar is not None:
            bar.close()
        return {"computed": total - skipped, "tokens": tokens}


@contextlib.contextmanager
def _removed_if_empty(directory):
    """Removes a directory after the block, unless there is work in it to go on with."""
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            directory.rmdir()


def _empty(directory):
    """Removes the parts of a job."""
    for path in directory.glob("part-*"):
        path.unlink()
