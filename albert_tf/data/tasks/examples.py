"""Examples as read from files: raw text and labels, before any tokenizer."""

import collections.abc
import dataclasses

from albert_tf.data.report import Report


@dataclasses.dataclass(frozen=True)
class Example:
    """One text or pair of texts to classify or to score.

    Attributes:
      guid: Identifier, str; for GLUE the one that a submission needs.
      text_a: str, as in the file.
      text_b: str, or None for tasks on single texts.
      label: str; tuple of str where a text has any number of labels; float for regression; None in
        unlabeled files.
    """

    guid: str
    text_a: str
    text_b: str | None = None
    label: str | tuple | float | None = None


@dataclasses.dataclass(frozen=True)
class TaggedExample:
    """Words with one tag each.

    Attributes:
      guid: Identifier, str.
      words: Tuple of str.
      tags: Tuple of str as long as `words`, or None in unlabeled files.
    """

    guid: str
    words: tuple
    tags: tuple | None = None


@dataclasses.dataclass(frozen=True)
class MultipleChoiceExample:
    """A question on a passage, with options to choose from.

    Attributes:
      guid: Identifier, str.
      context: The passage, str.
      question: str; in it, "_" stands for the place of the option.
      options: Tuple of str.
      label: Index of the right option, int, or None in unlabeled files.
      level: Group for separate scores ("middle", "high" for RACE), str.
    """

    guid: str
    context: str
    question: str
    options: tuple
    label: int | None = None
    level: str = ""


class ExampleSet(collections.abc.Sequence):
    """The examples of one split: a sequence that knows its labels, files and problems.

    Args:
      examples: Iterable of examples of one type; at least one.
      files: Paths that they were read from.
      labels: Tuple of str, label id -> label; None where labels are numbers or spans.
      report: `Report` of what was skipped or is doubtful.

    Raises:
      ValueError: If there is no example.
    """

    def __init__(self, examples, files, labels=None, report=None):
        self.examples = list(examples)
        self.files = tuple(map(str, files))
        self.labels = None if labels is None else tuple(labels)
        self.report = Report() if report is None else report
        if not self.examples:
            raise ValueError(
                "A data set must have at least one example. "
                f"Received: none in {', '.join(self.files)}"
                + (f" ({self.report})" if self.report else "")
                + ". Check that the file is complete and is the right one."
            )

    def __len__(self):
        return len(self.examples)

    def __getitem__(self, index):
        return self.examples[index]

    def __repr__(self):
        return f"<{type(self).__name__} of {len(self)} examples from {', '.join(self.files)}>"
