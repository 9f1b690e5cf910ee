"""RACE: reading comprehension with four options, in the layouts in which it is found."""

import pathlib
import re

from albert_tf._types import Path
from albert_tf.data.report import Report
from albert_tf.data.tasks.examples import ExampleSet, MultipleChoiceExample
from albert_tf.data.tasks.metrics import accuracy
from albert_tf.data.tasks.tables import parse_json, read_lines

LABELS = ("A", "B", "C", "D")
LEVELS = ("middle", "high")
FIELDS = {"article": str, "questions": list, "options": list, "answers": list, "id": str}


def read(data_dir: Path, split: str, level: str | None = None) -> ExampleSet:
    """Reads a split of RACE.

    Three layouts: one file a passage as distributed (`RACE/dev/middle/1011.txt`), one file a level
    as the original's code wants it (`RACE/dev/middle/all.txt`, a JSON object a line), and passages
    joined by level (`dev-middle.jsonl`).

    Args:
      data_dir: Folder that holds RACE, or RACE itself.
      split: "train", "dev" or "test".
      level: "middle" or "high"; None reads both, middle school first.

    Returns:
      `ExampleSet` of `MultipleChoiceExample`s, passages in the order of their file names' numbers;
      their guid is the passage's id, which its questions share.

    Raises:
      FileNotFoundError: If a level is in none of the layouts.
      ValueError: For a malformed passage, with file and line; if a folder has both all.txt and
        files of single passages, which would count passages twice.

    Example:
      >>> import json, pathlib, tempfile
      >>> from albert_tf.data.tasks.race import read
      >>> directory = pathlib.Path(tempfile.mkdtemp())
      >>> passage = {"id": "middle1.txt", "article": "The dog is black.", "answers": ["B"],
      ...            "questions": ["The dog is _ ."], "options": [["red", "black", "old", "big"]]}
      >>> _ = (directory / "dev-middle.jsonl").write_text(json.dumps(passage))
      >>> examples = read(directory, "dev", level="middle")
      >>> examples[0].options[examples[0].label]
      'black'

    Reference: `RaceProcessor` in the original's race_utils.py.
    """
    if level not in (None, *LEVELS):
        raise ValueError(f"level must be middle, high or None. Received: {level!r}.")
    report, examples, files = Report(), [], []
    for name in LEVELS if level is None else (level,):
        for path in _level_files(pathlib.Path(data_dir), split, name):
            files.append(path)
            for location, passage in _passages(path, report):
                examples.extend(_questions(passage, name, location))
    return ExampleSet(examples, files, LABELS, report)


def race_accuracy(examples, predictions):
    """Shares of right answers, fractions.

    Args:
      examples: `ExampleSet` of labeled `MultipleChoiceExample`s.
      predictions: Sequence of indices of options, one an example.

    Returns:
      dict {accuracy, accuracy_<level> for each level that there is} of float.
    """
    labels = [example.label for example in examples]
    scores = {"accuracy": accuracy(labels, predictions)}
    for level in dict.fromkeys(example.level for example in examples):
        rows = [i for i, example in enumerate(examples) if example.level == level]
        scores[f"accuracy_{level}"] = accuracy(
            [labels[i] for i in rows], [predictions[i] for i in rows]
        )
    return scores


def _level_files(data_dir, split, level):
    folders = [data_dir / "RACE" / split / level, data_dir / split / level]
    for folder in folders:
        files = sorted(folder.glob("*.txt"), key=_natural_order)
        if len(files) > 1 and (folder / "all.txt") in files:
            raise ValueError(
                "A folder of RACE must hold either all.txt or one file a passage. "
                f"Received: {folder} with both, so passages would count twice. Remove all.txt."
            )
        if files:
            return files
    joined = data_dir / f"{split}-{level}.jsonl"
    if joined.is_file():
        return [joined]
    raise FileNotFoundError(
        f"RACE must have passages of the split {split!r} and the level {level!r}. "
        f"Received: {data_dir}, where neither {folders[0]} nor {folders[1]} has .txt files and "
        f"{joined.name} is missing. If the other level is there, read that alone."
    )


def _natural_order(path):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]


def _passages(path, report):
    lines = list(read_lines(path, report))
    try:
        for number, line in lines:
            yield f"{path}:{number}", parse_json(line, path, number)
    except ValueError:
        if path.name == "all.txt" or path.suffix == ".jsonl" or len(lines) < 2:
            raise
        # One passage, written over several lines.
        yield f"{path}:1", parse_json("\n".join(line for _, line in lines), path)


def _questions(passage, level, location):
    for name, kind in FIELDS.items():
        if not isinstance(passage.get(name), kind):
            raise _malformed(location, f"{name!r} is {passage.get(name)!r:.80}")
    columns = passage["questions"], passage["options"], passage["answers"]
    if len({len(column) for column in columns}) != 1:
        raise _malformed(location, "questions, options and answers of different numbers")
    for number, (question, options, answer) in enumerate(zip(*columns)):
        if not isinstance(question, str):
            raise _malformed(location, f"question {number} is {question!r:.80}")
        if len(options) != len(LABELS) or not all(isinstance(option, str) for option in options):
            raise _malformed(location, f"question {number} has the options {options!r:.80}")
        if answer not in LABELS:
            raise _malformed(location, f"question {number} has the answer {answer!r:.80}")
        yield MultipleChoiceExample(
            passage["id"], passage["article"], question, tuple(options), LABELS.index(answer), level
        )


def _malformed(location, problem):
    return ValueError(
        "A RACE passage must have id, article, and for each question 4 options and an answer from "
        f"A to D. Received: {location}: {problem}."
    )
