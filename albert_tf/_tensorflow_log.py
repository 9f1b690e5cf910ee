"""Keeps TensorFlow's start-up lines from users who have not asked for them.

TF_CPP_MIN_LOG_LEVEL is what decides; `import albert_tf` only chooses its value where the user has
not. TensorFlow 2.21 logs a few lines before it reads that variable, about oneDNN and CUDA: they are
held back while it is imported, and those that the level lets through are then written.
"""

import contextlib
import ctypes
import faulthandler
import os
import re
import sys
import tempfile

from albert_tf._around_import import around_import

# "I0000 00:00:1796065033.417848    5288 port.cc:153] oneDNN custom operations are on."
_LINE = re.compile(rb"([IWEF])\d{4} [\d:.]+ +\d+ [^ ]+:\d+\] ")
_HEADER = b"WARNING: All log messages before absl::InitializeLog() is called"


def quiet_import():
    """Has TensorFlow log by TF_CPP_MIN_LOG_LEVEL from its import on; too late if it is imported."""
    if "tensorflow" not in sys.modules:
        around_import("tensorflow", _log_filtered)


def filter_log(text, level):
    """The lines of `text` (bytes) that TF_CPP_MIN_LOG_LEVEL=`level` lets through.

    What is not TensorFlow's log, such as a Python warning, always gets through.
    """

    if level == 0:
        return text

    def shown(line):
        match = _LINE.match(line)
        severity = b"IWEF".index(match[1]) if match else 3
        return severity >= min(level, 3) and not line.startswith(_HEADER)

    return b"".join(filter(shown, text.splitlines(keepends=True)))


@contextlib.contextmanager
def _log_filtered():
    level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", _default_level())
    level = int(level) if level.isdecimal() else 0  # As TensorFlow reads it.
    try:
        stderr = os.dup(2) if level else None
    except OSError:  # There is none.
        stderr = None
    if stderr is None:
        yield
        return
    # What is held back is lost if the process crashes; the crash itself must not pass in silence.
    watch = not faulthandler.is_enabled()
    if watch:
        faulthandler.enable(stderr)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            level = 0  # Any line may tell why.
            raise
        finally:
            if sys.stderr:
                sys.stderr.flush()
            os.dup2(stderr, 2)
            if watch:
                faulthandler.disable()
            os.close(stderr)
            held.seek(0)
            with open(2, "wb", closefd=False) as file:
                file.write(filter_log(held.read(), level))


def _default_level():
    """Warnings matter where there may be a GPU, which TensorFlow may leave unused for a reason.

    Without a driver, it calls an error that it found none: "failed call to cuInit".
    """
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "3"
    return "1"
