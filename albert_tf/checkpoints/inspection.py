"""What a checkpoint is and holds, and what it lacks for which use; builds no model."""

import dataclasses
import hashlib
import math
import pathlib

from albert_tf._types import Path
from albert_tf.checkpoints.files.bundle import data_files, index_file
from albert_tf.checkpoints.matching import match
from albert_tf.checkpoints.names.flavors import describe, rules
from albert_tf.checkpoints.names.table import PARTS
from albert_tf.checkpoints.read import read
from albert_tf.checkpoints.restore import complete_config
from albert_tf.checkpoints.vocabulary_file import find_vocabulary
from albert_tf.config import AlbertConfig


@dataclasses.dataclass(frozen=True)
class StoredFile:
    """A file of a checkpoint.

    Attributes:
      name: Relative to the checkpoint's directory.
      num_bytes: Its size.
      sha256: Its checksum in hexadecimal digits.
    """

    name: str
    num_bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class Inspection:
    """The answer of `inspect`.

    Attributes:
      checkpoint: The `Checkpoint`, with its configuration if that is complete.
      description: Its flavor, in words.
      purposes: {name of a tensor: what it is restored to, or why it is not}.
      parameters: Number of values that are ALBERT's.
      num_bytes: Bytes of all tensors as stored.
      files: [`StoredFile`, ...].
      lacking: {use: what is missing for it, or None where nothing is}.
    """

    checkpoint: object
    description: str
    purposes: dict
    parameters: int
    num_bytes: int
    files: list
    lacking: dict


def inspect(path: Path, config: AlbertConfig | Path | None = None) -> Inspection:
    """Looks at a checkpoint without loading it.

    Args:
      path: As for `read`.
      config: As for `read`.

    Returns:
      An `Inspection`.

    Raises:
      FileNotFoundError, ValueError: As `read`.

    Example:

    >>> from albert_tf.checkpoints.inspection import inspect
    >>> inspect("albert_tiny_en").lacking["encoder"] is None
    True
    """
    checkpoint = read(path, config)
    needs = None
    if checkpoint.config is None:
        try:
            checkpoint = complete_config(checkpoint, {})
        except FileNotFoundError as error:
            needs = str(error)
    lacking, purposes, parameters = {}, dict(checkpoint.ignored), 0
    if needs is None:
        for part, words in PARTS.items():
            lacking[words] = _lacking(checkpoint, part)
        table = rules(checkpoint.config, checkpoint.flavor)
        for rule in table:
            if rule.stored_name in checkpoint.tensors and rule.stored_name not in purposes:
                purposes[rule.stored_name] = rule.name
                parameters += math.prod(rule.shape)
    else:
        lacking = dict.fromkeys(PARTS.values(), needs)
    if find_vocabulary(checkpoint.path) is None:
        lacking["text to ids"] = "its vocabulary (--sp_model or --vocab_file)"
    return Inspection(
        checkpoint=checkpoint,
        description=describe(checkpoint.flavor),
        purposes={name: purposes.get(name, "unknown") for name in checkpoint.tensors},
        parameters=parameters,
        num_bytes=sum(_num_bytes(spec) for spec in checkpoint.tensors.values()),
        files=_files(checkpoint.path),
        lacking=lacking,
    )


def _lacking(checkpoint, part):
    """What is missing for the encoder, or for a head beside it; None if nothing."""
    table, report = match(checkpoint, ["encoder"] if part == "encoder" else ["encoder", part])
    if part not in {rule.part for rule in table}:
        return "its weights are not in the checkpoint"
    wrong = [*report.missing, *report.unused, *report.mismatched]
    if not wrong:
        return None
    names = ", ".join(wrong[:5]) + (", ..." if len(wrong) > 5 else "")
    return (
        f"{len(report.missing)} missing, {len(report.unused)} unused, {len(report.mismatched)} "
        f"mis-shaped: {names}"
    )


def _num_bytes(spec):
    from tensorflow import as_dtype

    try:
        size = as_dtype(spec.dtype).size
    except TypeError:
        size = 0
    return math.prod(spec.shape) * (size or 0)


def _files(path):
    """The checkpoint's files: all of a directory, or those that belong to a file or prefix."""
    path = pathlib.Path(path)
    if path.is_dir():
        directory, files = path, sorted(file for file in path.rglob("*") if file.is_file())
    else:
        directory = path.parent
        files = [index_file(path), *data_files(path)] if not path.exists() else [path]
        stem = path.name.split(".")[0]
        files += sorted(directory.glob(f"{stem}-*-of-*")) if path.exists() else []
        files += sorted(directory.glob("*config*.json"))
    return [
        StoredFile(str(file.relative_to(directory)), file.stat().st_size, _sha256(file))
        for file in dict.fromkeys(files)
    ]


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
