"""Texts, pairs and scored pairs for vectors of sentences: read from files, and as arrays."""

import dataclasses
import math

import numpy as np

from albert_tf.data.progress import progress
from albert_tf.data.report import Report
from albert_tf.data.tasks.examples import ExampleSet
from albert_tf.data.tasks.features import Features, check_length, empty_rows, fill_row
from albert_tf.data.tasks.labels import parse_score
from albert_tf.data.tasks.named_rows import TABLE_ENDINGS, ending, named_rows, row_number
from albert_tf.data.tasks.tables import read_lines

EMBEDDING_ENDINGS = (*TABLE_ENDINGS, ".txt")
CUT = "texts cut to max_seq_length"
# What the columns may be called; the second and third names are those of sentence-transformers.
_NAMES = {
    "text_column": ("text", "sentence1", "anchor"),
    "pair_column": ("text_pair", "sentence2", "positive"),
    "label_column": ("label", "score"),
    "negative": ("negative",),
}


@dataclasses.dataclass(frozen=True)
class EmbeddingExample:
    """A text whose vector is to be learned, with what it is learned from.

    Attributes:
      guid: Identifier, str.
      text_a: str.
      text_b: A text of similar meaning, or one to compare with; None for a text alone.
      negatives: Tuple of texts of other meaning, as many in every example.
      label: How similar the two texts are, float; or None.
      vector: The teacher's vector of `text_a`, the bytes of float32 numbers, which are quick to
        compare; or None.
    """

    guid: str
    text_a: str
    text_b: str | None = None
    negatives: tuple = ()
    label: float | None = None
    vector: bytes | None = None

    @property
    def texts(self):
        """All texts, tuple of str."""
        return (self.text_a, *(() if self.text_b is None else (self.text_b,)), *self.negatives)


def read_embedding(path, text=None, text_pair=None, label=None, guid=None):
    """Reads texts, pairs of texts of one meaning, or pairs with a score of their similarity.

    The columns decide which it is. A column "negative" has a text of other meaning for each pair,
    or a list of them.

    Args:
      path: Path of a .csv, .tsv, .jsonl or .json file, or of a .txt file with a text a line; or of
        one compressed by gzip.
      text, text_pair, label, guid: Names of the columns. Default: "text", "text_pair" and "label",
        or as sentence-transformers calls them: "sentence1", "sentence2" and "score", or "anchor"
        and "positive".

    Returns:
      `ExampleSet` of `EmbeddingExample`s.

    Raises:
      FileNotFoundError: If there is no such file.
      ValueError: For a malformed row, an empty text, a score that is no finite number, or rows
        that differ in what they have, with file and line; for a missing column or an empty file.

    Example:
      >>> import pathlib, tempfile
      >>> from albert_tf.data.tasks.embedding import read_embedding
      >>> path = pathlib.Path(tempfile.mkdtemp(), "train.csv")
      >>> _ = path.write_text("sentence1,sentence2,score\\na film,a movie,4.8\\n")
      >>> read_embedding(path)[0].label
      4.8
    """
    report, given = Report(), dict(zip(_NAMES, (text, text_pair, label)))
    if ending(path) == ".txt":
        if strange := {flag: name for flag, name in given.items() if name} | (
            {"id_column": guid} if guid else {}
        ):
            raise ValueError(
                f"A .txt file has a text a line and no columns. Received: {path}, with "
                f"{', '.join(f'--{flag}={name}' for flag, name in strange.items())}."
            )
        lines = read_lines(path, report)
        examples = [EmbeddingExample(str(number), line.strip()) for number, line in lines]
        return ExampleSet(examples, [path], None, report)
    examples, names = [], None
    asked = {**given, "id_column": guid}
    for place, row in named_rows(path, asked, report, EMBEDDING_ENDINGS):
        if names is None:
            names = _columns(row, given, place)
        name = row_number(place) if guid is None else str(row[guid])
        examples.append(_example(row, names, name, place))
        if len(examples[-1].negatives) != len(examples[0].negatives):
            raise ValueError(
                f"Every row must have as many negatives, here {len(examples[0].negatives)}. "
                f"Received: {place}: {len(examples[-1].negatives)}."
            )
    return ExampleSet(examples, [path], None, report)


def embedding_features(examples, tokenizer, max_seq_length):
    """Turns the texts of each example into a row `[CLS] text [SEP]` each.

    Args:
      examples: `ExampleSet` of `EmbeddingExample`s, all with T texts.
      tokenizer: `albert_tf.text.reference.ReferenceTokenizer`.
      max_seq_length: Length of all rows, S, at least 3.

    Returns:
      `Features` of N rows: input_ids, input_mask, segment_ids int32 [N, T, S]; text_ids int32
      [N, T], the same for the same text (but for case and spaces) and never 0; is_real_example
      int32 [N], all 1; and label_ids float32 [N] of scored pairs, or vectors float32 [N, D]. The
      report counts what was cut.

    Raises:
      ValueError: If max_seq_length is too short.

    Example:
      >>> from albert_tf import ReferenceTokenizer, albert_tiny_en
      >>> from albert_tf.data.tasks.embedding import EmbeddingExample, embedding_features
      >>> from albert_tf.data.tasks.examples import ExampleSet
      >>> examples = ExampleSet([EmbeddingExample("1", "a film", "A  film")], files=[])
      >>> tokenizer = ReferenceTokenizer(albert_tiny_en.SP_MODEL)
      >>> features = embedding_features(examples, tokenizer, max_seq_length=16)
      >>> features["input_ids"].shape, features["text_ids"].tolist()
      ((1, 2, 16), [[1, 1]])
    """
    check_length(max_seq_length, 3)
    first, report, known = examples[0], Report(), {}
    arrays = empty_rows([len(examples), len(first.texts), max_seq_length])
    arrays["text_ids"] = np.zeros([len(examples), len(first.texts)], np.int32)
    for row, example in enumerate(progress(examples, "Texts to ids")):
        for column, text in enumerate(example.texts):
            ids = tokenizer.encode(text)
            if len(ids) > max_seq_length - 2:
                report.add(CUT, example.guid)
            fill_row(arrays, (row, column), tokenizer, ids[: max_seq_length - 2])
            key = " ".join(text.split()).casefold()
            arrays["text_ids"][row, column] = known.setdefault(key, len(known) + 1)
    arrays["is_real_example"] = np.ones(len(examples), np.int32)
    if first.label is not None:
        arrays["label_ids"] = np.array([example.label for example in examples], np.float32)
    if first.vector is not None:
        arrays["vectors"] = vectors_of(examples)
    return Features(arrays, report, has_labels=first.text_b is not None or "vectors" in arrays)


def vectors_of(examples):
    """The teacher's vectors of examples, float32 [N, D]."""
    joined = b"".join(example.vector for example in examples)
    return np.frombuffer(joined, np.float32).reshape(len(examples), -1)


def _columns(row, given, place):
    """{flag: column} of what the file has; the text is needed."""
    found = {}
    for flag, known in _NAMES.items():
        name = given.get(flag) or next((name for name in known if name in row), None)
        if name is not None:
            found[flag] = name
    if "text_column" not in found:
        raise ValueError(
            f"The data must have a column of texts, {', '.join(_NAMES['text_column'])}. Received: "
            f"{place}: columns {list(row)!r:.300}. Say with --text_column what it is called."
        )
    if "pair_column" not in found:
        if needed := [flag for flag in ("label_column", "negative") if given.get(flag)]:
            raise ValueError(
                f"A score is of two texts. Received: {place}: {given[needed[0]]!r}, and no column "
                f"{' or '.join(_NAMES['pair_column'])}. Say with --pair_column what it is called."
            )
        return {"text_column": found["text_column"]}
    if {"label_column", "negative"} <= set(found):
        raise ValueError(
            "Pairs have either a score or negatives. Received: "
            f"{place}: columns {found['label_column']!r} and {found['negative']!r}. Leave one out."
        )
    return found


def _example(row, names, guid, place):
    if lacking := [name for name in names.values() if name not in row]:
        raise ValueError(f"Each row must have {lacking[0]!r}, as the first. Received: {place}.")
    values = {flag: row[name] for flag, name in names.items()}
    negatives = values.get("negative", [])
    negatives = [negatives] if isinstance(negatives, str) else negatives
    texts = [values["text_column"], values.get("pair_column", "-"), *negatives]
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"Texts must be strings with content. Received: {place}: {text!r}.")
    label = values.get("label_column")
    if "label_column" in values:
        label = math.nan if isinstance(label, bool) or label is None else label
        label = parse_score(label, place)
    return EmbeddingExample(guid, texts[0], values.get("pair_column"), tuple(texts[2:]), label)
