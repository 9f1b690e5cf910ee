"""Files of answers: parts that are written one by one, and joined in the end."""

import csv
import json
import pathlib
import shutil

import numpy as np

from albert_tf.data.example_proto import serialize_examples
from albert_tf.data.tfrecord import frame_records

FORMATS = (".jsonl", ".csv", ".npy", ".parquet", ".tfrecord")


def output_format(path, task):
    """The format that the output's name tells, one of `FORMATS`.

    Raises:
      ValueError: It is another one, or answers of this task do not fit it.
      ImportError: It needs a package that is missing.
    """
    suffix = pathlib.Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"The output must end in {', '.join(FORMATS)}. Received: {path}.")
    if suffix == ".npy" and task != "embedding":
        raise ValueError(
            f"An .npy file holds vectors, of `albert-tf embed`. Received: {path} for a model of "
            f"{task}. Write .jsonl, .csv, .parquet or .tfrecord."
        )
    if suffix == ".parquet":
        _pyarrow()
    return suffix


def write_part(path, kind, kept, answers):
    """Writes one part.

    Args:
      path: Path of the part.
      kind: One of `FORMATS`.
      kept: List of dicts, values of the input to repeat, a dict for each answer.
      answers: List of what `Predictor` answers. In a table, what is a list or a dict within is one
        field "answers" of JSON.
    """
    if kind == ".npy":
        with open(path, "wb") as file:  # Given a path, `save` would add an ending.
            np.save(file, np.stack(answers), allow_pickle=False)
        return
    kept = [{f"input_{name}": value for name, value in row.items()} for row in kept]
    if kind == ".jsonl":
        lines = (json.dumps({**k, **_plain(a)}, ensure_ascii=False) for k, a in zip(kept, answers))
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return
    texts = [{name: _cell(value) for name, value in row.items()} for row in kept]
    if kind == ".csv":
        rows = [{**k, **_flat(a)} for k, a in zip(texts, answers)]
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    elif kind == ".tfrecord":
        rows = [{**k, **_row(a)} for k, a in zip(texts, answers)]
        columns = {name: _column([row[name] for row in rows]) for name in rows[0]}
        path.write_bytes(frame_records(serialize_examples(columns)))
    else:
        pyarrow, parquet = _pyarrow()
        rows = [{**k, **_row(a)} for k, a in zip(texts, answers)]
        schema = pyarrow.schema([(name, _type(pyarrow, x)) for name, x in rows[0].items()])
        parquet.write_table(pyarrow.Table.from_pylist(rows, schema), path)


def join_parts(parts, path, kind):
    """Writes one file with the content of all parts.

    Args:
      parts: List of paths, in order; at least one.
      path: Path of the new file.
      kind: One of `FORMATS`.
    """
    if kind == ".parquet":
        _, parquet = _pyarrow()
        with parquet.ParquetWriter(path, parquet.read_schema(parts[0])) as writer:
            for part in parts:
                writer.write_table(parquet.read_table(part))
        return
    with open(path, "wb") as file:
        if kind == ".npy":
            shapes = [np.load(part, mmap_mode="r").shape for part in parts]
            shape = (sum(rows for rows, _ in shapes), shapes[0][1])
            form = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, form)
        for i, part in enumerate(parts):
            with open(part, "rb") as source:
                if kind == ".npy":
                    np.lib.format.read_magic(source)
                    np.lib.format.read_array_header_1_0(source)
                elif kind == ".csv" and i:
                    source.readline()  # The names of the columns.
                shutil.copyfileobj(source, file, 1 << 20)


def _plain(answer):
    """An answer as a JSON object."""
    if isinstance(answer, np.ndarray):
        # As few digits as tell one float32 from the next.
        return {"embedding": [float(x) for x in answer.astype(str)]}
    return answer if isinstance(answer, dict) else {"answers": answer}


def _row(answer):
    """An answer as fields of plain types, vectors as lists of float."""
    if isinstance(answer, np.ndarray):
        return {"embedding": answer.tolist()}
    values = answer if isinstance(answer, dict) else {"answers": answer}
    nested = {k: json.dumps(x, ensure_ascii=False) for k, x in values.items() if _is_nested(x)}
    return {**values, **nested}


def _flat(answer):
    """An answer as fields of CSV."""
    if isinstance(answer, np.ndarray):
        return {f"embedding_{i}": x for i, x in enumerate(answer.astype(str))}
    return _row(answer)


def _is_nested(value):
    return isinstance(value, (list, dict))


def _cell(value):
    """A value of the input as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _column(values):
    """A field of all rows, as `serialize_examples` takes it."""
    return [[v.encode()] for v in values] if isinstance(values[0], str) else np.array(values)


def _type(pyarrow, value):
    if isinstance(value, list):
        return pyarrow.list_(pyarrow.float32(), len(value))
    return {str: pyarrow.string(), float: pyarrow.float64(), int: pyarrow.int64()}[type(value)]


def _pyarrow():
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError(
            "Writing .parquet needs pyarrow: pip install 'albert_tf[parquet]'."
        ) from error
    return pyarrow, parquet
