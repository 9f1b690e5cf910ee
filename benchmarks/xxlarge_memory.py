"""Peak memory and time of importing and exporting the geometry of albert_xxlarge.

    python benchmarks/xxlarge_memory.py

writes a TF1 checkpoint of 223 M random weights (0.9 GB), then imports and exports it in a process
of its own and prints that process's peak. Fails where the peak is not below three times the bytes
of the weights plus 1.5 GB. Takes 3 to 5 minutes on two CPU cores, and 3 GB of temporary disk.
"""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from sentencepiece.sentencepiece_model_pb2 import ModelProto

from albert_tf import albert_tiny_en
from albert_tf.checkpoints.names.table import rules
from albert_tf.config import AlbertConfig


def write_checkpoint(directory, config):
    """A checkpoint under the original's names, heads included. Returns the bytes of its weights."""
    directory.mkdir()
    (directory / "albert_config.json").write_text(config.to_json())
    shapes = {rule.stored_name: rule.stored_shape for rule in rules(config, "tf1")}
    random = np.random.default_rng(0)
    tensors = [0.02 * random.standard_normal(shape, np.float32) for shape in shapes.values()]
    tf.raw_ops.SaveV2(
        prefix=str(directory / "model.ckpt-best"),
        tensor_names=list(shapes),
        shape_and_slices=[""] * len(shapes),
        tensors=tensors,
    )
    return sum(tensor.nbytes for tensor in tensors)


def write_vocabulary(path, size):
    """The package's vocabulary of 1000 pieces, filled up with unlikely ones."""
    model = ModelProto.FromString(pathlib.Path(albert_tiny_en.SP_MODEL).read_bytes())
    for i in range(len(model.pieces), size):
        model.pieces.add(piece=f"\u2581filler{i}", score=-1000.0 - i)
    path.write_bytes(model.SerializeToString())


def import_and_export(checkpoint, sp_model, output):
    import albert_tf

    start = time.time()
    model = albert_tf.AlbertPretrainer.from_checkpoint(checkpoint)
    imported = time.time()
    albert_tf.export_encoder(model, output, sp_model=sp_model)
    print(f"import {imported - start:.0f} s, export with checks {time.time() - imported:.0f} s")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}")


def main():
    config = AlbertConfig.from_preset("albert_xxlarge_v2")
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        weights = write_checkpoint(directory / "checkpoint", config)
        write_vocabulary(directory / "vocabulary.model", config.vocab_size)
        arguments = [str(directory / name) for name in ("checkpoint", "vocabulary.model", "out")]
        command = [sys.executable, __file__, *arguments]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    print(output.splitlines()[0])
    peak = int(output.split()[-1])
    limit = 3 * weights + 1.5e9
    print(f"weights {weights / 1e9:.2f} GB, peak {peak / 1e9:.2f} GB, limit {limit / 1e9:.2f} GB")
    if peak >= limit:
        sys.exit("error: The peak must be below 3 x the bytes of the weights plus 1.5 GB.")


if __name__ == "__main__":
    import_and_export(*sys.argv[1:]) if sys.argv[1:] else main()
