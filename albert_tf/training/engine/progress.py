"""How far training is, how fast it goes and when it will be done, on one line."""

import sys

import numpy as np

from albert_tf.data.progress import bar_or_lines
from albert_tf.training.engine.callbacks import Callback


class Progress(Callback):
    """Shows steps, remaining time, loss, examples/s and tokens/s.

    On a terminal a bar; in a log file a line every `every` seconds. The loss is the mean since it
    was last shown; time and speed leave out the first call, which compiles.

    Args:
      every: Seconds between two lines. Default: 0.5 on a terminal, else 30.
      file: Where to print. Default: stderr.
    """

    def __init__(self, every=None, file=None):
        self.file = file or sys.stderr
        self.every = every if every is not None else (0.5 if self.file.isatty() else 30.0)
        self.bar, self.losses = None, []

    def on_begin(self, run):
        self.run = run

    def on_epoch(self, run):
        sizes = ("batch_size", "tokens_per_step")
        if any(run[name] != self.run[name] for name in sizes):  # Another speed, too.
            self.run = run
            self.on_end()

    def on_steps(self, logs):
        self.losses += list(logs["loss"])
        step = int(logs["step"][-1])
        if self.bar is None:
            self.bar = bar_or_lines(
                self.file,
                total=self.run["num_steps"],
                initial=step,
                unit=" steps",
                mininterval=self.every,
                postfix=self._told(),
            )
            self.losses = []
            return
        self.bar.set_postfix_str(self._told(), refresh=False)
        if self.bar.update(step - self.bar.n):
            self.losses = []
        elif step == self.bar.total:
            self.bar.refresh()

    def on_evaluation(self, step, metrics):
        numbers = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        text = f"step {step}: {numbers}"
        if self.bar is None:
            print(text, file=self.file, flush=True)
        else:
            self.bar.write(text, file=self.file)

    def on_end(self):
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def _told(self):
        text = f"loss {np.mean(self.losses):.4f}"
        if rate := self.bar and self.bar.format_dict["rate"]:
            text += f", {rate * self.run['batch_size']:.1f} examples/s"
            if self.run["tokens_per_step"]:
                text += f", {rate * self.run['tokens_per_step']:,.0f} tokens/s"
        return text
