"""Finds the SentencePiece model that lies with a checkpoint."""

import pathlib

from albert_tf.checkpoints.training_state import FILE as TRAINING_STATE

_FOLDERS = ("", "assets", "assets/tokenizer")
_ENDINGS = (".model", ".spm")


def find_vocabulary(path):
    """The SentencePiece model in a checkpoint's directory; for a training state, in its run's.

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
        if file.suffix in _ENDINGS and file.is_file()
    ]
    return files[0] if len(files) == 1 else None
