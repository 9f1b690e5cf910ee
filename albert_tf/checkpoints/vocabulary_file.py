"""Finds the vocabulary that lies with a checkpoint."""

import pathlib

from albert_tf.checkpoints.sources.training_state import FILE as TRAINING_STATE

_FOLDERS = ("", "assets", "assets/tokenizer")
_ENDINGS = (".model", ".spm")
_WORDPIECE = "vocab*.txt"


def find_vocabulary(path):
    """The vocabulary in a checkpoint's directory; for a training state, in its run's.

    A SentencePiece model, or where there is none a WordPiece vocabulary such as vocab.txt or
    vocab_chinese.txt.

    Args:
      path: `Checkpoint.path`: a directory, a file, or the prefix of files.

    Returns:
      pathlib.Path, or None if there is no such file or more than one.
    """
    path = pathlib.Path(path)
    directory = path if path.is_dir() else path.parent
    if directory.name == "variables":
        directory = directory.parent
    if (directory / TRAINING_STATE).is_file() and directory.parent.name == "states":
        directory = directory.parents[1]
    files = [
        file
        for folder in _FOLDERS
        if (directory / folder).is_dir()
        for file in sorted((directory / folder).iterdir())
        if file.is_file()
    ]
    models = [file for file in files if file.suffix in _ENDINGS]
    lists = [file for file in files if file.match(_WORDPIECE)]
    found = models or lists
    return found[0] if len(found) == 1 else None


def require_vocabulary(path):
    """`find_vocabulary`, or a ValueError that says what to pass; also for a `path` of None."""
    found = find_vocabulary(path) if path else None
    if found is None:
        where = f"with the checkpoint {path}" if path else "since there is no checkpoint"
        raise ValueError(
            "The vocabulary that the weights were trained with must be known. Received: none, and "
            f"there is not exactly one {where}. Pass `sp_model`, such as 30k-clean.model, or "
            "`vocab_file`, such as the vocab.txt of Chinese models."
        )
    return found
