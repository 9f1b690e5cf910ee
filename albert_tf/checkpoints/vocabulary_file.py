"""Finds the SentencePiece model that lies with a checkpoint."""

import pathlib

_FOLDERS = ("", "assets", "assets/tokenizer")
_ENDINGS = (".model", ".spm")


def find_vocabulary(path):
    """The SentencePiece model in a checkpoint's directory.

    Args:
      path: `Checkpoint.path`: a directory, a file, or the prefix of files.

    Returns:
      pathlib.Path, or None if there is no such file or more than one.
    """
    path = pathlib.Path(path)
    directory = path if path.is_dir() else path.parent
    if directory.name == "variables":
        directory = directory.parent
    files = [
        file
        for folder in _FOLDERS
        if (directory / folder).is_dir()
        for file in sorted((directory / folder).iterdir())
        if file.suffix in _ENDINGS and file.is_file()
    ]
    return files[0] if len(files) == 1 else None
