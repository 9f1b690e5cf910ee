"""How far training is, how fast it goes and when it will be done, on one line."""

import sys
import time

import numpy as np

from albert_tf.training.engine.callbacks import Callback


class Progress(Callback):
    """Prints step, loss, examples/s, tokens/s and the remaining time.

    On a terminal one line is overwritten; in a log file a line is added every `every` seconds. The
    loss is the mean since the last line; the speed leaves out the first call, which compiles.

    Args:
      every: Seconds between two lines. Default: 0.5 on a terminal, else 30.
      file: Where to print. Default: stderr.
      clock: Returns seconds; for tests.
    """

    def __init__(self, every=None, file=None, clock=time.monotonic):
        self.file = file or sys.stderr
        self.terminal = self.file.isatty()
        self.every = every if every is not None else (0.5 if self.terminal else 30.0)
        self.clock = clock
        self.losses = []
        self.metrics = ""

    def on_begin(self, run):
        self.run = run
        self.start = self.last_line = None

    def on_epoch(self, run):
        sizes = ("batch_size", "tokens_per_step")
        if any(run[name] != self.run[name] for name in sizes):  # Another speed, too.
            self.run, self.start = run, None

    def on_steps(self, logs):
        now, step = self.clock(), int(logs["step"][-1])
        self.losses += list(logs["loss"])
        if self.start is None:
            self.start = (now, step)
        done = step == self.run["num_steps"]
        if done or self.last_line is None or now - self.last_line >= self.every:
            self.last_line = now
            self._print(self.line(now, step, float(np.mean(self.losses))), done)
            self.losses = []

    def on_evaluation(self, step, metrics):
        self._print(f"step {step}: {_numbers(metrics)}", True)

    def on_end(self):
        if self.terminal:
            self.file.write("\n")

    def line(self, now, step, loss):
        total = self.run["num_steps"]
        text = f"step {step}/{total} ({100 * step // total} %)  loss {loss:.4f}"
        seconds, steps = now - self.start[0], step - self.start[1]
        if steps == 0 or seconds <= 0.0:
            return text
        rate = steps / seconds
        text += f"  {rate * self.run['batch_size']:.1f} examples/s"
        if self.run["tokens_per_step"]:
            text += f"  {rate * self.run['tokens_per_step']:,.0f} tokens/s"
        left = int((total - step) / rate)
        return text + f"  {left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left"

    def _print(self, text, newline):
        if self.terminal:
            self.file.write("\r\033[K" + text + ("\n" if newline else ""))
        else:
            self.file.write(text + "\n")
        self.file.flush()


def _numbers(metrics):
    return "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
