"""Features cached as TFRecords, with the original's fields; a killed run leaves no half file."""

import hashlib
import json
import os
import pathlib

import tensorflow as tf

from albert_tf.atomic import local_path, new_file, write_file
from albert_tf.data.example_proto import serialize_examples
from albert_tf.data.progress import progress
from albert_tf.data.tasks.features import Features
from albert_tf.data.tfrecord import frame_records

VERSION = 1  # Part of every key: counts changes of what features look like.
_CHUNK = 1024


def cached_records(cache_dir, name, key, make_features):
    """Path of the TFRecords of some features, which are made only if the cache lacks them.

    Args:
      cache_dir: Folder of the cache, a local path.
      name: Beginning of the file's name, such as "sst-2.train.128".
      key: What the features depend on, from `feature_key`.
      make_features: Function without arguments that returns `Features`; called on a miss only.

    Returns:
      str, path of a complete .tfrecord file; `read_metadata` tells what is in it.

    Example:
      >>> import tempfile
      >>> import numpy as np
      >>> from albert_tf import albert_tiny_en
      >>> from albert_tf.data.tasks.features import Features
      >>> from albert_tf.data.tasks.records import cached_records, feature_key
      >>> def make_features():
      ...     print("making features")
      ...     return Features({"input_ids": np.array([[2, 9, 3]], np.int32)})
      >>> key = feature_key("my task", "train", 3, albert_tiny_en.SP_MODEL, files=[])
      >>> cache = tempfile.mkdtemp()
      >>> path = cached_records(cache, "my_task.train.3", key, make_features)
      making features
      >>> cached_records(cache, "my_task.train.3", key, make_features) == path
      True
    """
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    path = os.fspath(local_path(cache_dir) / f"{name}.{digest}.tfrecord")
    if not _is_complete(path):
        write_records(path, make_features(), key)
    return path


def feature_key(task, split, max_seq_length, vocab_file, files, **options):
    """What features depend on, by content, as a dict for `cached_records`.

    Args:
      task: Name of the task, str.
      split: Name of the split, str.
      max_seq_length: Length of the rows, int.
      vocab_file: Path of the SentencePiece model; its bytes count, not its name.
      files: Paths of the data files; their bytes count.
      **options: All else that features depend on: lower, labels, doc_stride, ...
    """
    return {
        "version": VERSION,
        "task": task,
        "split": split,
        "max_seq_length": max_seq_length,
        "vocabulary": _hash([vocab_file]),
        "files": _hash(files),
        **options,
    }


def write_records(path, features, key=None):
    """Writes features to a TFRecord file and its metadata beside it, in place of older ones.

    Both are written under temporary names and renamed, the metadata last: a file with metadata is
    whole. Rows of several dimensions are flattened, as in the original.

    Args:
      path: Path of the .tfrecord file; its folder is created.
      features: `Features`.
      key: dict to store in the metadata.
    """
    path = os.fspath(path)
    first = features.rows(0, 1)
    with new_file(path) as partial, open(partial, "wb") as file:
        for start in progress(range(0, features.num_rows, _CHUNK), "Writing TFRecords"):
            rows = features.rows(start, start + _CHUNK)
            file.write(frame_records(serialize_examples(rows)))
    metadata = {
        "rows": features.num_rows,
        "bytes": os.path.getsize(path),
        "fields": {
            name: {"shape": list(array.shape[1:]), "dtype": array.dtype.name}
            for name, array in first.items()
        },
        "has_labels": features.has_labels,
        "problems": features.report.counts,
        "report": str(features.report),
        "key": key,
    }
    write_file(f"{path}.json", json.dumps(metadata, indent=1) + "\n")


def read_metadata(path):
    """The metadata of a TFRecord file that `write_records` wrote.

    Returns:
      dict {rows, bytes, fields: {name: {shape, dtype}}, has_labels, problems: counts by kind,
      report: the problems as text, key}.

    Raises:
      ValueError: If the file is not whole.
    """
    if not _is_complete(path):
        raise ValueError(
            "A TFRecord file must be whole and have its metadata beside it. "
            f"Received: {path}. Remove it, so that it is made again."
        )
    return _metadata(path)


def read_features(path):
    """The `Features` in a TFRecord file, in memory, equal to those that were written."""
    metadata = read_metadata(path)
    rows = tf.data.TFRecordDataset(os.fspath(path)).batch(metadata["rows"]).get_single_element()
    arrays = {name: value.numpy() for name, value in parse(rows, metadata["fields"]).items()}
    return Features(arrays, has_labels=metadata["has_labels"])


def parse(rows, fields):
    """Tensors of serialized rows.

    Args:
      rows: string tensor [batch].
      fields: dict from name to {shape, dtype}, as in the metadata.

    Returns:
      dict from name to tensor [batch, *shape], int32 (which TPUs need) or float32.
    """
    kinds = {
        name: tf.io.FixedLenFeature(
            field["shape"], tf.float32 if field["dtype"] == "float32" else tf.int64
        )
        for name, field in fields.items()
    }
    parsed = tf.io.parse_example(rows, kinds)
    return {name: tf.cast(value, fields[name]["dtype"]) for name, value in parsed.items()}


def _is_complete(path):
    if not (os.path.exists(path) and os.path.exists(f"{os.fspath(path)}.json")):
        return False
    return _metadata(path)["bytes"] == os.path.getsize(path)


def _metadata(path):
    return json.loads(pathlib.Path(f"{os.fspath(path)}.json").read_text(encoding="utf-8"))


def _hash(paths):
    """Hash of the files' contents, in order."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(hashlib.sha256(pathlib.Path(path).read_bytes()).digest())
    return whole.hexdigest()
