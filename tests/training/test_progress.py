import io

import numpy as np

from albert_tf.training.engine.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def follow(file, every):
    times = iter([10.0, 12.0, 13.0, 30.0])
    progress = Progress(every, file, clock=lambda: next(times))
    progress.on_begin({"step": 5, "num_steps": 1000, "batch_size": 32, "tokens_per_step": 4096})
    for first, last in ((6, 15), (16, 25), (26, 35)):
        steps = np.arange(first, last + 1)
        progress.on_steps({"step": steps, "loss": np.full(10, last / 10)})
    progress.on_evaluation(35, {"accuracy": 0.5})
    progress.on_steps({"step": np.arange(36, 1001), "loss": np.full(965, 0.25)})
    progress.on_end()
    return file.getvalue()


def test_log_file():
    assert follow(io.StringIO(), every=3.0).splitlines() == [
        "step 15/1000 (1 %)  loss 1.5000",
        # Twenty steps in 3 seconds since the first call, which compiled; 965 are left.
        "step 35/1000 (3 %)  loss 3.0000  213.3 examples/s  27,307 tokens/s  0:02:24 left",
        "step 35: accuracy 0.5000",
        "step 1000/1000 (100 %)  loss 0.2500  1576.0 examples/s  201,728 tokens/s  0:00:00 left",
    ]


def test_terminal_overwrites_its_line():
    output = follow(Terminal(), every=0.0)
    assert output.count("\r\033[K") == 5
    assert output.count("\n") == 3
