"""How long a run takes, all its calls together."""

import pathlib
import time

from albert_tf.atomic import write_file

FILE = "seconds.txt"


class Stopwatch:
    """Counts on from what earlier calls have noted in the run's directory.

    What a killed process did after its last note is not counted.

    Args:
      directory: The run's directory.
      writes: Whether this process writes.
      clock: Returns seconds; for tests.
    """

    def __init__(self, directory, writes=True, clock=time.monotonic):
        self._path = pathlib.Path(directory) / FILE
        self._writes = writes
        self._clock = clock
        self._begun = clock() - self._noted()

    @property
    def seconds(self):
        """Seconds so far."""
        return self._clock() - self._begun

    def note(self):
        """Keeps the seconds so far for the next call."""
        if self._writes:
            write_file(self._path, f"{self.seconds:.3f}\n")

    def _noted(self):
        try:
            return max(float(self._path.read_text()), 0.0)
        except (OSError, ValueError):
            return 0.0
