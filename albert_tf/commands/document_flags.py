"""The flags of commands that read raw text."""

from absl import flags

from albert_tf.data.pretraining.document_format import FORMATS, DocumentFormat
from albert_tf.data.pretraining.document_readers import MAX_DOCUMENT_BYTES
from albert_tf.data.pretraining.sentences import LINES

FLAG_GROUPS = {"input": "text"}

INPUT = flags.DEFINE_list(
    "input",
    None,
    "Text: files, patterns in quotes ('corpus/*.txt') or directories, separated by commas. .gz is "
    "decompressed.",
    required=True,
)
_FORMAT = flags.DEFINE_enum(
    "format",
    None,
    list(FORMATS),
    "text: UTF-8, empty lines separate documents. jsonl: a JSON object a line. tfrecord: a "
    "tf.train.Example a record. Default: by the ending .txt, .jsonl or .json, .tfrecord.",
)
_FIELD = flags.DEFINE_string(
    "field", "text", "Where jsonl and tfrecord have a document's text: lines, or a list of them."
)
_LINES = flags.DEFINE_enum(
    "lines",
    "sentence",
    list(LINES),
    "What a line is: a sentence; a paragraph, to be split into sentences; or wrapped, part of a "
    "paragraph that goes on until an empty line (wants --whole_files for text).",
)
_WHOLE_FILES = flags.DEFINE_bool(
    "whole_files",
    False,
    "Each text file is one document, whatever empty lines it has. Documents of more than "
    f"{MAX_DOCUMENT_BYTES >> 20} MB count as several.",
)


def document_format():
    """The `DocumentFormat` that the flags describe."""
    return DocumentFormat(_FORMAT.value, _FIELD.value, _LINES.value, _WHOLE_FILES.value)
