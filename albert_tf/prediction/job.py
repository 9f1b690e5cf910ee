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

from albert_tf.atomic import local_path, new_file, remove_remains
from albert_tf.lock import locked
from albert_tf.prediction.asked_rows import AskedRows
from albert_tf.prediction.manifest import Manifest, digest
from albert_tf.prediction.parts import Parts, compute_here
from albert_tf.prediction.tables import file_format
from albert_tf.prediction.writers import output_format

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
      compute: Function that writes the parts, `compute_here` or `beam_job.OnBeam`: the output is
        the same.

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
    compute: object = compute_here

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
            rows = AskedRows(files, columns, list(self.keep))
            parts = Parts(rows, self._limits(rows), work, kind, self.top_k)
            counts = self._scan(parts, output)
            if manifest.begin():
                parts.remove()
            computed, tokens = self.compute(parts, self.predictor, counts["rows"])
            with new_file(output) as file:
                parts.join(file)
            manifest.finish(counts)
            parts.remove()
        seconds = time.monotonic() - start
        return {**counts, "computed": computed, "tokens": tokens, "seconds": seconds}

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

    def _limits(self, rows):
        """The numbers of the first row and of that after the last."""
        if self.shard is None:
            return 0, None
        i, n = self.shard
        total = sum(1 for _ in rows.read(self.predictor))
        return i * total // n, (i + 1) * total // n

    def _scan(self, parts, output):
        """Reads all rows once, before the first is computed; counts good and bad ones."""
        good, bad, shown = 0, 0, []
        aside = pathlib.Path(f"{output}.bad_rows.jsonl")
        with new_file(aside) as temporary, open(temporary, "w", encoding="utf-8") as file:
            for row in itertools.islice(parts.rows.read(self.predictor), *parts.limits):
                if row.error is None:
                    good += 1
                    continue
                bad += 1
                if self.bad_rows == SET_ASIDE:
                    told = {"place": row.place, "error": row.error}
                    file.write(json.dumps(told, ensure_ascii=False) + "\n")
                if bad <= _SHOWN:
                    at = "" if row.place in row.error else f"{row.place}: "
                    shown.append(at + row.error)
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


@contextlib.contextmanager
def _removed_if_empty(directory):
    """Removes a directory after the block, unless there is work in it to go on with."""
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            directory.rmdir()
