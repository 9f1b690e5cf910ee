"""albert_tf's vectors of sentences: python embed_albert_tf.py MODEL [--job]

--job has `albert_tf.Predictor` asked by what `albert-tf embed` runs, from a file to a file.
"""

import pathlib
import sys
import tempfile

import numpy as np
from serve import serve_embedder

import albert_tf
from albert_tf.prediction.job import Job

predictor = albert_tf.Predictor(sys.argv[1], task="embedding")


def through_files(texts):
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        (directory / "texts.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
        Job(predictor, [directory / "texts.txt"], directory / "vectors.npy")()
        return np.load(directory / "vectors.npy")


serve_embedder(through_files if "--job" in sys.argv else predictor)
