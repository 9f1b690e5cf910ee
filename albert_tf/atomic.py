"""Writing a directory or a file so that a failure leaves no half of it and spoils no older one."""

import contextlib
import errno
import fnmatch
import os
import pathlib
import re
import secrets
import shutil

_REMAINS = re.compile(r"\.(.+)\.[0-9a-f]{8}\.(partial|old)")
# What a SavedModel's directory has, `saved_model.pb` for certain: see `replacing_directory`.
SAVED_MODEL = (
    *("saved_model.pb", "variables", "assets", "assets.extra"),
    *("fingerprint.pb", "keras_metadata.pb"),
)
_OF_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)

# === What replaces whatever is there ===


@contextlib.contextmanager
def new_directory(path):
    """Yields a new directory beside `path` that becomes `path` if the block succeeds.

    All of it is on the disk before it gets its name. On any failure, Ctrl-C included, the new
    directory is removed and what was at `path` stays. A killed process may leave a hidden
    `.<name>.<random>.partial` behind; it blocks nothing, and `remove_remains` removes it.

    Args:
      path: Local path of the directory. Its parents are created.

    Yields:
      pathlib.Path of an empty directory to write into.

    Raises:
      ValueError: If `path` is a URL.
      OSError: If it cannot be written, with its path.
    """
    target = local_path(path)
    partial, old = _hidden(target, "partial"), _hidden(target, "old")
    with _naming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
        try:
            yield partial
            for folder, _, names in os.walk(partial):
                for name in names:
                    _to_disk(os.path.join(folder, name))
                _to_disk(folder)
            if target.exists():
                os.rename(target, old)
            os.rename(partial, target)
            _to_disk(target.parent)
        except BaseException:
            if old.exists() and not target.exists():
                os.rename(old, target)
            shutil.rmtree(partial, ignore_errors=True)
            raise
        shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def new_file(path):
    """Yields the path of a file beside `path`, to be written, that becomes `path` if all succeeds.

    As `new_directory` otherwise.

    Yields:
      pathlib.Path of a file that does not exist yet.
    """
    target = local_path(path, "file")
    partial = _hidden(target, "partial")
    with _naming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            _to_disk(partial)
            os.replace(partial, target)
            _to_disk(target.parent)
        finally:
            partial.unlink(missing_ok=True)


def write_file(path, content):
    """Writes str (as UTF-8) or bytes to `path`, as `new_file`."""
    with new_file(path) as file:
        file.write_bytes(content.encode() if isinstance(content, str) else content)


def remove_remains(directory):
    """Removes what killed processes have left in a directory that no other process writes into."""
    for path in pathlib.Path(directory).glob(".*"):
        name = _REMAINS.fullmatch(path.name)
        if name and name[2] == "old" and not path.with_name(name[1]).exists():
            os.rename(path, path.with_name(name[1]))  # Killed between two renames.
        elif name:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def is_remains(name):
    """Whether a file's name is one that `remove_remains` removes."""
    return bool(_REMAINS.fullmatch(name))


# === What replaces an earlier output only if it may ===


@contextlib.contextmanager
def replacing_directory(path, overwrite=False, written=SAVED_MODEL, inputs=()):
    """As `new_directory`, for an output of the user's that must not cost anything else.

    Args:
      path: Local path of the output directory. Its parents are created.
      overwrite: Whether an existing output is replaced: it stays until the new one is complete.
      written: Names, such as "*.model", of what the output may have. An existing directory is
        replaced if it has the first of them and nothing else than these, or is empty, so that a
        mistyped path cannot cost more than an earlier output.
      inputs: Paths that are read to make the output; it must neither be nor contain one.

    Yields:
      pathlib.Path of an empty directory to write into.

    Raises:
      FileExistsError: Before the block runs, if `path` exists and may not be replaced.
      ValueError: If `path` is a URL, or has an input.

    Example:
      >>> import pathlib, tempfile
      >>> from albert_tf.atomic import replacing_directory
      >>> path = pathlib.Path(tempfile.mkdtemp(), "exported")
      >>> with replacing_directory(path) as directory:
      ...     _ = (directory / "saved_model.pb").write_bytes(b"...")
      ...     path.exists()
      False
      >>> path.exists()
      True
    """
    target = refuse_existing(path, overwrite, written, inputs)
    with new_directory(target) as partial:
        yield partial
        refuse_existing(target, overwrite, written)  # It may have appeared meanwhile.


def refuse_existing(path, overwrite=False, written=SAVED_MODEL, inputs=()):
    """Raises where `replacing_directory` with these arguments would; for checks before long work.

    Returns:
      pathlib.Path: `path`, absolute and without symbolic links.
    """
    target = local_path(path)
    for source in map(os.path.realpath, inputs):
        if target in (pathlib.Path(source), *pathlib.Path(source).parents):
            raise ValueError(
                f"The output must neither be nor contain what it is made of. Received: {path}, "
                f"with the input {source}. Choose another output."
            )
    if not target.exists():
        return target
    _refuse_unless(overwrite, path)
    names = sorted(os.listdir(target)) if target.is_dir() else []
    if not target.is_dir() or (names and not (target / written[0]).exists()):
        raise FileExistsError(
            f"Only an earlier output (a directory with {written[0]}) can be overwritten. "
            f"Received: {path}. Choose another path, or remove it yourself."
        )
    others = [name for name in names if not any(fnmatch.fnmatch(name, p) for p in written)]
    if others:
        raise FileExistsError(
            "Only what an earlier call has written can be overwritten. Received: "
            f"{path}, which also has {', '.join(others[:3])}{', ...' if others[3:] else ''}. "
            "Choose another path, or move these files away."
        )
    return target


@contextlib.contextmanager
def replacing_file(path, overwrite=False, kind="file", identifier=b"", offset=0):
    """As `new_file`, for an output of the user's that must not cost anything else.

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
      >>> from albert_tf.atomic import replacing_file
      >>> path = pathlib.Path(tempfile.mkdtemp(), "albert.tflite")
      >>> with replacing_file(path) as file:
      ...     _ = file.write_bytes(b"...")
      ...     path.exists()
      False
      >>> path.read_bytes()
      b'...'
    """
    target = refuse_existing_file(path, overwrite, kind, identifier, offset)
    with new_file(target) as partial:
        yield partial
        refuse_existing_file(target, overwrite, kind, identifier, offset)


def refuse_existing_file(path, overwrite=False, kind="file", identifier=b"", offset=0):
    """Raises where `replacing_file` with these arguments would; for checks before long work.

    Returns:
      pathlib.Path: `path`, absolute and without symbolic links.
    """
    target = local_path(path, "file")
    if not target.exists():
        return target
    _refuse_unless(overwrite, path)
    if not target.is_file() or not _has(target, identifier, offset):
        raise FileExistsError(
            f"Only an earlier output (a {kind}) can be overwritten. "
            f"Received: {path}. Choose another path, or remove it yourself."
        )
    return target


def local_path(path, what="directory"):
    """The one check of everything that is written with the functions for local files.

    Args:
      path: str or path-like.
      what: "directory" or "file".

    Returns:
      pathlib.Path: `path`, absolute and without symbolic links.

    Raises:
      ValueError: If `path` is empty or a URL, which would become a local folder named "gs:".
    """
    path = os.fspath(path)
    if not path or re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", path):  # pathlib makes gs:/ of gs://.
        raise ValueError(
            f"The output must be the path of a local {what}. Received: {path!r}. Write to a local "
            "path, or to a bucket that is mounted as a folder, and copy it. Only `albert-tf "
            "pretraining-data-beam` writes to gs://, s3:// and hdfs:// itself."
        )
    return pathlib.Path(os.path.realpath(path))


def _hidden(target, kind):
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.{kind}")


def _to_disk(path):
    """Waits until a file or the entries of a directory are stored."""
    if os.name == "nt":  # There, it needs a file that is open for writing, and no directory.
        return
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextlib.contextmanager
def _naming(target):
    """Names the output in errors of the system that name no file, as of a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno not in _OF_DISKS or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(target)) from error


def _refuse_unless(overwrite, path):
    if not overwrite:
        raise FileExistsError(
            f"The output must not exist yet. Received: {path}. Choose another path, or allow to "
            "replace it (overwrite=True, on the command line --overwrite)."
        )


def _has(file, identifier, offset):
    with open(file, "rb") as opened:
        return opened.read(offset + len(identifier))[offset:] == identifier
