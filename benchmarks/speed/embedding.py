"""The table of sentences to vectors: `albert_tf.Predictor` beside what users of PyTorch take."""

import pathlib
import tempfile

import numpy as np

from benchmarks.speed import programs as p
from benchmarks.speed.worker import NotMeasured

SENTENCES, PART = 5000, 500  # In all, and in a round.
_SHARE = 5  # The pipeline, which does not sort, gets each fifth.
_TOLERANCE, _REDUCED_TOLERANCE = 1e-5, 5e-3


def embedding(setting):
    """Each round has other sentences, and the vectors of all programs are compared."""
    chosen = setting.select(p.EMBEDDERS)
    step = max(1, len(setting.sentences) // SENTENCES)
    sentences = setting.sentences[::step][:SENTENCES]
    calls, expected = dict.fromkeys(chosen, 0), {}

    def speed(worker, name):
        # The round that does not count, the first, is a short one.
        start = (setting.done + calls[name] - 1) * PART % SENTENCES
        texts = sentences[start : start + PART] if calls[name] else sentences[: PART // 5]
        which = slice(None, None, _SHARE if name in p.PIPELINES else 1)
        with tempfile.TemporaryDirectory() as directory:
            output = str(pathlib.Path(directory, "vectors.npy"))
            seconds = worker.ask("run", texts=texts[which], output=output)
            vectors = np.load(output)
        wanted = expected.setdefault(calls[name], vectors)[which]
        calls[name] += 1
        difference = np.abs(vectors - wanted).max()
        if not difference < (_REDUCED_TOLERANCE if name in p.REDUCED_EMBEDDERS else _TOLERANCE):
            raise NotMeasured(f"a component of a vector differs by {difference:.1g}")
        return len(vectors) / seconds

    def memory(worker, _):
        return worker.ask("memory") / 1e6

    values, failures = setting.measure(chosen, {"speed": speed, "memory": memory}, with_peak=False)
    return {
        "title": "Sentences to vectors",
        "text": f"ALBERT base, the mean of the vectors of all tokens; {SENTENCES:,} sentences of "
        f"SST-2's training set, {PART} others in each round, those of the pipeline each fifth of "
        "them. All programs load the same Hugging Face directory, and a program whose vectors "
        f"differ from ours by {_TOLERANCE:g} in any component would have no row; in the row "
        f'`bfloat16`, which is `compute_dtype="bfloat16"`, by {_REDUCED_TOLERANCE:g}. '
        "sentence-transformers sorts by length, in batches of 16, the fastest of 8 to 64. "
        "`albert-tf embed` is the time from the file of texts to that of the vectors, without the "
        "start of the process. `memory` is what the process holds after a round: its spread over "
        "the rounds is what it grows by.",
        "reference": p.PREDICTOR,
        "columns": {
            "speed": {"unit": "sentences/s", "better": "higher"},
            "memory": {"unit": "MB", "better": "lower"},
        },
        "programs": values,
        "not_measured": failures,
    }
