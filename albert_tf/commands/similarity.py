"""Searches the vectors that `albert-tf embed` has written.

    albert-tf similarity --vectors=vectors.npy --query="How old are you?"
    albert-tf similarity --vectors=vectors.npy --duplicates=0.95 --output=pairs.jsonl
    albert-tf similarity --vectors=vectors.npy --heat_map=similarity.png

Rows are counted from 0. Texts are shown where --texts names their file.
"""

import contextlib
import json
import pathlib
import sys

from absl import flags

from albert_tf.commands.run import run

_VECTORS = flags.DEFINE_string("vectors", None, "File of `albert-tf embed`.", required=True)
_TEXTS = flags.DEFINE_string(
    "texts", None, "The file that was embedded, for the texts of the rows. Default: row numbers."
)
_COLUMN = flags.DEFINE_string("column", "text", "Column of the texts in --texts.")
_QUERY = flags.DEFINE_multi_string("query", [], "Text to find the nearest rows of; repeatable.")
_MODEL = flags.DEFINE_string(
    "model", None, "Model to embed --query with. Default: the one of VECTORS.manifest.json."
)
_TOP_K = flags.DEFINE_integer("top_k", 10, "Number of rows for each query.", lower_bound=1)
_DUPLICATES = flags.DEFINE_float("duplicates", None, "Find the pairs of at least this cosine.")
_HEAT_MAP = flags.DEFINE_string(
    "heat_map", None, "Picture (.png or .svg) of all cosines, for few rows."
)
_OUTPUT = flags.DEFINE_string("output", "-", "File of JSON lines to write; - for the terminal.")


def main():
    if not (_QUERY.value or _DUPLICATES.value is not None or _HEAT_MAP.value):
        raise ValueError(
            "It must be said what to look for: --query, --duplicates or --heat_map. Received: none."
        )
    picture = pathlib.Path(_HEAT_MAP.value or "").suffix.lower()
    if _HEAT_MAP.value and picture not in (".png", ".svg"):
        raise ValueError(f"--heat_map must end in .png or .svg. Received: {_HEAT_MAP.value}.")
    from albert_tf.prediction.similarity import (
        draw_heat_map,
        duplicates,
        nearest,
        read_vectors,
    )

    vectors = read_vectors(_VECTORS.value)
    texts = _texts(len(vectors))

    def labeled(row, prefix=""):
        number = {f"{prefix}row": row}
        return number if texts is None else {**number, f"{prefix}text": texts[row]}

    with _lines() as write:
        if _QUERY.value:
            scores, rows = nearest(vectors, _embedded(vectors.shape[1]), _TOP_K.value)
            for query, of_query, found in zip(_QUERY.value, scores.tolist(), rows.tolist()):
                for score, row in zip(of_query, found):
                    write({"query": query, "score": round(score, 6), **labeled(row)})
        if _DUPLICATES.value is not None:
            for i, j, score in duplicates(vectors, _DUPLICATES.value):
                write({"score": round(score, 6), **labeled(i), **labeled(j, "other_")})
    if _HEAT_MAP.value:
        from albert_tf.atomic import new_file

        with new_file(_HEAT_MAP.value) as file:
            draw_heat_map(vectors, texts, file, picture[1:])
        print(f"Wrote {_HEAT_MAP.value}", file=sys.stderr)


def _embedded(width):
    """The vectors of --query."""
    from albert_tf.prediction.predictor import Predictor

    manifest = pathlib.Path(f"{_VECTORS.value}.manifest.json")
    if _MODEL.value is None and not manifest.is_file():
        raise ValueError(
            "The model that made the vectors must be known. Received: no --model, and there is no "
            f"{manifest}."
        )
    settings, path = {}, _MODEL.value
    if path is None:
        found = json.loads(manifest.read_text(encoding="utf-8"))
        path, record = found["about"]["model"], found["made_of"]["record"]
        names = ("pooling", "layer", "normalize", "rules", "do_lower_case", "seq_length")
        settings = {name: record[name] for name in names if name in record}
    predictor = Predictor(path, "embedding", **settings)
    if predictor.hidden_size != width:
        raise ValueError(
            f"The model must be the one that made the vectors, of width {width}. Received: {path} "
            f"of width {predictor.hidden_size}."
        )
    return predictor(list(_QUERY.value))


def _texts(count):
    """The texts of the rows, or None."""
    if _TEXTS.value is None:
        return None
    from albert_tf.prediction.tables import read_rows

    rows = read_rows(_TEXTS.value, [_COLUMN.value])
    texts = [str(row.values[_COLUMN.value]) for row in rows if row.error is None]
    if len(texts) != count:
        raise ValueError(
            f"--texts must be the file that was embedded: {count} rows. Received: {_TEXTS.value} "
            f"with {len(texts)}."
        )
    return texts


@contextlib.contextmanager
def _lines():
    """A function that writes an object as a line of --output."""

    def writer(file):
        return lambda line: file.write(json.dumps(line, ensure_ascii=False) + "\n")

    if _OUTPUT.value == "-":
        yield writer(sys.stdout)
        return
    from albert_tf.atomic import new_file

    with new_file(_OUTPUT.value) as temporary, open(temporary, "w", encoding="utf-8") as file:
        yield writer(file)


def start(argv=None):
    run(main, argv)
