"""albert_tf's vectors of sentences: python embed_albert_tf.py MODEL [--job] [--bfloat16]

--job has `albert_tf.Predictor` asked by what `albert-tf embed` runs, from a file to a file;
--bfloat16 is its compute_dtype="bfloat16".
"""

import pathlib
import sys
import tempfile

import numpy as np
from serve import serve_embedder

import albert_tf
from albert_tf.prediction.job import Job

dtype = "bfloat16" if "--bfloat16" in sys.argv else None
predictor = albert_tf.Predictor(sys.argv[1], task="embedding", compute_dtype=dtype)


def through_files(texts):
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        (directory / "texts.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
        Job(predictor, [directory / "texts.txt"], directory / "vectors.npy")()
        return np.load(directory / "vectors.npy")


serve_embedder(through_files if "--job" in sys.argv else predictor)
