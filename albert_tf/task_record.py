"""task.json: what a model was trained for and on which text, beside its weights.

Runs and the Hugging Face directories that this package writes have one. Its keys are those of
`task()` in the SavedModels of task models, and `labels`:

  task: what the model answers, such as "classification" or "multi_label".
  rules: the text rules of its training; see `albert_tf.text.rules`.
  problem_type, labels, text_inputs, seq_length, thresholds, ...: the task's own.
"""

import json
import pathlib

from albert_tf.atomic import write_file
from albert_tf.config_files import read_json_object

FILE = "task.json"


def read_task(*directories):
    """The record in the first of some directories that has one.

    Args:
      *directories: Paths.

    Returns:
      dict; {} if there is no record.

    Raises:
      ValueError: A record is no JSON object.
    """
    for directory in directories:
        path = pathlib.Path(directory) / FILE
        if path.is_file():
            return read_json_object(path)
    return {}


def write_task(directory, record):
    """Writes a record into a directory, in one step.

    Args:
      directory: Path of an existing directory.
      record: dict for JSON.
    """
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    write_file(pathlib.Path(directory) / FILE, text)


def recorded_rules(model):
    """The text rules that the checkpoint of a live model was trained with, or None if not known.

    Args:
      model: An `AlbertEncoder` or `AlbertPretrainer`.
    """
    for part in (model, getattr(model, "encoder", None)):
        report = getattr(part, "restore_report", None)
        if report is not None and "rules" in report.task:
            return report.task["rules"]
    return None
