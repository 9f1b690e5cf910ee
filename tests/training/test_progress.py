import io
import re

import numpy as np

from albert_tf.training.engine.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def follow(file, every, tokens=4096):
    progress = Progress(every, file)
    run = {"step": 5, "num_steps": 1000, "batch_size": 32, "tokens_per_step": tokens}
    progress.on_begin(run)
    progress.on_epoch(run)
    for first, last in ((6, 15), (16, 25), (26, 35)):
        steps = np.arange(first, last + 1)
        progress.on_steps({"step": steps, "loss": np.full(10, last / 10)})
    progress.on_evaluation(35, {"accuracy": 0.5})
    progress.on_steps({"step": np.arange(36, 1001), "loss": np.full(965, 0.25)})
    progress.on_end()
    return file.getvalue()


def test_log_file_of_all_lines():
    lines = follow(io.StringIO(), every=0.0).splitlines()
    assert re.match(r"15/1000 \(2 %\) \[00:00<\?, \? steps/s, loss 1.5000\]", lines[0])
    assert lines[3] == "step 35: accuracy 0.5000"
    for line, step in zip((lines[1], lines[2], lines[4]), (25, 35, 1000)):
        assert re.match(rf"{step}/1000 \(\d+ %\) \[00:00<\d\d:\d\d, *[\d.]+ steps/s, loss", line)
    assert "loss 3.5000, " in lines[2] and " examples/s, " in lines[2] and " tokens/s]" in lines[2]
    assert len(lines) == 5


def test_log_file_with_a_line_now_and_then():
    """The last line has the mean loss since the first one."""
    lines = follow(io.StringIO(), every=1000.0, tokens=None).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["15/1000", "step", "1000/1000"]
    mean = (10 * 2.5 + 10 * 3.5 + 965 * 0.25) / 985
    assert f"loss {mean:.4f}" in lines[2] and "tokens" not in lines[2]


def test_terminal_overwrites_its_line():
    output = follow(Terminal(), every=0.0)
    assert output.count("\r") > 5 and "\rstep 35: accuracy 0.5000\n" in output
    assert output.count("\n") == 2 and "1000/1000" in output


def test_batches_of_another_size_have_a_speed_of_their_own():
    file = io.StringIO()
    progress = Progress(1000.0, file)
    run = {"step": 0, "num_steps": 8, "batch_size": 32, "tokens_per_step": 64}
    progress.on_evaluation(0, {"accuracy": 0.25})  # Of a run that goes on.
    progress.on_begin(run)
    for epoch, changes in enumerate(({}, {}, {"batch_size": 16})):
        progress.on_epoch({**run, **changes})
        progress.on_steps({"step": [2 * epoch + 1, 2 * epoch + 2], "loss": [1.0, 2.0]})
    progress.on_end()
    assert [line.split(" ")[0] for line in file.getvalue().splitlines()] == ["step", "2/8", "6/8"]
