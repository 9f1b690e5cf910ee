"""Which vectors are near to each other: exact, by blocks of NumPy."""

import csv
import itertools
import json
import pathlib
from collections.abc import Sequence

import numpy as np

from albert_tf._types import Path
from albert_tf.data.example_proto import parse_example
from albert_tf.data.tfrecord import read_records

_BLOCK = 4096


def read_vectors(path):
    """The vectors of a file that `albert-tf embed` has written.

    Args:
      path: Path of an .npy (which is not read into memory), .jsonl, .csv, .parquet or .tfrecord.

    Returns:
      float array [n, H].

    Raises:
      FileNotFoundError: There is no such file.
      ValueError: It holds no vectors.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"The vectors must be in an existing file. Received: {path}.")
    try:
        vectors = _READERS[path.suffix.lower()](path)
        if vectors.ndim != 2 or vectors.dtype.kind != "f":
            raise ValueError(f"an array of {vectors.dtype} {list(vectors.shape)}")
        return vectors
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(
            f"Vectors must be in a file that `albert-tf embed` has written: "
            f"{', '.join(_READERS)}. Received: {path} ({type(error).__name__}: {error})."
        ) from None


def nearest(vectors, queries, top_k=10):
    """The vectors with the greatest cosine to each query.

    Args:
      vectors: float array [n, H].
      queries: float array [q, H].
      top_k: Number of vectors for each query; at most n.

    Returns:
      `(scores, indices)`: float32 and int64 arrays [q, top_k], best first.

    Example:

    >>> import numpy as np
    >>> from albert_tf.prediction.similarity import nearest
    >>> vectors = np.float32([[1, 0], [0, 1], [1, 1]])
    >>> scores, indices = nearest(vectors, np.float32([[2, 0]]), top_k=2)
    >>> indices.tolist()
    [[0, 2]]
    """
    queries = _unit(queries)
    scores = np.zeros([len(queries), 0], np.float32)
    indices = np.zeros([len(queries), 0], np.int64)
    for start in range(0, len(vectors), _BLOCK):
        block = queries @ _unit(vectors[start : start + _BLOCK]).T
        columns = np.broadcast_to(np.arange(start, start + block.shape[1]), block.shape)
        scores = np.concatenate([scores, block], 1)
        indices = np.concatenate([indices, columns], 1)
        order = np.argsort(-scores, 1, kind="stable")[:, :top_k]
        scores, indices = (np.take_along_axis(x, order, 1) for x in (scores, indices))
    return scores, indices


def duplicates(vectors, threshold):
    """Yields `(i, j, cosine)`, i < j, of all pairs whose cosine is at least `threshold`.

    Args:
      vectors: float array [n, H].
      threshold: float.
    """
    starts = range(0, len(vectors), _BLOCK)
    for first, second in itertools.combinations_with_replacement(starts, 2):
        a, b = (_unit(vectors[start : start + _BLOCK]) for start in (first, second))
        cosines = a @ b.T
        for i, j in np.argwhere(cosines >= threshold).tolist():
            if first + i < second + j:
                yield first + i, second + j, float(cosines[i, j])


def draw_heat_map(
    vectors: np.ndarray,
    texts: Sequence[str] | None,
    path: Path,
    file_format: str | None = None,
    most: int = 200,
) -> None:
    """Draws the cosines of all pairs as a picture.

    The colors range over the pairs of different rows: a row's cosine with itself is always 1. Up to
    20 rows have the numbers in their cells, up to 40 have the texts beside them.

    Args:
      vectors: float array [n, H].
      texts: List of n str, or None.
      path: Path of the file.
      file_format: "png" or "svg". Default: the ending of `path`.
      most: Most vectors that a picture can show.

    Raises:
      ImportError: matplotlib is missing.
      ValueError: There are more vectors than a picture can show.

    Example:
      >>> import tempfile
      >>> import albert_tf
      >>> texts = ["How are you?", "How old are you?", "Will it rain?"]
      >>> vectors = albert_tf.Predictor("albert_tiny_en", "embedding")(texts)
      >>> albert_tf.draw_heat_map(vectors, texts, tempfile.mkdtemp() + "/similarity.png")
    """
    if len(vectors) > most:
        raise ValueError(
            f"A heat map shows at most {most} vectors. Received: {len(vectors)}. Take a part of "
            "them."
        )
    from matplotlib.figure import Figure

    unit = _unit(vectors)
    cosines = unit @ unit.T
    others = cosines[~np.eye(len(unit), dtype=bool)]
    low, high = (others.min(), others.max()) if len(others) and np.ptp(others) > 0 else (-1, 1)
    side = min(12.0, max(3.0, 0.65 * len(unit)))
    figure = Figure(figsize=(side + 4, side + 2.5), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(cosines, cmap="viridis", vmin=low, vmax=high)
    figure.colorbar(image, label="cosine", extend="max" if high < 1 else "neither", shrink=0.8)
    if len(unit) <= 20:
        for (row, column), cosine in np.ndenumerate(cosines):
            dark = image.norm(cosine) < 0.6
            color = "white" if dark else "black"
            axes.text(column, row, f"{cosine:.2f}", ha="center", va="center", color=color)
    if texts is not None and len(texts) <= 40:
        labels = [text if len(text) <= 40 else f"{text[:38]}..." for text in texts]
        axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right", parse_math=False)
        axes.set_yticks(range(len(labels)), labels, parse_math=False)
    file_format = file_format or pathlib.Path(path).suffix[1:]
    dateless = {"metadata": {"Date": None}} if file_format == "svg" else {}
    figure.savefig(path, dpi=120, format=file_format, **dateless)


def _unit(vectors):
    vectors = np.asarray(vectors, np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _npy(path):
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _jsonl(path):
    with open(path, encoding="utf-8") as file:
        return np.array([json.loads(line)["embedding"] for line in file], np.float32)


def _csv(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        chosen = [i for i, name in enumerate(next(rows)) if name.startswith("embedding_")]
        return np.array([[float(row[i]) for i in chosen] for row in rows], np.float32)


def _parquet(path):
    from pyarrow import parquet

    return np.array(parquet.read_table(path, columns=["embedding"])[0].to_pylist(), np.float32)


def _tfrecord(path):
    with open(path, "rb") as file:
        records = read_records(file, path)
        return np.array([parse_example(record)["embedding"] for record in records], np.float32)


_READERS = {
    ".npy": _npy,
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".parquet": _parquet,
    ".tfrecord": _tfrecord,
}
