"""Unpacks a .tar.gz or .zip of a checkpoint, such as Google's albert_base_v2.tar.gz."""

import bz2
import errno
import gzip
import pathlib
import stat
import tarfile
import tempfile
import zipfile

from albert_tf.checkpoints.files.tar_stream import TarStream
from albert_tf.checkpoints.files.xz_file import XzFile
from albert_tf.checkpoints.files.zip_file import CHUNK, BoundedFile, check_number_of_members
from albert_tf.messages import brief

# ALBERT xxlarge has 0.9 GB, three times that with an optimizer's slots. Weights hardly get smaller
# by compression: what unfolds to much more than its size is no checkpoint.
MOST_BYTES = 8 << 30
_MOST_RATIO = 100
_ALWAYS_ALLOWED_BYTES = 256 << 20
MOST_FILES = 1000
_MOST_DEPTH = 32
_COMPRESSIONS = ((b"\x1f\x8b", gzip.GzipFile), (b"BZh", bz2.BZ2File), (b"\xfd7zXZ", XzFile))
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

# Unpacked checkpoints are read as long as the program runs; then they are deleted.
_DIRECTORIES = {}


class _Refused(Exception):
    """What is wrong with an archive that is not damaged."""


def is_archive(path):
    """Whether a file is called like an archive and is none of the formats that are zip inside."""
    endings = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")
    return path.is_file() and path.name.lower().endswith(endings)


def unpack(path):
    """Unpacks an archive into a temporary directory that lives as long as the program.

    Only plain files and directories below that directory are written: an archive with links,
    devices, absolute paths or `..` is refused, and so is one of more than `MOST_BYTES`. All
    checksums of the archive are compared, to its very end.

    Args:
      path: pathlib.Path of the archive.

    Returns:
      pathlib.Path of the directory with the checkpoint: the archive's own where it has but one.

    Raises:
      ValueError: The archive is damaged, or not safe to unpack. Nothing of it is left then.
      OSError: The temporary directory has no room for it.

    Example:

    >>> import pathlib, shutil, tempfile
    >>> from albert_tf import albert_tiny_en
    >>> from albert_tf.checkpoints.files.archives import unpack
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
            _unpack_into(path, pathlib.Path(directory.name).resolve())
        except BaseException:
            directory.cleanup()
            raise
        _DIRECTORIES[key] = directory
    directory = pathlib.Path(_DIRECTORIES[key].name)
    entries = [entry for entry in directory.iterdir() if entry.name != "__MACOSX"]
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else directory


def _unpack_into(path, directory):
    try:
        _write_members(path, directory)
    except _Refused as refusal:
        raise ValueError(
            "An archive of a checkpoint must hold plain files below its own directory, and not too "
            f"many. Received: {str(path)!r} with {refusal}. Unpack it yourself if you trust it, "
            "and pass the directory."
        ) from None
    except Exception as error:  # Of a dozen classes, by the place of the damage.
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OSError(
                error.errno,
                f"An archive needs room for its content in the temporary directory. Received: "
                f"{str(path)!r}, unpacked to {str(directory)!r}. Set TMPDIR to a directory with "
                "more room, or unpack it yourself and pass the directory",
            ) from error
        raise ValueError(
            f"An archive must be readable. Received: {str(path)!r} ({type(error).__name__}: "
            f"{str(error)[:200]}). Download it again, or unpack it yourself and pass the directory."
        ) from error


def _write_members(path, directory):
    ratio_limit = max(_ALWAYS_ALLOWED_BYTES, _MOST_RATIO * path.stat().st_size)
    most, written = min(MOST_BYTES, ratio_limit), 0
    for number, (name, is_directory, open_member) in enumerate(_members(path)):
        if number >= MOST_FILES:
            raise _Refused(f"more than {MOST_FILES} files")
        target = _inside(directory, name)
        if is_directory:
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with open_member() as source, open(target, "xb") as file:
            while chunk := source.read(CHUNK):
                written += len(chunk)
                if written > most:
                    raise _Refused(f"more than {most} bytes")
                file.write(chunk)


def _members(path):
    """Yields (name, whether it is a directory, function that opens it), one after the other."""
    with open(path, "rb") as file:
        start = file.read(6)
    # By its first bytes: an uncompressed .tar may end in a member that is a zip.
    yield from _zip_members(path) if start.startswith(b"PK") else _tar_members(path, start)


def _zip_members(path):
    with BoundedFile(path) as file, zipfile.ZipFile(file) as archive:
        check_number_of_members(file, archive)
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _Refused(f"{brief(info.filename)}, no plain file")
            if info.flag_bits & 1 or info.compress_type not in _METHODS:
                raise _Refused(f"{brief(info.filename)}, encrypted or compressed in a rare way")
            # Reading it to its end compares the checksum.
            yield info.filename, info.is_dir(), lambda info=info: archive.open(info)


def _tar_members(path, start):
    opened = next((open_ for magic, open_ in _COMPRESSIONS if start.startswith(magic)), open)
    with opened(path, "rb") as file:
        stream = TarStream(file)
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            for member in stream.members(archive):
                if not (member.isreg() or member.isdir()):
                    raise _Refused(f"{brief(member.name)}, no plain file")
                yield member.name, member.isdir(), lambda m=member: archive.extractfile(m)


def _inside(directory, name):
    parts = pathlib.PurePosixPath(name.replace("\\", "/")).parts
    # "//abs" keeps both slashes as its first part; on Windows, "C:" leads elsewhere.
    outside = ".." in parts or "\0" in name or any(set(part) & set("/:") for part in parts[:1])
    target = directory.joinpath(*parts)
    if outside or not target.is_relative_to(directory):
        raise _Refused(f"{brief(name)}, a path that leads out of it")
    if len(parts) > _MOST_DEPTH:
        raise _Refused(f"{brief(name)}, {len(parts)} directories deep")
    return target
