"""Unpacks a .tar.gz or .zip of a checkpoint, such as Google's albert_base_v2.tar.gz."""

import pathlib
import stat
import tarfile
import tempfile
import zipfile
import zlib

# ALBERT xxlarge has 0.9 GB, three times that with an optimizer's slots.
MOST_BYTES = 8 << 30
MOST_FILES = 1000
_CHUNK = 1 << 20

# Unpacked checkpoints are read as long as the program runs; then they are deleted.
_DIRECTORIES = {}


def is_archive(path):
    """Whether a file is called like an archive and is none of the formats that are zip inside."""
    endings = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")
    return path.is_file() and path.name.lower().endswith(endings)


def unpack(path):
    """Unpacks an archive into a temporary directory that lives as long as the program.

    Only plain files and directories below that directory are written: an archive with links,
    devices, absolute paths or `..` is refused, and so is one of more than `MOST_BYTES`.

    Args:
      path: pathlib.Path of the archive.

    Returns:
      pathlib.Path of the directory with the checkpoint: the archive's own where it has but one.

    Raises:
      ValueError: The archive is damaged, or not safe to unpack. Nothing of it is left then.

    Example:

    >>> import pathlib, shutil, tempfile
    >>> from albert_tf import albert_tiny_en
    >>> from albert_tf.checkpoints.archives import unpack
    >>> name = tempfile.mkdtemp() + "/albert"
    >>> archive = shutil.make_archive(name, "gztar", albert_tiny_en.CHECKPOINT)
    >>> (unpack(pathlib.Path(archive)) / "config.json").is_file()
    True
    """
    facts = path.stat()
    key = (str(path.resolve()), facts.st_mtime_ns, facts.st_size)
    if key not in _DIRECTORIES:
        directory = tempfile.TemporaryDirectory(prefix="albert-")
        try:
            _unpack_into(path, pathlib.Path(directory.name))
        except BaseException:
            directory.cleanup()
            raise
        _DIRECTORIES[key] = directory
    directory = pathlib.Path(_DIRECTORIES[key].name)
    entries = [entry for entry in directory.iterdir() if entry.name != "__MACOSX"]
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else directory


def _unpack_into(path, directory):
    written = 0
    try:
        for number, (name, is_directory, open_member) in enumerate(_members(path)):
            if number >= MOST_FILES:
                raise _unsafe(path, f"more than {MOST_FILES} files")
            target = _inside(path, directory, name)
            if is_directory:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with open_member() as source, open(target, "xb") as file:
                while chunk := source.read(_CHUNK):
                    written += len(chunk)
                    if written > MOST_BYTES:
                        raise _unsafe(path, f"more than {MOST_BYTES} bytes")
                    file.write(chunk)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise ValueError(
            f"An archive must be readable. Received: {str(path)!r} ({error}). Download it again, "
            "or unpack it yourself and pass the directory."
        ) from error


def _members(path):
    """Yields (name, whether it is a directory, function that opens it), one after the other."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise _unsafe(path, f"{info.filename!r}, no plain file")
                yield info.filename, info.is_dir(), lambda info=info: archive.open(info)
        return
    # A stream: a compressed archive's list of members would cost decompressing all of it.
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            if not (member.isreg() or member.isdir()):
                raise _unsafe(path, f"{member.name!r}, no plain file")
            yield member.name, member.isdir(), lambda member=member: archive.extractfile(member)


def _inside(path, directory, name):
    parts = pathlib.PurePosixPath(name.replace("\\", "/")).parts
    if not parts or ".." in parts or parts[0] == "/" or ":" in parts[0] or "\0" in name:
        if name.strip("./"):
            raise _unsafe(path, f"{name!r}, a path that leads out of it")
    return directory.joinpath(*parts)


def _unsafe(path, what):
    return ValueError(
        "An archive of a checkpoint must hold plain files below its own directory, and not too "
        f"many. Received: {str(path)!r} with {what}. Unpack it yourself if you trust it, and pass "
        "the directory."
    )
