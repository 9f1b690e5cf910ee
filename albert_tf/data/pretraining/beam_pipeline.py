"""Pre-training records on Apache Beam, for a corpus that is too large for one machine.

The command is the same on each engine but for --beam_options:

    albert-tf pretraining-data-beam --input='gs://corpus/*.jsonl' --output=gs://records \\
        --sp_model=30k-clean.model --max_seq_length=128 --beam_options='...'

    on this machine    --runner=DirectRunner --direct_num_workers=0 \\
                       --direct_running_mode=multi_processing
    Apache Flink       --runner=FlinkRunner --flink_master=HOST:8081 --flink_version=1.20 \\
                       --parallelism=64 --environment_type=EXTERNAL \\
                       --environment_config=localhost:50000
    Apache Spark       --runner=PortableRunner --job_endpoint=HOST:8099 \\
                       --environment_type=DOCKER --environment_config=IMAGE
    Google Dataflow    --runner=DataflowRunner --project=PROJECT --region=us-central1 \\
                       --temp_location=gs://BUCKET/tmp --sdk_container_image=IMAGE

IMAGE is `apache/beam_python3.11_sdk` with this package installed. The workers need no TensorFlow.
"""

import gzip
import hashlib
import os

from albert_tf.data.pretraining.options import PretrainingOptions
from albert_tf.data.pretraining.shards import BLOCK_BYTES, blocks_of, make_records
from albert_tf.data.pretraining.token_block import BlockEncoder
from albert_tf.data.tfrecord import frame_records

try:
    import apache_beam as beam
    from apache_beam.io import fileio
    from apache_beam.io.filebasedsink import FileBasedSink
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.pipeline_options import PipelineOptions
except ImportError as error:
    raise ImportError(
        "Making records on Apache Beam needs apache-beam. Received: no such package. Install it "
        "with `pip install albert_tf[beam]`, or use albert-tf pretraining-data, which needs none."
    ) from error

_RANGE_BYTES = 16 * BLOCK_BYTES


class ReadDocuments(beam.PTransform):
    """Patterns of files to documents: list of str (sentences) each.

    Files are read in ranges of 64 MB, wherever Beam's file systems reach (gs://, s3://, hdfs://).

    Args:
      patterns: list of str, such as "gs://corpus/*.jsonl"; "gs://corpus/**.jsonl" finds files below
        subdirectories, too. Of a local directory all files are read.
      document_format: `DocumentFormat`.
      range_bytes: Length of the ranges.

    Inputs: a pipeline. Outputs: PCollection of list of str.
    """

    def __init__(self, patterns, document_format, range_bytes=_RANGE_BYTES):
        super().__init__()
        self._patterns = list(map(_with_all_below, patterns))
        self._format = document_format
        self._range_bytes = range_bytes

    def expand(self, begin):
        return (
            begin
            | "Patterns" >> beam.Create(self._patterns)
            | "Files" >> fileio.MatchAll(fileio.EmptyMatchTreatment.DISALLOW)
            | "Ranges" >> beam.FlatMap(_ranges, self._format, self._range_bytes)
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.FlatMap(_read, self._format)
        )


class MakePretrainingRecords(beam.PTransform):
    """Documents to serialized pre-training records (bytes).

    Documents are dealt to groups by a hash of their text; a group goes through the very functions
    of `write_pretraining_data`, seeded by (seed, group). So the same documents give the same
    records, however the engine splits them. A random second document (recipe "original") comes out
    of the same group.

    Args:
      sp_model: Path of the SentencePiece model, on the machine that starts the pipeline.
      options: `PretrainingOptions`.
      lower: Whether to lower-case.
      seed: int.
      num_groups: About the bytes of the text / 4 MB: a worker holds one group at a time.

    Inputs: PCollection of documents, list of str. Outputs: PCollection of bytes.
    """

    def __init__(self, sp_model, options=None, lower=True, seed=12345, num_groups=1024):
        super().__init__()
        self._options = options or PretrainingOptions()
        self._encoder = BlockEncoder(sp_model, lower)
        self._seed = seed
        self._num_groups = num_groups

    def expand(self, documents):
        return (
            documents
            | "Deal" >> beam.Map(_with_group, self._num_groups)
            | "Group" >> beam.GroupByKey()
            | "Make" >> beam.ParDo(_MakeRecords(self._encoder, self._options, self._seed))
        )


class WriteRecords(beam.PTransform):
    """Writes records (bytes) to TFRecord files PREFIX-SSSSS-of-NNNNN.tfrecord.

    Beam's own WriteToTFRecord computes checksums byte by byte in Python unless further packages are
    there; this one takes many records at a time.

    Args:
      prefix: Path of the files without what follows "-".
      num_shards: Number of files; 0: as many as the engine finds best.

    Inputs: PCollection of bytes.
    """

    def __init__(self, prefix, num_shards=0):
        super().__init__()
        self._sink = _FramedSink(
            prefix,
            coder=beam.coders.BytesCoder(),
            file_name_suffix=".tfrecord",
            num_shards=num_shards,
            mime_type="application/octet-stream",
        )

    def expand(self, records):
        return (
            records
            | "Batch" >> beam.BatchElements(min_batch_size=64, max_batch_size=1024)
            | "Frame" >> beam.Map(frame_records)
            | "Write" >> beam.io.Write(self._sink)
        )


def run_pipeline(
    patterns,
    document_format,
    output,
    sp_model,
    options=None,
    *,
    lower=True,
    seed=12345,
    num_shards=0,
    num_groups=None,
    beam_options=(),
):
    """Reads documents and writes `output`/pretraining-SSSSS-of-NNNNN.tfrecord.

    The records are the same in each run; which file has which is left to the engine.

    Args:
      patterns: list of str, files as Beam's file systems name them.
      document_format: `DocumentFormat`.
      output: Directory.
      sp_model, options, lower, seed: As of `write_pretraining_data`.
      num_shards: Number of files; 0: as many as the engine finds best.
      num_groups: See `MakePretrainingRecords`. None: one for each 4 MB of the files.
      beam_options: list of str, such as ["--runner=FlinkRunner"].

    Returns:
      dict of int, the same counts as of `write_pretraining_data`; empty if the engine does not
      report them.

    Raises:
      FileExistsError: If `output` has records.
      ValueError: If there is no text.
    """
    matches = FileSystems.match(list(map(_with_all_below, patterns)))
    size = sum(metadata.size_in_bytes for match in matches for metadata in match.metadata_list)
    if not size:
        raise ValueError(
            f"Input must be existing files with text. Received: {', '.join(patterns)}, without any."
        )
    prefix = FileSystems.join(str(output), "pretraining")
    if FileSystems.match([f"{prefix}-*"])[0].metadata_list:
        raise FileExistsError(
            f"The output must not have records yet. Received: {output} with some. Choose another "
            "directory, or remove them."
        )
    pipeline = beam.Pipeline(options=PipelineOptions(list(beam_options)))
    make = MakePretrainingRecords(
        sp_model, options, lower, seed, num_groups or -(-size // BLOCK_BYTES)
    )
    _ = (
        pipeline
        | ReadDocuments(patterns, document_format)
        | make
        | WriteRecords(prefix, num_shards)
    )
    result = pipeline.run()
    result.wait_until_finish()
    counters = result.metrics().query()["counters"]
    return {
        counter.key.metric.name: counter.result
        for counter in counters
        if counter.key.metric.namespace == __name__
    }


class _FramedSink(FileBasedSink):
    """Files of bytes that are framed already."""

    def write_encoded_record(self, file_handle, encoded_value):
        file_handle.write(encoded_value)


class _MakeRecords(beam.DoFn):
    def __init__(self, encoder, options, seed):
        super().__init__()
        self._encoder = encoder
        self._options = options
        self._seed = seed

    def process(self, element):
        group, documents = element
        documents = sorted(documents)  # An engine may deliver them in any order.
        for number, block in enumerate(blocks_of(documents)):
            seed = (self._seed, group, number)
            for records, counts in make_records(block, self._encoder, self._options, seed):
                for name, count in counts.items():
                    beam.metrics.Metrics.counter(__name__, name).inc(count)
                yield from records


def _with_all_below(pattern):
    """The pattern of all files below it, if it is a local directory."""
    return os.path.join(pattern, "**") if os.path.isdir(pattern) else pattern


def _with_group(document, num_groups):
    digest = hashlib.blake2b("\n".join(document).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % num_groups, document


def _ranges(metadata, document_format, range_bytes):
    path, size = metadata.path, metadata.size_in_bytes
    if not size:
        raise ValueError(
            f"Every file must have documents. Received: {path}, which is empty. Leave it out."
        )
    if not document_format.splits(path):
        return [(path, 0, None)]
    return [(path, start, min(start + range_bytes, size)) for start in range(0, size, range_bytes)]


def _read(file_range, document_format):
    path, start, end = file_range
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        file = gzip.open(file) if path.endswith(".gz") else file
        yield from document_format.read(file, path, start, end)
