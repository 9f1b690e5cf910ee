"""The work on one shard: documents in, a TFRecord file out."""

import collections
import dataclasses
import functools
import os
import random

import numpy as np

from albert_tf.atomic import new_file
from albert_tf.data.example_proto import serialize_examples
from albert_tf.data.pretraining.features import make_features
from albert_tf.data.pretraining.manifest import shard_name
from albert_tf.data.pretraining.options import PretrainingOptions
from albert_tf.data.pretraining.segments import draw_segments, truncate_segments
from albert_tf.data.pretraining.token_block import BlockEncoder
from albert_tf.data.tfrecord import frame_records

BLOCK_BYTES = 4 << 20  # Text held at a time: records are shuffled within it.
_TOKENS_AT_ONCE = 1 << 18


@dataclasses.dataclass(frozen=True)
class ShardJob:
    """Writes shards of pre-training records. Each depends on (seed, shard) and the text only.

    Args:
      documents: Source, such as `DocumentFiles`.
      output: Directory.
      num_shards: Number of all shards.
      sp_model: Path of the SentencePiece model.
      lower: Whether to lower-case.
      options: `PretrainingOptions`.
      seed: int.
    """

    documents: object
    output: str
    num_shards: int
    sp_model: str
    lower: bool
    options: PretrainingOptions
    seed: int

    def path(self, shard):
        """Where the finished shard is."""
        return os.path.join(self.output, shard_name(shard, self.num_shards))

    @functools.cached_property
    def encoder(self):
        return BlockEncoder(self.sp_model, self.lower)

    def __getstate__(self):
        return {k: v for k, v in self.__dict__.items() if k != "encoder"}

    def __call__(self, shard, report):
        """Writes a shard; it has its name when it is whole.

        Args:
          shard: int from 0.
          report: Called after each block with a dict of what was added since.

        Returns:
          dict of int: bytes, documents, tokens, ...; see `count_features`.
        """
        counts = collections.Counter()
        with new_file(self.path(shard)) as path, open(path, "wb") as file:
            documents = self.documents.read(shard, self.num_shards)
            for number, block in enumerate(blocks_of(documents)):
                seed = (self.seed, shard, number)
                for records, added in make_records(block, self.encoder, self.options, seed):
                    file.write(frame_records(records))
                    counts.update(added)
                    report(added)
            counts["bytes"] = file.tell()
        return dict(counts)


def blocks_of(documents, block_bytes=BLOCK_BYTES):
    """Yields lists of documents with about so much text together."""
    block, size = [], 0
    for document in documents:
        block.append(document)
        size += sum(map(len, document))
        if size >= block_bytes:
            yield block
            block, size = [], 0
    if block:
        yield block


def make_records(documents, encoder, options, seed):
    """Makes all records of some documents, shuffled.

    Args:
      documents: list of lists of str.
      encoder: `BlockEncoder`.
      options: `PretrainingOptions`.
      seed: Sequence of non-negative int; equal seeds and documents give equal records.

    Yields:
      (list of bytes, dict of counts), a batch at a time. The first counts the documents too.
    """
    block = encoder.encode(documents)
    counts = {
        "characters": sum(len(text) for document in documents for text in document),
        "documents": len(block.documents) - 1,
        "sentences": len(block.sentences) - 1,
        "tokens": len(block.ids),
    }
    sequence = np.random.SeedSequence(seed)
    generator = np.random.Generator(np.random.PCG64(sequence))
    chunks = random.Random(int.from_bytes(sequence.generate_state(8).tobytes(), "little"))
    passes = [draw_segments(block, options, chunks) for _ in range(options.dupe_factor)]
    table = np.concatenate(passes)
    table = truncate_segments(table[generator.permutation(len(table))], options, generator)
    at_once = max(_TOKENS_AT_ONCE // options.max_seq_length, 1)
    for start in range(0, max(len(table), 1), at_once):
        rows = table[start : start + at_once]
        features = make_features(block, rows, encoder, options, generator) if len(rows) else {}
        records = serialize_examples(features)
        yield records, {**counts, **count_features(features, rows)}
        counts = {}


def count_features(features, table):
    """What a batch adds to the statistics: dict of int."""
    if not features:
        return {}
    return {
        "records": len(table),
        "record_tokens": int(features["input_mask"].sum()),
        "predictions": int(features.get("masked_lm_weights", np.zeros(1)).sum()),
        "order_records": int(table[:, 5].sum()),
        "order_label_1": int(table[:, 4].sum()),
    }
