"""A training run in a process of its own, to be killed or to be one of several.

Arguments: output directory, number of steps, then options as name=value: kill_at (step after which
the process kills itself), signal (of what kind), strategy ("multiworker" reads TF_CONFIG),
dropout, seed, change (of a weight). Options named output and num_steps win.
"""

import os
import signal
import sys

import tensorflow as tf

from albert_tf.training.engine.callbacks import Callback
from albert_tf.training.engine.evaluation import evaluate_terms
from albert_tf.training.engine.failures import told_failures
from albert_tf.training.engine.history import History
from albert_tf.training.engine.loop import train
from albert_tf.training.engine.strategy import is_chief, make_strategy
from tests.training import small_run


class KillAt(Callback):
    chief_only = False

    def __init__(self, step, kind):
        self.step = step
        self.kind = getattr(signal, kind)

    def on_steps(self, logs):
        if self.step in logs["step"]:
            os.kill(os.getpid(), self.kind)


def main(
    output,
    num_steps,
    kill_at="0",
    signal="SIGKILL",
    strategy="one",
    dropout="0.2",
    seed="4",
    change="0",
):
    cpu = tf.config.list_physical_devices("CPU")[0]
    devices = 2 if strategy == "mirrored" else 1
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * devices
    )
    strategy = make_strategy(strategy)
    step = small_run.make_step(strategy, dropout=float(dropout))
    weight = step.model.weights[0]
    weight.assign(weight + float(change))
    with told_failures(strategy):
        state = train(
            step,
            small_run.make_data,
            int(num_steps),
            output,
            seed=int(seed),
            steps_per_loop=3,
            save_every=4,
            evaluate=lambda: evaluate_terms(step, small_run.make_data),
            evaluate_every=6,
            callbacks=[History(output), KillAt(int(kill_at), signal)],
        )
    print("result", is_chief(strategy), state)


if __name__ == "__main__":
    output, num_steps, *options = sys.argv[1:]
    options = dict(option.split("=") for option in options)
    main(**{"output": output, "num_steps": num_steps, **options})
