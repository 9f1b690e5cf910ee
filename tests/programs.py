"""Runs Python programs like `subprocess.run`, without the seconds that importing TensorFlow takes.

`python -m tests` keeps a process that has imported TensorFlow and Keras, started neither and knows
nothing of albert_tf: each program runs in a fork of it. Programs whose subject is the import
itself, or what TensorFlow then says, are started as ever; and so are all without such a process.
"""

import importlib
import json
import multiprocessing
import multiprocessing.connection
import os
import runpy
import socket
import subprocess
import sys
import tempfile
import types
import warnings

SERVER = "ALBERT_TF_TEST_PROGRAMS"  # Environment variable: the socket where that process listens.


def run(command, cwd=None, env=None, text=False, check=False):
    """`subprocess.run` of `[sys.executable, ...]` with `capture_output=True, stdin=DEVNULL`."""
    command = [str(argument) for argument in command]
    assert command[0] == sys.executable
    if SERVER in os.environ:
        process = _ask(command, str(cwd or os.getcwd()), dict(os.environ if env is None else env))
    else:
        pipes = {"stdin": subprocess.DEVNULL, "capture_output": True}
        process = subprocess.run(command, cwd=cwd, env=env, **pipes)
    if text:
        process.stdout, process.stderr = process.stdout.decode(), process.stderr.decode()
    assert not check or process.returncode == 0, process.stderr
    return process


def _ask(command, cwd, env):
    files = [tempfile.TemporaryFile(), tempfile.TemporaryFile()]
    with files[0], files[1], socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ[SERVER])
        request = json.dumps([command[1:], cwd, env]).encode() + b"\n"
        socket.send_fds(connection, [request], [file.fileno() for file in files])
        status = int(connection.makefile().read())
        for file in files:
            file.seek(0)
        return subprocess.CompletedProcess(command, status, *(file.read() for file in files))


class Server:
    """Forks this process into the one that programs run in forks of."""

    def __init__(self, path):
        context = multiprocessing.get_context("fork")
        stop, self._end = context.Pipe(duplex=False)
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(path)
        listening.listen()
        self._process = context.Process(target=_serve, args=(listening, stop, self._end))
        self._process.start()
        listening.close()
        stop.close()
        os.environ[SERVER] = path

    def close(self):
        self._end.close()
        self._process.join()


def _serve(listening, stop, end):
    end.close()
    for descriptor in range(3):
        os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
    # See tests/conftest.py. It is set, and nothing is started.
    tf = importlib.import_module("tensorflow")
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    fork = multiprocessing.get_context("fork")
    running = {}
    while True:
        for ready in multiprocessing.connection.wait([listening, stop, *running]):
            if ready is stop:
                return
            if ready is listening:
                connection, _ = listening.accept()
                message, descriptors, *_ = socket.recv_fds(connection, 1 << 16, 2)
                while not message.endswith(b"\n"):
                    message += connection.recv(1 << 16)
                process = fork.Process(target=_execute, args=(descriptors, *json.loads(message)))
                process.start()
                running[process.sentinel] = process, connection
                for descriptor in descriptors:
                    os.close(descriptor)
            else:
                process, connection = running.pop(ready)
                process.join()
                connection.sendall(str(process.exitcode).encode())
                connection.close()


def _execute(descriptors, command, cwd, env):
    """Does what `python *command` does."""
    for standard, descriptor in enumerate(descriptors, start=1):
        os.dup2(descriptor, standard)
    sys.stdout, sys.stderr = (
        open(standard, "w", encoding="utf-8", closefd=False) for standard in (1, 2)
    )
    warnings.resetwarnings()  # pytest has filters of its own; these are Python's.
    for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.simplefilter("ignore", kind)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    program = command[0]
    folder = "" if program in ("-c", "-m") else os.path.dirname(os.path.abspath(program))
    further = [path for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [folder, *further, *(path for path in sys.path if path not in further)]
    if program == "-c":
        sys.argv = ["-c", *command[2:]]
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(command[1], "<string>", "exec"), main.__dict__)
    elif program == "-m":
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        runpy.run_path(program, run_name="__main__")
