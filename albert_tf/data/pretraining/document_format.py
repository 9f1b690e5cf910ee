"""What files of documents look like."""

import dataclasses
import os
from collections.abc import Iterator
from typing import IO

from albert_tf.data.pretraining.document_readers import read_jsonl, read_text, read_tfrecord
from albert_tf.data.pretraining.sentences import LINES, sentences_of

FORMATS = {"text": (".txt",), "jsonl": (".jsonl", ".json"), "tfrecord": (".tfrecord",)}


@dataclasses.dataclass(frozen=True)
class DocumentFormat:
    """How documents are read from an open file, wherever that is.

    Args:
      format: "text" (UTF-8, documents separated by empty lines), "jsonl" (a JSON object each line),
        "tfrecord" (a tf.train.Example each record) or None: by the ending .txt, .jsonl or .json,
        .tfrecord. A .gz after it does not count.
      field: Where "jsonl" and "tfrecord" have the text: a string, lines in it, or a list of them.
      lines: What a line is: "sentence", "paragraph" or "wrapped", see `sentences_of`.
      whole_files: "text" only: each file is one document, whatever empty lines it has.

    Example:
      >>> import io
      >>> import albert_tf
      >>> file = io.BytesIO(b"One sentence.\\nAnother one.\\n\\nA second document.\\n")
      >>> list(albert_tf.DocumentFormat().read(file, "corpus.txt"))
      [['One sentence.', 'Another one.'], ['A second document.']]
    """

    format: str | None = None
    field: str = "text"
    lines: str = "sentence"
    whole_files: bool = False

    def __post_init__(self) -> None:
        if self.format not in (None, *FORMATS):
            raise ValueError(
                f"format must be one of {', '.join(FORMATS)}. Received: {self.format!r}."
            )
        if self.lines not in LINES:
            raise ValueError(f"lines must be one of {', '.join(LINES)}. Received: {self.lines!r}.")

    def of(self, path: str) -> str:
        """ "text", "jsonl" or "tfrecord"."""
        file_format = self.format or self._by_ending(path)
        if self.whole_files and file_format != "text":
            raise ValueError(
                f"whole_files is for text files. Received: {path}, whose documents are its lines "
                "or records."
            )
        return file_format

    def splits(self, path: str) -> bool:
        """Whether parts of the file can be read alone."""
        return not self.whole_files and not path.endswith(".gz")

    def read(
        self, file: IO[bytes], path: str, start: int = 0, end: int | None = None
    ) -> Iterator[list[str]]:
        """Yields the documents of a byte range, list of str (sentences) each.

        Args:
          file: Seekable binary file, decompressed.
          path: Its name, for its format and for errors.
          start, end: Each document belongs to one range of those that make up the file.
        """
        file_format = self.of(path)
        if file_format == "text":
            documents = read_text(file, path, start, end, self.whole_files)
        else:
            reader = read_jsonl if file_format == "jsonl" else read_tfrecord
            documents = reader(file, path, self.field, start, end)
        for document in documents:
            sentences = list(sentences_of(document, self.lines))
            if sentences:
                yield sentences

    def _by_ending(self, path):
        ending = os.path.splitext(path.removesuffix(".gz"))[1].lower()
        for file_format, endings in FORMATS.items():
            if ending in endings:
                return file_format
        raise ValueError(
            "A file's format must be known. Received: "
            f"{path}, whose ending is none of .txt, .jsonl, .json, .tfrecord. Pass format= "
            f"(--format): {', '.join(FORMATS)}."
        )
