"""Pre-training: masked LM and sentence order, from records to a checkpoint."""

import dataclasses
import math
import pathlib
from collections.abc import Sequence

from albert_tf._types import Path
from albert_tf.atomic import local_path
from albert_tf.checkpoints.checkpoint import Checkpoint
from albert_tf.config import AlbertConfig
from albert_tf.data.pretraining.reader import PretrainingRecords
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.text.sentencepiece_model import SentencePieceModel
from albert_tf.training.engine.evaluation import evaluate_terms
from albert_tf.training.engine.losses import (
    masked_lm_accuracy,
    masked_lm_loss,
    sentence_order_accuracy,
    sentence_order_loss,
)
from albert_tf.training.engine.strategy import make_strategy
from albert_tf.training.finetuning.data import file_digest
from albert_tf.training.pretraining.curriculum import Curriculum, Stage
from albert_tf.training.pretraining.options import PretrainOptions
from albert_tf.training.pretraining.start import check_sizes, check_vocabulary, starting_model
from albert_tf.training.run import Run

_CURVES = ("mlm_loss", "sop_loss", "mlm_accuracy", "sop_accuracy")


@dataclasses.dataclass(frozen=True)
class PretrainResult:
    """What a pre-training ended with.

    Attributes:
      scores: {name: number} on the held-out records: loss, mlm_loss, sop_loss, mlm_accuracy,
        sop_accuracy, mlm_perplexity; {} without held-out records, or if it was interrupted.
      state: The loop's `RunState`; `stopped_by` is None or "interrupted".
      model: The `AlbertPretrainer`.
      output: pathlib.Path of the run's directory, which is a checkpoint.
    """

    scores: dict
    state: object
    model: AlbertPretrainer
    output: pathlib.Path


def pretrain(
    output: Path,
    stages: Sequence[tuple[Path, int, int]],
    sp_model: Path,
    *,
    config: AlbertConfig | Path | None = None,
    init_from: Path | Checkpoint | None = None,
    heldout: Path | None = None,
    options: PretrainOptions | None = None,
    vocab_size: int | None = None,
) -> PretrainResult:
    """Pre-trains an ALBERT on records of `write_pretraining_data`, or of Google's program.

    The loss is the sum of masked LM and sentence order, reported apart. Records of one segment
    have no sentence-order loss. Called again with the same arguments, it goes on where it was
    interrupted (Ctrl-C and SIGTERM save the state first) and ends with the same weights. What the
    result does not depend on may change between calls: devices, accumulation, recomputation, XLA,
    and how often it is saved. The directory is locked meanwhile; see `albert_tf.lock.locked`.

    Writes into `output`: run.json (what the run is), states/, history.csv, evaluations.csv,
    curves.png (with matplotlib), tensorboard/, metrics.json (scores, and the minutes of training
    and evaluations, all calls together), albert_config.json, task.json (the text rules) and the
    SentencePiece model.
    `AlbertPretrainer.from_checkpoint(output)` and all that takes a checkpoint read the newest
    weights.

    Args:
      output: Directory of the run: new, or that of the same run.
      stages: List of (directory of records, steps, batch size), one after the other: short
        sequences first.
      sp_model: SentencePiece model that the records were made with. There is no pre-training
        with WordPiece.
      config: `AlbertConfig`, the name of a preset, or the path of a JSON file. Not with
        `init_from`.
      init_from: Checkpoint to go on from, of any flavor, with a new optimizer. Heads that it lacks
        are new.
      heldout: Directory of records to evaluate on; None for no evaluation.
      options: `PretrainOptions`.
      vocab_size: Number of pieces, where `sp_model` has got more than the word embeddings of
        `init_from`; see `AlbertPretrainer.from_checkpoint`.

    Returns:
      A `PretrainResult`.

    Raises:
      ValueError, FileNotFoundError, FileExistsError: An argument is not as above, the records are
        incomplete or damaged, or `output` is another run's.
      BlockingIOError: Another process runs in `output`.
      ConnectionError: One of several workers is gone.
      FloatingPointError: The loss or the gradient is not finite.

    Example:

    >>> import tempfile
    >>> from albert_tf import albert_tiny_en
    >>> from albert_tf.data.pretraining.documents import DocumentIterable
    >>> from albert_tf.data.pretraining.write import write_pretraining_data
    >>> from albert_tf.data.pretraining.options import PretrainingOptions
    >>> from albert_tf.training.pretraining.pretrain import pretrain
    >>> from albert_tf.training.pretraining.options import PretrainOptions
    >>> documents = DocumentIterable(lambda: [["How old are you?", "I am ten."]] * 4, "documents")
    >>> records = tempfile.mkdtemp()
    >>> _ = write_pretraining_data(documents, records, albert_tiny_en.SP_MODEL,
    ...                            PretrainingOptions(max_seq_length=16), workers=1,
    ...                            show_progress=False)
    >>> result = pretrain(tempfile.mkdtemp(), [(records, 2, 4)], albert_tiny_en.SP_MODEL,
    ...                   init_from="albert_tiny_en", options=PretrainOptions(warmup_steps=1))
    ... # doctest: +ELLIPSIS
    1,630,082 parameters
    ...
    >>> result.state.step
    2

    Reference: arXiv 1909.11942, sections 3.1 and 4.1; the original's run_pretraining.py.
    """
    options = options or PretrainOptions()
    local_path(output)  # Refuses what is not one.
    output = pathlib.Path(output)
    run = Run(output, options, make_strategy(options.strategy, options.tpu))
    vocabulary = SentencePieceModel.read(sp_model)
    opened = {}
    for directory, *_ in [*stages, *([(heldout,)] if heldout else [])]:
        opened[directory] = PretrainingRecords(directory, sp_model)
        check_vocabulary(opened[directory], vocabulary)
    curriculum = Curriculum([Stage(opened[d], batch, steps) for d, steps, batch in stages])
    if options.warmup_steps >= curriculum.steps:
        raise ValueError(
            f"`warmup_steps` must be fewer than all steps, {curriculum.steps}. Received: "
            f"{options.warmup_steps}."
        )
    run.build_step(
        lambda: starting_model(config, init_from, options, vocab_size),
        pretraining_terms,
        (curriculum.steps, options.warmup_steps),
        options,
    )
    model, config = run.model, run.model.encoder.albert_config
    check_sizes(config, vocabulary, opened.values())
    record = {
        "stages": {
            str(number): {"records_digest": opened[d].digest, "steps": steps, "batch_size": batch}
            for number, (d, steps, batch) in enumerate(stages, start=1)
        },
        "sp_model": file_digest(sp_model),
        "config": config.to_dict(),
        "init_from": init_from and str(init_from),
        "heldout_digest": heldout and opened[heldout].digest,
        "options": options.deciding(),
    }
    with run.held(record, [file for records in opened.values() for file in records.files]):
        run.begin(config, vocabulary, {"task": "pretraining", "rules": ReferenceTokenizer.rules})
        run.say(_described(model, curriculum))
        batch_size = _evaluation_batch(curriculum, options)
        state = run.train(
            curriculum.batches,
            heldout and (lambda: evaluate_pretraining(run.step, opened[heldout], batch_size)),
            steps_per_epoch=curriculum.steps_in,
        )
        scores = state.metrics if state.stopped_by is None else {}
        if state.stopped_by is None:
            run.write_metrics(state, scores)
            run.draw_curves(_CURVES, 0.98)
    return PretrainResult(scores, state, model, output)


def pretraining_terms():
    """({name: Term} to minimize, {name: Term} to report) of pre-training."""
    weights = "sentence_order_weights"
    return (
        {"mlm_loss": masked_lm_loss(), "sop_loss": sentence_order_loss(weights)},
        {"mlm_accuracy": masked_lm_accuracy(), "sop_accuracy": sentence_order_accuracy(weights)},
    )


def evaluate_pretraining(step, records, batch_size):
    """The terms of a `TrainStep` over all `PretrainingRecords`, and mlm_perplexity."""
    scores = evaluate_terms(step, lambda *_: records.batches(batch_size))
    return {**scores, "mlm_perplexity": math.exp(min(scores["mlm_loss"], 100.0))}


def _evaluation_batch(curriculum, options):
    """A part of the smallest batch of the training: it fits here if it fits there."""
    return max(min(s.batch_size for s in curriculum.stages) // options.accumulate_steps, 1)


def _described(model, curriculum):
    lines = [f"{model.count_params():,} parameters"]
    if model.restore_report or model.encoder.restore_report:
        lines.append(str(model.restore_report or model.encoder.restore_report))
    for stage in curriculum.stages:
        records = stage.records
        passes = stage.steps * stage.batch_size / records.num_records
        lines.append(
            f"{stage.steps} steps of {stage.batch_size} records of {records.max_seq_length} tokens "
            f"from {records.directory}: {passes:.2f} passes over {records.num_records}"
        )
    return "\n".join(lines)
