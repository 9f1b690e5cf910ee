"""Raw text to pre-training records: all cores, bounded memory, resumable."""

import dataclasses
import hashlib
import os

from albert_tf._types import Path
from albert_tf.atomic import local_path, remove_remains
from albert_tf.data.pretraining.documents import DocumentFiles, DocumentIterable
from albert_tf.data.pretraining.manifest import Manifest
from albert_tf.data.pretraining.options import PretrainingOptions
from albert_tf.data.pretraining.shards import BLOCK_BYTES, ShardJob
from albert_tf.data.pretraining.workers import available_cores, run_tasks
from albert_tf.lock import locked
from albert_tf.text.sentencepiece_model import SentencePieceModel

_MOST_SHARDS = 1024


def write_pretraining_data(
    documents: DocumentFiles | DocumentIterable,
    output: Path,
    sp_model: Path,
    options: PretrainingOptions | None = None,
    *,
    lower: bool = True,
    seed: int = 12345,
    num_shards: int | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    show_progress: bool = True,
) -> dict[str, int]:
    """Writes pre-training records of documents to TFRecord files.

    Documents are streamed: each worker holds about 4 MB of text and its records, whatever the size
    of the corpus, in about 150 MB of memory. Records are shuffled within those 4 MB, and a random
    second document (recipe "original") comes out of them: readers should interleave the shards.
    All records of a document are in one shard, except where it is longer than 4 MB; to hold out
    data, hold out shards.

    A shard's bytes depend on the text, the options and (seed, shard), not on the number of workers.
    It appears under its name when it is complete. An interrupted run goes on when it is started
    again with the same arguments, and gives the same bytes.

    Does not need TensorFlow.

    Args:
      documents: `DocumentFiles`, `DocumentIterable`, or an object like them.
      output: Directory for `pretraining-00000-of-00010.tfrecord`, ... and manifest.json.
      sp_model: Path of the SentencePiece model.
      options: `PretrainingOptions`. None: as in the paper, 512 tokens.
      lower: Whether to lower-case and remove accents, as the English models need it.
      seed: int from 0.
      num_shards: Number of files. None: one for each 4 MB of text, up to 1024, and not more than
        there are files where those cannot be split; 1 for a `DocumentIterable`.
      workers: Number of processes. None: one a core; 1: this one.
      overwrite: Replace earlier data in `output` that was made of something else.
      show_progress: Show bytes, ETA, documents/s and tokens/s on standard error.

    Returns:
      dict of int: bytes (of the shards), characters, documents, sentences, tokens (of the text),
      records, record_tokens, predictions, order_records (those with a sentence order loss),
      order_label_1.

    Raises:
      ValueError: If there are no documents, or the text cannot be read.
      FileExistsError: If `output` has something else and `overwrite` is False.
      BlockingIOError: If another process writes there.

    Example:
      >>> import tempfile
      >>> from albert_tf import albert_tiny_en
      >>> from albert_tf.data.pretraining.documents import DocumentIterable
      >>> from albert_tf.data.pretraining.write import write_pretraining_data
      >>> documents = DocumentIterable(lambda: [["How old are you?", "I am ten."]], "a document")
      >>> counts = write_pretraining_data(documents, tempfile.mkdtemp(), albert_tiny_en.SP_MODEL,
      ...                                 workers=1, show_progress=False)
      >>> counts["documents"], counts["sentences"]
      (1, 2)

    Reference: arXiv 1909.11942, sections 3.1 and 4.1; the original's create_pretraining_data.py.
    """
    output = os.fspath(local_path(output))
    options = options or PretrainingOptions()
    model = SentencePieceModel.read(sp_model)
    _check_integer("seed", seed, 0)
    num_shards = num_shards if num_shards is not None else _default_shards(documents)
    _check_integer("num_shards", num_shards, 1)
    workers = workers if workers is not None else available_cores()
    _check_integer("workers", workers, 1)
    made_of = {
        "options": dataclasses.asdict(options),
        "documents": documents.identity(),
        "sp_model": hashlib.sha256(model.proto).hexdigest(),
        "lower": lower,
        "seed": seed,
        "num_shards": num_shards,
        "block_bytes": BLOCK_BYTES,
    }
    with locked(output):
        remove_remains(output)  # Of runs that were killed.
        manifest = Manifest.open(output, made_of, overwrite)
        job = ShardJob(documents, output, num_shards, model.path, lower, options, seed)
        pending = [
            shard
            for shard in range(num_shards)
            if shard not in manifest.shards or not os.path.exists(job.path(shard))
        ]
        if pending:
            with _Progress(documents, manifest, num_shards, show_progress) as progress:
                run_tasks(job, pending, workers, progress.add, manifest.finish)
                progress.finish()
        remove_remains(output)
    statistics = manifest.statistics()
    if not statistics.get("records"):
        raise ValueError(
            "The input must have documents with text. "
            f"Received: {documents.identity()} without any. Look at its files."
        )
    return statistics


def _default_shards(documents):
    wanted = _MOST_SHARDS if documents.size is None else -(-documents.size // BLOCK_BYTES)
    return max(min(wanted, documents.most_shards or _MOST_SHARDS, _MOST_SHARDS), 1)


def _check_integer(name, value, at_least):
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise ValueError(f"{name} must be an integer of at least {at_least}. Received: {value!r}.")


class _Progress:
    """A tqdm bar in characters of text, with documents/s and tokens/s."""

    def __init__(self, documents, manifest, num_shards, show):
        import tqdm

        done = manifest.statistics()
        resumed = f" (from shard {len(manifest.shards)})" if manifest.shards else ""
        self._bar = tqdm.tqdm(
            desc=f"{num_shards} shards{resumed}",
            total=documents.size,
            initial=done.get("characters", 0),
            unit="B",
            unit_scale=True,
            disable=not show,
            mininterval=0.5,
        )
        self._documents = self._tokens = 0

    def add(self, counts):
        self._documents += counts.get("documents", 0)
        self._tokens += counts.get("record_tokens", 0)
        seconds = max(self._bar.format_dict["elapsed"], 1e-3)
        documents, tokens = self._documents / seconds, self._tokens / seconds
        rates = f"{documents:.0f} documents/s, {tokens:.0f} tokens/s"
        self._bar.set_postfix_str(rates, refresh=False)
        self._bar.update(counts.get("characters", 0))

    def finish(self):
        """Shows the whole size: line ends and the like are not counted on the way."""
        self._bar.n = self._bar.total or self._bar.n
        self._bar.refresh()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._bar.close()
