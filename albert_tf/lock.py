"""One process at a time in a directory of outputs."""

import contextlib
import datetime
import errno
import json
import os
import pathlib
import socket
import warnings

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

NAME = ".lock"
_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


@contextlib.contextmanager
def locked(directory):
    """Holds a directory until the block ends, or the process, however it ends.

    The system holds the lock, not the file `.lock` that is there meanwhile: after SIGKILL or a
    crash of the machine nothing needs to be deleted. On network file systems it holds between
    machines where they pass locks on: NFS does unless it is mounted with `nolock` or `local_lock`,
    Lustre if it is mounted with `flock`; buckets that are mounted as folders do not. Where there
    are no such locks, as on Windows, a warning says so and nothing is held.

    Args:
      directory: Local path; it is made if it is not there.

    Raises:
      BlockingIOError: Another process, or another call in this one, holds the directory.
      FileExistsError: There is a file of that name.

    Example:

    >>> import os, tempfile
    >>> directory = tempfile.mkdtemp()
    >>> with locked(directory):
    ...     os.listdir(directory)
    ['.lock']

    Reference: flock(2).
    """
    directory = pathlib.Path(directory)
    if directory.exists() and not directory.is_dir():
        raise FileExistsError(f"The output must be a directory. Received: the file {directory}.")
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / NAME
    with _acquired(path) as file:
        now = datetime.datetime.now().isoformat(" ", "seconds")
        holder = {"process": os.getpid(), "host": socket.gethostname(), "since": now}
        file.truncate(0)
        file.write(json.dumps(holder))
        file.flush()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                path.unlink()  # While it is held; see `_acquired`.


def holder(directory):
    """What the process that holds a directory has written about itself: str; "" if none does."""
    try:
        return (pathlib.Path(directory) / NAME).read_text(encoding="utf-8")
    except OSError:
        return ""


def _acquired(path):
    while True:
        file = open(path, "a", encoding="utf-8")
        try:
            if fcntl is None:
                raise OSError(errno.ENOSYS, "no file locks")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                warnings.warn(
                    f"{path.parent} is not locked ({error.strerror}): see to it that no other "
                    "process writes into it.",
                    RuntimeWarning,
                    stacklevel=4,
                )
                return file
            file.close()
            if not isinstance(error, BlockingIOError):
                raise
            raise BlockingIOError(
                "Only one process at a time may write into a directory. Received: "
                f"{path.parent}, held by {_described(path)}. Wait for that process or end it, or "
                "choose another directory. The lock ends with its process: there is nothing to "
                "delete."
            ) from None
        try:  # The one who held it before may have removed the file since it was opened.
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return file
        except FileNotFoundError:
            pass
        file.close()


def _described(path):
    try:
        found = json.loads(holder(path.parent))
        return f"process {found['process']} on {found['host']} since {found['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
