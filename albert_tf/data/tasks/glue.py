"""The nine GLUE tasks and the diagnostic set, in the layout in which GLUE distributes them."""

import dataclasses
import pathlib

from albert_tf.data.report import Report
from albert_tf.data.tasks.examples import Example, ExampleSet
from albert_tf.data.tasks.labels import check_label, parse_score
from albert_tf.data.tasks.tables import read_tsv

SHORT_ROWS = "short rows skipped"
LONG_ROWS = "rows with more columns than the header"


@dataclasses.dataclass(frozen=True)
class Columns:
    """Where a kind of file has what; `None` where it has no such column.

    Attributes:
      text_a: Index of the (first) text.
      text_b: Index of the second text.
      label: Index of the label; -1 is the last column.
      guid: Index of the identifier; without one it is "<split>-<row>".
      header: Whether the first row holds the names.
      width: Number of columns; None if it is the header's.
    """

    text_a: int
    text_b: int | None = None
    label: int | None = None
    guid: int | None = 0
    header: bool = True
    width: int | None = None


@dataclasses.dataclass(frozen=True)
class GlueTask:
    """One GLUE task: where its files are and what they mean.

    Attributes:
      name: The original's name, such as "sst-2".
      folder: Name of its folder, such as "SST-2".
      labels: Tuple of str, label id -> label; None for the scores of STS-B.
      metrics: Names in `albert_tf.data.tasks.metrics.METRICS`; the first one chooses checkpoints,
        as in the original's run_classifier.py.
      labeled, unlabeled: `Columns` of train and dev files, and of test files.
      files: dict from split ("train", "dev", "test") to file name.
      skip_short_rows: Whether rows that lack columns are skipped and counted, not refused.
    """

    name: str
    folder: str
    labels: tuple | None
    metrics: tuple
    labeled: Columns
    unlabeled: Columns
    files: dict = dataclasses.field(
        default_factory=lambda: {split: f"{split}.tsv" for split in ("train", "dev", "test")}
    )
    skip_short_rows: bool = False

    def path(self, data_dir, split):
        """Path of a split's file, in GLUE's folder or in the task's own."""
        if split not in self.files:
            raise ValueError(
                f"split of {self.name} must be one of {', '.join(self.files)}. Received: {split!r}."
            )
        data_dir = pathlib.Path(data_dir)
        own = data_dir / self.files[split]
        return own if own.is_file() else data_dir / self.folder / self.files[split]

    def read(self, data_dir, split):
        """Reads a split.

        Args:
          data_dir: Folder that holds the tasks' folders, or the task's folder itself.
          split: "train", "dev" or "test".

        Returns:
          `ExampleSet` of `Example`s in the order of the file; labels are None in test files.

        Raises:
          FileNotFoundError: If the file is missing.
          ValueError: For a malformed row or an unknown label, with file and line; an empty file.

        Example:
          >>> import pathlib, tempfile
          >>> from albert_tf.data.tasks.glue import TASKS
          >>> directory = pathlib.Path(tempfile.mkdtemp())
          >>> _ = (directory / "dev.tsv").write_text("sentence\\tlabel\\na fine film\\t1\\n")
          >>> examples = TASKS["sst-2"].read(directory, "dev")
          >>> examples[0].label
          '1'

        Reference: the processors in the original's classifier_utils.py.
        """
        return self.read_file(self.path(data_dir, split), split)

    def read_file(self, path, split):
        """Reads a file of any name in the layout of a split; see `read`."""
        columns = self.unlabeled if split == "test" else self.labeled
        report, examples, width = Report(), [], columns.width
        for index, (line, row) in enumerate(read_tsv(path, report)):
            if columns.header and index == 0:
                width = len(row)
                self._check_header(columns, row, path)
            elif self._complete(row, width, f"{path}:{line}", report):
                examples.append(self._example(row, columns, split, index, f"{path}:{line}"))
        return ExampleSet(examples, [path], self.labels, report)

    def _check_header(self, columns, row, path):
        used = columns.text_a, columns.text_b, columns.label
        needed = 1 + max(column for column in used if column is not None)
        if len(row) < needed:
            raise ValueError(
                f"{self.name} needs a header of at least {needed} columns. "
                f"Received: {path}:1: {len(row)} columns: {row}. Is it another split or task?"
            )

    def _complete(self, row, width, location, report):
        """Whether a row is to be read; one of a wrong width is counted or refused."""
        if len(row) == width:
            return True
        if self.skip_short_rows:
            report.add(SHORT_ROWS if len(row) < width else LONG_ROWS, location)
            return len(row) > width
        raise ValueError(
            f"Each row of {self.name} must have {width} tab-separated columns. "
            f"Received: {location}: {len(row)} columns: {row}."
        )

    def _example(self, row, columns, split, index, location):
        return Example(
            guid=f"{split}-{index}" if columns.guid is None else row[columns.guid].strip(),
            text_a=row[columns.text_a],
            text_b=None if columns.text_b is None else row[columns.text_b],
            label=None if columns.label is None else self._label(row[columns.label], location),
        )

    def _label(self, text, location):
        text = text.strip()
        if self.labels is None:
            return parse_score(text, location)
        return check_label(text, self.labels, location)


def _pair_task(name, folder, labels):
    """The layout of QNLI, RTE and WNLI: index, text, text, label."""
    pair = Columns(text_a=1, text_b=2)
    return GlueTask(name, folder, labels, ("accuracy",), dataclasses.replace(pair, label=-1), pair)


def _mnli(name, suffix):
    pair = Columns(text_a=8, text_b=9)
    files = {"train": "train.tsv", "dev": f"dev_{suffix}.tsv", "test": f"test_{suffix}.tsv"}
    labeled = dataclasses.replace(pair, label=-1)
    return GlueTask(name, "MNLI", _NLI, ("accuracy",), labeled, pair, files)


_BINARY = ("0", "1")
_ENTAILMENT = ("entailment", "not_entailment")
_NLI = ("contradiction", "entailment", "neutral")
_DIAGNOSTIC = Columns(text_a=1, text_b=2)

_TASKS = [
    GlueTask(
        name="cola",
        folder="CoLA",
        labels=_BINARY,
        metrics=("matthews", "accuracy"),
        labeled=Columns(text_a=3, label=1, guid=None, header=False, width=4),
        unlabeled=Columns(text_a=1),
    ),
    GlueTask(
        name="sst-2",
        folder="SST-2",
        labels=_BINARY,
        metrics=("accuracy",),
        labeled=Columns(text_a=0, label=1, guid=None),
        unlabeled=Columns(text_a=1),
    ),
    GlueTask(
        name="mrpc",
        folder="MRPC",
        labels=_BINARY,
        metrics=("accuracy", "f1"),
        labeled=Columns(text_a=3, text_b=4, label=0, guid=None),
        unlabeled=Columns(text_a=3, text_b=4),
    ),
    GlueTask(
        name="sts-b",
        folder="STS-B",
        labels=None,
        metrics=("pearson", "spearman"),
        labeled=Columns(text_a=7, text_b=8, label=-1),
        unlabeled=Columns(text_a=7, text_b=8),
    ),
    GlueTask(
        name="qqp",
        folder="QQP",
        labels=_BINARY,
        metrics=("accuracy", "f1"),
        labeled=Columns(text_a=3, text_b=4, label=5),
        unlabeled=Columns(text_a=1, text_b=2),
        skip_short_rows=True,
    ),
    _mnli("mnli", "matched"),
    _mnli("mismnli", "mismatched"),
    _pair_task("qnli", "QNLI", _ENTAILMENT),
    _pair_task("rte", "RTE", _ENTAILMENT),
    _pair_task("wnli", "WNLI", _BINARY),
    GlueTask(
        name="ax",
        folder="diagnostic",
        labels=_NLI,
        metrics=("matthews",),
        labeled=_DIAGNOSTIC,
        unlabeled=_DIAGNOSTIC,
        files={"test": "diagnostic.tsv"},
    ),
]
TASKS = {task.name: task for task in _TASKS}
