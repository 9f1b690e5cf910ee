"""Where the documents of pre-training come from, and which of them make up a shard."""

import dataclasses
import functools
import glob
import gzip
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from albert_tf.data.pretraining.document_format import DocumentFormat
from albert_tf.data.pretraining.sentences import sentences_of


@dataclasses.dataclass(frozen=True)
class DocumentFiles:
    """Documents in files. A shard is a byte range of all files in a row, so each byte is read once.

    Does not include tokenizing. A file's end always ends a document.

    Args:
      files: Paths, patterns (`corpus/*.txt`) or directories, list of str. Of a directory all files
        are read, those of its subdirectories too, in the order of their paths. Links are followed,
        each file is read once, and names that begin with a dot are left out.
      format: `DocumentFormat`. Files that end in .gz are decompressed, and each belongs to one
        shard.

    Raises:
      FileNotFoundError: If a path or pattern leads to no file.
      ValueError: If a file is empty or its format unknown.

    Example:
      >>> import pathlib, tempfile
      >>> from albert_tf.data.pretraining.documents import DocumentFiles
      >>> path = pathlib.Path(tempfile.mkdtemp(), "corpus.txt")
      >>> _ = path.write_text("One.\\nTwo.\\n\\nThree.\\n")
      >>> list(DocumentFiles([path]).read(shard=0, num_shards=1))
      [['One.', 'Two.'], ['Three.']]
    """

    files: list
    format: DocumentFormat = dataclasses.field(default_factory=DocumentFormat)

    def __post_init__(self) -> None:
        if isinstance(self.files, (str, os.PathLike)):
            object.__setattr__(self, "files", [self.files])
        for path, size in self.sizes:
            self.format.of(path)
            if not size:
                raise ValueError(
                    f"Every file must have documents. Received: {path}, which is empty. Leave it "
                    "out."
                )

    @functools.cached_property
    def sizes(self) -> list[tuple[str, int]]:
        """All files, sorted within each directory or pattern: list of (path, bytes)."""
        paths = []
        for pattern in map(os.fspath, self.files):
            matches = [pattern] if os.path.exists(pattern) else glob.glob(pattern, recursive=True)
            found = sorted({path for match in matches for path in _files(match)})
            if not found:
                raise FileNotFoundError(
                    f"Input must be existing files. Received: {pattern}, which leads to none."
                )
            paths += found
        if not paths:
            raise FileNotFoundError("Input must be existing files. Received: an empty list.")
        once = {}  # However many links lead to a file.
        for path in paths:
            once.setdefault(os.path.realpath(path), path)
        return [(path, os.path.getsize(path)) for path in once.values()]

    @property
    def size(self) -> int | None:
        """Bytes of all files; None if some are compressed."""
        if any(path.endswith(".gz") for path, _ in self.sizes):
            return None
        return sum(size for _, size in self.sizes)

    @property
    def most_shards(self) -> int | None:
        """How many shards can have documents at all; None if that is not known."""
        if any(self.format.splits(path) for path, _ in self.sizes):
            return None
        return len(self.sizes)

    def identity(self) -> dict[str, Any]:
        """What tells this input from another, as JSON: an interrupted run goes on only with it."""
        files = [
            [path, self.format.of(path), size, os.stat(path).st_mtime_ns]
            for path, size in self.sizes
        ]
        return {"files": files, **dataclasses.asdict(self.format)}

    def read(self, shard: int, num_shards: int) -> Iterator[list[str]]:
        """Yields the documents of a shard, list of str (sentences) each.

        Args:
          shard, num_shards: Which part. All parts together have each document once.
        """
        for path, start, end in self.ranges(shard, num_shards):
            with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as file:
                try:
                    yield from self.format.read(file, path, start, end)
                except (EOFError, zlib.error) as error:
                    raise ValueError(
                        f"A file in .gz must be whole. Received: {path}: {error}. Copy it again."
                    ) from None

    def ranges(self, shard: int, num_shards: int) -> list[tuple[str, int, int | None]]:
        """The parts of files that make up a shard: list of (path, start, end or None)."""
        total = sum(size for _, size in self.sizes)
        first, last = total * shard // num_shards, total * (shard + 1) // num_shards
        ranges, offset = [], 0
        for path, size in self.sizes:
            start, end = max(first - offset, 0), min(last - offset, size)
            if not self.format.splits(path):
                if first <= offset < last:
                    ranges.append((path, 0, None))
            elif start < end:
                ranges.append((path, start, end))
            offset += size
        return ranges


def _files(path, above=()):
    """Yields the files at and below a path, hidden ones left out."""
    if os.path.basename(path.rstrip(os.sep)).startswith(".") and above:
        return
    if not os.path.isdir(path):
        if not os.path.exists(path):
            raise FileNotFoundError(
                f"Input must be existing files. Received: {path}, a link to nothing. Remove it."
            )
        yield path
        return
    real = os.path.realpath(path)
    if real not in above:  # A link to a directory that it is in would have no end.
        for name in os.listdir(path):
            yield from _files(os.path.join(path, name), (*above, real))


@dataclasses.dataclass(frozen=True)
class DocumentIterable:
    """Documents that a program makes: anything that can be iterated, such as a tf.data.Dataset.

    Shard k of n gets the documents k, k + n, k + 2n, ...; each shard iterates anew.

    Args:
      make: Function without arguments that returns a new iterator of documents: str (lines) or list
        of str (sentences). It must return the same ones each time. With several workers it must be
        a function that `pickle` can name (of a module, not a lambda).
      name: What tells it from others when an interrupted run goes on.
      lines: What a line of a str is, see `sentences_of`.

    Example:
      >>> from albert_tf.data.pretraining.documents import DocumentIterable
      >>> documents = DocumentIterable(lambda: ["One.\\nTwo.", ["Three."]], "three sentences")
      >>> list(documents.read(shard=0, num_shards=1))
      [['One.', 'Two.'], ['Three.']]
    """

    make: Callable[[], Iterable]
    name: str
    lines: str = "sentence"
    size = None
    most_shards = 1  # By default: nothing is known of how many documents there are.

    def identity(self) -> dict[str, Any]:
        """What tells this input from another."""
        return {"iterable": self.name, "lines": self.lines}

    def read(self, shard: int, num_shards: int) -> Iterator[list[str]]:
        """Yields the documents of a shard, list of str (sentences) each."""
        for index, document in enumerate(self.make()):
            if index % num_shards != shard:
                continue
            if isinstance(document, str):
                sentences = list(sentences_of(document.split("\n"), self.lines))
            elif isinstance(document, (list, tuple)):
                sentences = list(sentences_of(document, "sentence"))
            else:
                raise TypeError(
                    "A document must be a str or a list of str. "
                    f"Received: {document!r} of type {type(document).__name__}."
                )
            if sentences:
                yield sentences
