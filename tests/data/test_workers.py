import os
import subprocess
import sys

import pytest

from albert_tf.data.pretraining.workers import available_cores, run_tasks
from tests.conftest import TESTS

PROGRAM = """
import os, signal, sys
from albert_tf.data.pretraining.workers import run_tasks

class Unpicklable(Exception):
    def __init__(self):
        super().__init__("lambda")
        self.value = lambda: None

def job(task, report):
    if task == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "raise":
        raise Unpicklable
    report(task)
    return task * 2

if __name__ == "__main__":
    reported, done = [], {}
    tasks = [int(a) if a.isdigit() else a for a in sys.argv[1:]]
    try:
        run_tasks(job, tasks, 2, reported.append, done.__setitem__)
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
    print(sorted(reported), sorted(done.items()))
"""


def run(tmp_path, *tasks):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent)}
    return subprocess.run(
        [sys.executable, program, *map(str, tasks)], env=environment, capture_output=True, text=True
    )


def test_two_workers_do_all_tasks(tmp_path):
    assert run(tmp_path, 1, 2, 3, 4, 5).stdout == (
        "[1, 2, 3, 4, 5] [(1, 2), (2, 4), (3, 6), (4, 8), (5, 10)]\n"
    )


def test_a_worker_that_is_killed(tmp_path):
    finished = run(tmp_path, "kill", 1, 2)
    assert "ChildProcessError: A worker process died" in finished.stderr
    assert "no result for shard kill" in finished.stderr


def test_an_error_that_cannot_travel(tmp_path):
    assert "RuntimeError: Unpicklable in a worker: lambda" in run(tmp_path, "raise", 1).stderr


def test_in_this_process():
    done = {}
    run_tasks(lambda task, report: report(task), [1, 2], 1, print, done.__setitem__)
    assert done == {1: None, 2: None}
    with pytest.raises(ZeroDivisionError):
        run_tasks(lambda task, report: 1 / task, [0], 1, print, done.__setitem__)


def test_cores():
    assert 1 <= available_cores() <= os.cpu_count()
