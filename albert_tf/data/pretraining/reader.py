"""Pre-training records as tf.data pipelines of batches, pass by pass."""

import hashlib
import json
import os
import pathlib
import random

import tensorflow as tf

from albert_tf._types import Path
from albert_tf.data.pretraining.dynamic_masking import DynamicMasking
from albert_tf.data.pretraining.manifest import NAME, Manifest, shard_name
from albert_tf.data.pretraining.options import PretrainingOptions
from albert_tf.data.pretraining.records import read_pretraining_records

_FLOATS = ("masked_lm_weights", "next_sentence_weights")
_AT_ONCE = 8  # Files that are read in turn; neighbors of a document lie in the same one.
_SHUFFLED_BYTES = 64 << 20


class PretrainingRecords:
    """The records of a directory, ours or Google's, ready to be cut into batches.

    Records are streamed: from 8 files in turn, through a shuffle buffer of 64 MB. Records without
    masks (`static_masks=False`) get new ones each time they are read.

    Args:
      directory: Where the TFRecord files are: what `write_pretraining_data` or Google's
        create_pretraining_data.py has written.
      sp_model: Path of the SentencePiece model; needed for records without masks.

    Attributes:
      num_records: Number of records; counted, which takes a while, where there is no manifest.
      max_seq_length, max_predictions_per_seq: int.
      sp_model_digest: SHA-256 of the vocabulary the records were made with; None if unknown.
      digest: Fingerprint of the data, str: of the manifest, or of the files where there is none.

    Raises:
      FileNotFoundError: There are no records.
      ValueError: The data are incomplete, damaged or of another kind.

    Example:

    >>> import tempfile
    >>> from albert_tf import albert_tiny_en
    >>> from albert_tf.data.pretraining.documents import DocumentIterable
    >>> from albert_tf.data.pretraining.write import write_pretraining_data
    >>> from albert_tf.data.pretraining.options import PretrainingOptions
    >>> from albert_tf.data.pretraining.reader import PretrainingRecords
    >>> directory = tempfile.mkdtemp()
    >>> documents = DocumentIterable(lambda: [["How old are you?", "I am ten."]] * 4, "documents")
    >>> _ = write_pretraining_data(
    ...     documents, directory, albert_tiny_en.SP_MODEL, PretrainingOptions(max_seq_length=16),
    ...     workers=1, show_progress=False)
    >>> records = PretrainingRecords(directory)
    >>> inputs, targets = next(iter(records.batches(2)))
    >>> inputs["input_word_ids"].shape
    TensorShape([2, 16])

    Reference: `input_fn_builder` in the original's run_pretraining.py.
    """

    def __init__(self, directory: Path, sp_model: Path | None = None) -> None:
        self.directory = pathlib.Path(directory)
        paths = self.directory.glob("*.tfrecord*")
        self.files = sorted(str(path) for path in paths if not path.name.startswith("."))
        if not self.files:
            raise FileNotFoundError(
                "Pre-training data are a directory with *.tfrecord files. Received: "
                f"{os.fspath(directory)!r} without any. Make them with `albert-tf "
                "pretraining-data`."
            )
        manifest = self._manifest()
        first = next((r for file in self.files for r in read_pretraining_records(file)), None)
        if first is None or not {"input_ids", "segment_ids", "next_sentence_labels"} <= set(first):
            raise ValueError(
                "Records of pre-training must have input_ids, segment_ids, next_sentence_labels. "
                f"Received: {self.files[0]} with {sorted(first or ())}."
            )
        self.max_seq_length = len(first["input_ids"])
        self.sp_model_digest = manifest and manifest["made_of"]["sp_model"]
        self._masking = None
        if "masked_lm_positions" in first:
            self.max_predictions_per_seq = len(first["masked_lm_positions"])
        else:
            options = self._masking_options(manifest, sp_model)
            self.max_predictions_per_seq = options.max_predictions_per_seq
            self._masking = lambda seed: DynamicMasking(sp_model, options, seed)
        self._lengths = {name: len(values) for name, values in first.items()}
        if manifest:
            self.num_records = manifest["statistics"]["records"]
            text = json.dumps(manifest, sort_keys=True).encode()
            self.digest = hashlib.sha256(text).hexdigest()[:16]
        else:
            self.num_records = sum(map(_count, self.files))
            self.digest = _digest(self.files)

    def batches(self, batch_size: int, seed: int | None = None, epoch: int = 0) -> tf.data.Dataset:
        """One pass over the records.

        Args:
          batch_size: Rows of a (global) batch, int.
          seed: int; shuffles, and leaves out the rows at the end that do not fill a batch: other
            ones in each pass. None keeps the order, and fills up the last batch with rows of weight
            0.
          epoch: int; each has an order, and for records without masks has masks, of its own.

        Returns:
          tf.data.Dataset of (inputs, targets), both dicts. Inputs are those of `AlbertPretrainer`,
          int32: input_word_ids, input_mask, input_type_ids [batch, length], masked_lm_positions
          [batch, predictions]. Targets: masked_lm_ids int32, masked_lm_weights float32 [batch,
          predictions]; sentence_order_labels int32 and sentence_order_weights float32 [batch].

        Raises:
          ValueError: There are fewer records than a batch has.
        """
        if batch_size < 1 or (seed is not None and batch_size > self.num_records):
            raise ValueError(
                f"batch_size must be from 1 to the number of records, {self.num_records} in "
                f"{self.directory}. Received: {batch_size}."
            )
        files = list(self.files)
        if seed is None:
            dataset = tf.data.TFRecordDataset(files)
            missing = -self.num_records % batch_size
            dataset = dataset.concatenate(tf.data.Dataset.from_tensors("").repeat(missing))
        else:
            random.Random(f"{seed} {epoch}").shuffle(files)
            dataset = tf.data.Dataset.from_tensor_slices(files).interleave(
                tf.data.TFRecordDataset, cycle_length=_AT_ONCE, block_length=16
            )
            size = sum(os.path.getsize(file) for file in files) / self.num_records
            dataset = dataset.shuffle(
                max(int(_SHUFFLED_BYTES / size), 1),
                seed=random.Random(f"{seed} {epoch} buffer").getrandbits(31),
                reshuffle_each_iteration=False,
            )
        dataset = dataset.batch(batch_size, drop_remainder=True)
        dataset = dataset.map(self._parse, tf.data.AUTOTUNE, deterministic=True)
        if self._masking:
            draw = random.Random(f"{seed} {epoch} masks").getrandbits(31)
            masking = self._masking(draw)
            dataset = dataset.enumerate().map(masking, tf.data.AUTOTUNE, deterministic=True)
        steps = -(-self.num_records // batch_size) if seed is None else self.steps(batch_size)
        dataset = dataset.map(_inputs_and_targets, tf.data.AUTOTUNE, deterministic=True)
        return dataset.apply(tf.data.experimental.assert_cardinality(steps))

    def steps(self, batch_size: int) -> int:
        """Number of batches of a shuffled pass."""
        return self.num_records // batch_size

    def _parse(self, serialized):
        """A batch of features; an empty string is a row of zeros."""
        spec = {
            name: tf.io.FixedLenFeature(
                [length],
                tf.float32 if name in _FLOATS else tf.int64,
                [0.0 if name in _FLOATS else 0] * length,
            )
            for name, length in self._lengths.items()
        }
        features = tf.io.parse_example(serialized, spec)
        if "next_sentence_weights" not in features:
            real = tf.cast(tf.strings.length(serialized) > 0, tf.float32)
            features["next_sentence_weights"] = real[:, None]
        return features

    def _manifest(self):
        path = self.directory / NAME
        if not path.exists():
            return None
        manifest = Manifest.read(path)
        shards, wanted = manifest["shards"], manifest["made_of"]["num_shards"]
        if len(shards) < wanted or len(self.files) < wanted:
            raise ValueError(
                f"Pre-training data must be complete: {wanted} shards. Received: "
                f"{self.directory} with {min(len(shards), len(self.files))}. Run the same "
                "`albert-tf pretraining-data` again: it goes on."
            )
        for shard, counts in shards.items():
            path = self.directory / shard_name(int(shard), wanted)
            size = path.stat().st_size if path.exists() else 0
            if size != counts.get("bytes", size):
                raise ValueError(
                    f"Pre-training data must be as {NAME} says. Received: {path} with {size} bytes "
                    f"instead of {counts['bytes']}. Copy it again, or remove it and run the same "
                    "`albert-tf pretraining-data` again: it makes what is missing."
                )
        return manifest

    def _masking_options(self, manifest, sp_model):
        if manifest is None or sp_model is None:
            lacks = "manifest.json" if manifest is None else "`sp_model`"
            raise ValueError(
                "Records without masks need their manifest.json and the SentencePiece model. "
                f"Received: {self.directory}, no {lacks}."
            )
        return PretrainingOptions(**manifest["made_of"]["options"])


def _count(file):
    try:
        return int(tf.data.TFRecordDataset(file).reduce(0, lambda n, _: n + 1))
    except tf.errors.DataLossError as error:
        raise ValueError(
            f"The file must consist of whole TFRecords. Received: {file} ({error.message}). Copy "
            "it again."
        ) from None


def _digest(files):
    whole = hashlib.sha256()
    for path in files:
        with open(path, "rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()[:16]


def _inputs_and_targets(features):
    def integers(name):
        return tf.cast(features[name], tf.int32)

    inputs = {
        "input_word_ids": integers("input_ids"),
        "input_mask": integers("input_mask"),
        "input_type_ids": integers("segment_ids"),
        "masked_lm_positions": integers("masked_lm_positions"),
    }
    targets = {
        "masked_lm_ids": integers("masked_lm_ids"),
        "masked_lm_weights": features["masked_lm_weights"],
        "sentence_order_labels": integers("next_sentence_labels")[:, 0],
        "sentence_order_weights": features["next_sentence_weights"][:, 0],
    }
    return inputs, targets
