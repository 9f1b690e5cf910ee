"""SQuAD 1.1 and 2.0: questions on paragraphs, answered by a span of the paragraph or not at all."""

import dataclasses

from albert_tf._types import Path
from albert_tf.data.report import Report
from albert_tf.data.tasks.examples import ExampleSet
from albert_tf.data.tasks.tables import read_json

CONTRADICTING = "questions whose is_impossible contradicts whether they have answers"
MISPLACED = "answers that are not in the context where they claim to be"


@dataclasses.dataclass(frozen=True)
class SquadExample:
    """A question on a paragraph.

    Attributes:
      guid: The question's id, str.
      question: str.
      context: The paragraph, str.
      answers: Tuple of (text, index of its first character in the context): one for training,
        several right ones in dev sets, none for impossible questions and unlabeled sets.
      is_impossible: Whether the file says that the paragraph has no answer.
    """

    guid: str
    question: str
    context: str
    answers: tuple = ()
    is_impossible: bool = False


class SquadSet(ExampleSet):
    """The examples of one SQuAD file.

    Attributes (besides those of `ExampleSet`):
      version_2: Whether any question is impossible, so that a model must be able to give no answer.
    """

    def __init__(self, examples, files, report=None):
        super().__init__(examples, files, report=report)
        self.version_2 = any(example.is_impossible for example in self.examples)


def read(path: Path) -> SquadSet:
    """Reads a file in SQuAD's JSON format, of either version.

    Args:
      path: Path of a .json file.

    Returns:
      `SquadSet` of `SquadExample`s in the file's order. Its report counts the answers whose text is
      not what the context has at `answer_start`; `squad_features` says what becomes of them.

    Raises:
      FileNotFoundError: If there is no such file.
      ValueError: If it is not JSON, lacks a field, or has an id twice, with the place.

    Example:
      >>> import json, pathlib, tempfile
      >>> from albert_tf.data.tasks.squad import read
      >>> question = {"id": "1", "question": "Who sang?",
      ...             "answers": [{"text": "Ann", "answer_start": 0}]}
      >>> article = {"title": "", "paragraphs": [{"context": "Ann sang.", "qas": [question]}]}
      >>> path = pathlib.Path(tempfile.mkdtemp(), "dev.json")
      >>> _ = path.write_text(json.dumps({"data": [article]}))
      >>> examples = read(path)
      >>> len(examples), examples.version_2
      (1, False)

    Reference: `read_squad_examples` in the original's squad_utils.py.
    """
    report, examples, seen = Report(), [], set()
    for a, article in enumerate(_get(read_json(path), "data", list, path)):
        for p, paragraph in enumerate(_get(article, "paragraphs", list, f"{path}: data[{a}]")):
            location = f"{path}: data[{a}].paragraphs[{p}]"
            context = _get(paragraph, "context", str, location)
            for q, qa in enumerate(_get(paragraph, "qas", list, location)):
                example = _example(qa, context, f"{location}.qas[{q}]")
                if example.guid in seen:
                    raise ValueError(
                        "Ids of questions must be unique: predictions are stored by them. "
                        f"Received: {location}.qas[{q}]: {example.guid!r} again."
                    )
                seen.add(example.guid)
                if any(not context.startswith(text, start) for text, start in example.answers):
                    report.add(MISPLACED, example.guid)
                flagged = "is_impossible" in qa and "answers" in qa
                if flagged and example.is_impossible == bool(example.answers):
                    report.add(CONTRADICTING, example.guid)
                examples.append(example)
    return SquadSet(examples, [path], report)


def _example(qa, context, location):
    answers = tuple(
        (
            _get(answer, "text", str, f"{location}.answers"),
            _get(answer, "answer_start", int, f"{location}.answers"),
        )
        for answer in (_get(qa, "answers", list, location) if "answers" in qa else ())
    )
    if any(start < 0 for _, start in answers):
        raise ValueError(f"answer_start must not be negative. Received: {location}: {answers}.")
    guid, question = _get(qa, "id", str, location), _get(qa, "question", str, location)
    is_impossible = qa.get("is_impossible", False)
    if not isinstance(is_impossible, bool):
        raise ValueError(
            "is_impossible must be true or false. Received: "
            f"{location}: {guid!r} with is_impossible={is_impossible!r:.80}. A text such as "
            '"false" would count as true: write the JSON value.'
        )
    return SquadExample(guid, question, context, answers, is_impossible)


def _get(value, name, kind, location):
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(found, kind):
        raise ValueError(
            f"SQuAD's format must have {name!r}, a {kind.__name__}, here. "
            f"Received: {location}: {name}={found!r:.80}. The format is "
            "{data: [{paragraphs: [{context, qas: [{id, question, answers: [{text, answer_start}]"
            "}]}]}]}."
        )
    return found
