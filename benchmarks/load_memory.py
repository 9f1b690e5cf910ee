"""Time and memory of loading a checkpoint of each published size.

    python benchmarks/load_memory.py --sizes=base,large,xlarge,xxlarge

Writes random weights in each format, with both heads, and loads them with
`AlbertPretrainer.from_checkpoint` in a process of its own. "weights" is 4 bytes a parameter, the
least that a float32 model needs. "peak" is the most memory that the process itself held, less what
it held before (imports, TensorFlow): a file that is mapped into memory is not part of it, because
the system takes those pages back whenever it needs them. Linux only. The files are read just after
they were written, from the system's cache.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
from absl import app, flags  # noqa: E402

_SIZES = flags.DEFINE_list("sizes", ["base", "large"], "Of base, large, xlarge, xxlarge.")
_FORMATS = flags.DEFINE_list("formats", ["tf1", "safetensors", "bfloat16"], "What to write.")
_LOAD = flags.DEFINE_string("load", None, "Internal: load this checkpoint and print the numbers.")


class PeakMemory(threading.Thread):
    """Samples the anonymous memory of this process; `.bytes` is its peak."""

    def __init__(self):
        super().__init__(daemon=True)
        self.bytes = 0
        self.start()

    def run(self):
        while True:
            self.bytes = max(self.bytes, anonymous_bytes())
            time.sleep(0.002)


def anonymous_bytes():
    """Memory that this process holds itself, without mapped files."""
    status = pathlib.Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("RssAnon")]
    return int(line.split()[1]) * 1024


def write(directory, config, kind):
    """Writes random weights."""
    from albert_tf.checkpoints.checkpoint import TensorSpec
    from albert_tf.checkpoints.files.safetensors_file import write_safetensors
    from albert_tf.checkpoints.names.table import rules

    rng = np.random.default_rng(0)

    def array_of(shape):
        return lambda: 0.02 * rng.standard_normal(shape, np.float32)

    if kind == "tf1":
        import tensorflow as tf

        (directory / "albert_config.json").write_text(config.to_json())
        table = rules(config, "tf1")
        tf.raw_ops.SaveV2(
            prefix=str(directory / "model.ckpt-best"),
            tensor_names=[rule.stored_name for rule in table],
            shape_and_slices=[""] * len(table),
            tensors=[array_of(rule.stored_shape)() for rule in table],
        )
        return
    values = config.to_hugging_face()
    (directory / "config.json").write_text(json.dumps(values))
    dtype = "bfloat16" if kind == "bfloat16" else "float32"
    tensors = {
        rule.stored_name: (TensorSpec(rule.stored_shape, dtype), array_of(rule.stored_shape))
        for rule in rules(config, "hugging_face")
    }
    write_safetensors(directory / "model.safetensors", tensors, {"format": "pt"})


def load(path):
    """Loads a checkpoint; prints seconds and bytes as JSON."""
    import tensorflow as tf

    from albert_tf.pretrainer import AlbertPretrainer

    tf.zeros([1000]).numpy()  # Starts the runtime.
    before = anonymous_bytes()
    peak = PeakMemory()
    start = time.perf_counter()
    report = AlbertPretrainer.from_checkpoint(path).restore_report
    seconds = time.perf_counter() - start
    after = anonymous_bytes()
    numbers = [seconds, max(peak.bytes, after) - before, after - before, report.parameters]
    print(json.dumps(numbers))


def main(_):
    from albert_tf.config import AlbertConfig

    if _LOAD.value:
        load(_LOAD.value)
        return
    print("| size | format | file MB | weights MB | seconds | peak MB | after MB |")
    print("|---|---|---|---|---|---|---|")
    for size in _SIZES.value:
        config = AlbertConfig.from_preset(f"albert_{size}_v2")
        for kind in _FORMATS.value:
            with tempfile.TemporaryDirectory() as directory:
                write(pathlib.Path(directory), config, kind)
                stored = sum(file.stat().st_size for file in pathlib.Path(directory).iterdir())
                command = [sys.executable, __file__, f"--load={directory}"]
                output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            seconds, peak, after, parameters = json.loads(output.splitlines()[-1])
            print(
                f"| {size} | {kind} | {stored / 1e6:.0f} | {4 * parameters / 1e6:.0f} "
                f"| {seconds:.2f} | {peak / 1e6:.0f} | {after / 1e6:.0f} |"
            )


if __name__ == "__main__":
    app.run(main)
