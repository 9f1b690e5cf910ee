"""The driver's side of a process that measures: see peers/serve.py."""

import contextlib
import json
import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time

PEERS = pathlib.Path(__file__).parent / "peers"


class NotMeasured(Exception):
    """A program gave no number; the message is the reason."""


class Worker:
    """A program of `peers/` in a process of its own.

    Args:
      python: The Python that has the program's libraries.
      script: File in `peers/`.
      arguments: Its command line.
      timeout: Seconds after which an answer no longer counts.

    Attributes:
      start: `time.perf_counter()` before the process was started.
    """

    def __init__(self, python, script, arguments=(), timeout=600):
        self.timeout = timeout
        self._log = tempfile.TemporaryFile("w+")
        # A pipe of its own for the answers: libraries print to the standard output.
        answers, write_end = os.pipe()
        self._answers = os.fdopen(answers)
        environment = {
            **{key: value for key, value in os.environ.items() if key != "TF_USE_LEGACY_KERAS"},
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "",
            "ANSWERS": str(write_end),
            "PYTHONPATH": str(PEERS.parents[2]),
        }
        self.start = time.perf_counter()
        self._process = subprocess.Popen(
            [python, str(PEERS / script), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            text=True,
            env=environment,
            pass_fds=[write_end],
        )
        os.close(write_end)

    def ask(self, run, **arguments):
        """The result of a request.

        Raises:
          NotMeasured: The process failed, or did not answer in time.
        """
        try:
            print(json.dumps({"run": run, **arguments}), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            pass  # It has ended, which the next lines find out.
        if not select.select([self._answers], [], [], self.timeout)[0]:
            self.close()
            raise NotMeasured(f"no answer within {self.timeout} seconds")
        line = self._answers.readline()
        if not line:
            code = self._process.wait()
            if code == -signal.SIGKILL:
                raise NotMeasured("the process was killed, as Linux does when memory runs out")
            self._log.seek(0)
            lines = self._log.read().strip().splitlines() or ["no message"]
            raise NotMeasured(f"the process ended with code {code}: {lines[-1][:300]}")
        answer = json.loads(line)
        if "error" in answer:
            raise NotMeasured(answer["error"])
        return answer["result"]

    def close(self):
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._answers.close()
        self._log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
