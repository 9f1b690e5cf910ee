import errno
import os
import signal
import subprocess
import sys
import threading

import pytest

from albert_tf import lock
from albert_tf.lock import holder, locked
from tests.conftest import TESTS

PROGRAM = """
import sys, time
from albert_tf.lock import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


def start(directory):
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(directory)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_another_process_is_refused_and_a_killed_one_leaves_nothing_that_holds(tmp_path):
    process = start(tmp_path / "run")
    try:
        message = f"Only one process at a time .* held by process {process.pid} on .* since 2"
        with pytest.raises(BlockingIOError, match=message):
            with locked(tmp_path / "run"):
                raise AssertionError("held twice")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert (tmp_path / "run" / ".lock").exists()
    with locked(tmp_path / "run"):
        assert str(os.getpid()) in holder(tmp_path / "run")
    assert os.listdir(tmp_path / "run") == [] and holder(tmp_path / "run") == ""


def test_another_call_of_this_process_is_refused(tmp_path):
    with locked(tmp_path):
        with pytest.raises(BlockingIOError, match=f"process {os.getpid()} on"), locked(tmp_path):
            pass
    with pytest.raises(KeyError), locked(tmp_path):
        raise KeyError
    with locked(tmp_path):
        pass


def test_only_one_of_many_holds_it_at_a_time(tmp_path):
    """Files come and go: a lock on a file that is gone must not count."""
    inside, held, errors = [], [], []

    def work():
        while len(held) < 100:
            try:
                with locked(tmp_path):
                    inside.append(None)
                    if len(inside) != 1:
                        errors.append(len(inside))
                    held.append(None)
                    inside.pop()
            except BlockingIOError:
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and len(held) >= 100


def test_without_locks_there_is_a_warning(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock.fcntl, "flock", flock)
    with pytest.warns(RuntimeWarning, match="is not locked .No locks available.: see to it"):
        with locked(tmp_path):
            pass


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(FileExistsError, match="must be a directory. Received: the file"):
        with locked(tmp_path / "out"):
            pass
