"""Writing a directory or a file so that a failure leaves no half of it and spoils no older one."""

import contextlib
import os
import pathlib
import secrets
import shutil


@contextlib.contextmanager
def replacing_directory(path, overwrite=False, marker="saved_model.pb"):
    """Yields a new directory beside `path` that becomes `path` if the block succeeds.

    On any failure, Ctrl-C included, the new directory is removed and what was at `path` stays. A
    killed process may leave a hidden `.<name>.<random>.partial` behind; it blocks nothing.

    Args:
      path: Local path of the output directory. Its parents are created.
      overwrite: Whether an existing output is replaced: it stays until the new one is complete.
      marker: A file that an existing directory must contain to be replaced (or be empty), so that
        a mistyped path cannot cost more than an earlier output.

    Yields:
      pathlib.Path of an empty directory to write into.

    Raises:
      FileExistsError: Before the block runs, if `path` exists and may not be replaced.
      ValueError: If `path` is a URL.

    Example:
      >>> import pathlib, tempfile
      >>> from albert_tf.saved_model.atomic import replacing_directory
      >>> path = pathlib.Path(tempfile.mkdtemp(), "exported")
      >>> with replacing_directory(path) as directory:
      ...     _ = (directory / "saved_model.pb").write_bytes(b"...")
      ...     path.exists()
      False
      >>> path.exists()
      True
    """
    target = refuse_existing(path, overwrite, marker)
    target.parent.mkdir(parents=True, exist_ok=True)
    unique = f".{target.name}.{secrets.token_hex(4)}"
    partial, old = (target.with_name(f"{unique}.{kind}") for kind in ("partial", "old"))
    partial.mkdir()
    try:
        yield partial
        refuse_existing(target, overwrite, marker)  # It may have appeared meanwhile.
        if target.exists():
            os.rename(target, old)
        os.rename(partial, target)
    except BaseException:
        if old.exists() and not target.exists():
            os.rename(old, target)
        shutil.rmtree(partial, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def refuse_existing(path, overwrite=False, marker="saved_model.pb"):
    """Raises where `replacing_directory` with these arguments would; for checks before long work.

    Returns:
      pathlib.Path: `path`, absolute and without symbolic links.
    """
    target = _local(path, "directory")
    if not target.exists():
        return target
    _refuse_unless(overwrite, path)
    if not target.is_dir() or (any(target.iterdir()) and not (target / marker).is_file()):
        raise FileExistsError(
            f"Only an earlier output (a directory with {marker}) can be overwritten. "
            f"Received: {path}. Choose another path, or remove it yourself."
        )
    return target


@contextlib.contextmanager
def replacing_file(path, overwrite=False, kind="file", identifier=b"", offset=0):
    """Yields the path of a file beside `path`, to be written, that becomes `path` if all succeeds.

    As `replacing_directory` otherwise.

    Args:
      path: Local path of the output. The directories above it are created.
      overwrite: Whether an existing output is replaced: it stays until the new one is complete.
      kind: What the file is, in words.
      identifier: Bytes that an existing file must have at `offset` to be replaced.
      offset: int.

    Yields:
      pathlib.Path of a file that does not exist yet.

    Raises:
      FileExistsError: Before the block runs, if `path` exists and may not be replaced.
      ValueError: If `path` is a URL.

    Example:
      >>> import pathlib, tempfile
      >>> from albert_tf.saved_model.atomic import replacing_file
      >>> path = pathlib.Path(tempfile.mkdtemp(), "albert.tflite")
      >>> with replacing_file(path) as file:
      ...     _ = file.write_bytes(b"...")
      ...     path.exists()
      False
      >>> path.read_bytes()
      b'...'
    """
    target = refuse_existing_file(path, overwrite, kind, identifier, offset)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        yield partial
        refuse_existing_file(target, overwrite, kind, identifier, offset)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def refuse_existing_file(path, overwrite=False, kind="file", identifier=b"", offset=0):
    """Raises where `replacing_file` with these arguments would; for checks before long work.

    Returns:
      pathlib.Path: `path`, absolute and without symbolic links.
    """
    target = _local(path, "file")
    if not target.exists():
        return target
    _refuse_unless(overwrite, path)
    if not target.is_file() or not _has(target, identifier, offset):
        raise FileExistsError(
            f"Only an earlier output (a {kind}) can be overwritten. "
            f"Received: {path}. Choose another path, or remove it yourself."
        )
    return target


def _local(path, what):
    path = os.fspath(path)
    if not path or "://" in path:
        raise ValueError(f"The output must be the path of a local {what}. Received: {path!r}.")
    return pathlib.Path(os.path.realpath(path))


def _refuse_unless(overwrite, path):
    if not overwrite:
        raise FileExistsError(
            f"The output must not exist yet. Received: {path}. Choose another path, or allow to "
            "replace it (overwrite=True, on the command line --overwrite)."
        )


def _has(file, identifier, offset):
    with open(file, "rb") as opened:
        return opened.read(offset + len(identifier))[offset:] == identifier
