"""Fine-tuning from a checkpoint to metrics, predictions and a SavedModel."""

import copy
import dataclasses
import os
import pathlib
from typing import Any

from albert_tf._types import Path
from albert_tf.atomic import local_path
from albert_tf.checkpoints.checkpoint import Checkpoint
from albert_tf.config import AlbertConfig
from albert_tf.text.given_vocabulary import vocabulary_record
from albert_tf.text.tensorflow_text import import_tensorflow_text
from albert_tf.training.engine.strategy import make_strategy
from albert_tf.training.finetune_start import (
    check_sizes,
    starting_point,
    starting_vocabulary,
)
from albert_tf.training.finetuning.data import digest, file_digest
from albert_tf.training.finetuning.options import FinetuneOptions
from albert_tf.training.finetuning.recipes import Recipe, model_size, recipe_for
from albert_tf.training.finetuning.results import write_results
from albert_tf.training.finetuning.run import FinetuneRun
from albert_tf.training.finetuning.task import FinetuneTask
from albert_tf.training.finetuning.tasks import make_task


@dataclasses.dataclass(frozen=True)
class FinetuneResult:
    """What a fine-tuning ended with.

    Attributes:
      scores: {split: {name: number}}, with the best weights; {} if the run was interrupted.
      state: The loop's `RunState`; `stopped_by` is None, "early stop", or "interrupted".
      model: The task model with the best weights.
      recipe: The `Recipe` it was trained with.
      output: pathlib.Path of the run's directory.
    """

    scores: dict
    state: object
    model: object
    recipe: object
    output: pathlib.Path


def finetune(
    task: str | FinetuneTask,
    output: Path,
    checkpoint: Path | Checkpoint | None = None,
    sp_model: Path | None = None,
    *,
    data_dir: Path | None = None,
    config: AlbertConfig | Path | None = None,
    from_scratch: bool = False,
    recipe: Recipe | None = None,
    options: FinetuneOptions | None = None,
    cache_dir: Path | None = None,
    vocab_file: Path | None = None,
    do_lower_case: bool | None = None,
    vocab_size: int | None = None,
    **changes: Any,
) -> FinetuneResult:
    """Fine-tunes an ALBERT for a task.

    Includes reading the data, training with evaluations, the choice of the best weights, scores by
    the official definitions, predictions, and the export. Called again with the same arguments, it
    goes on where it was interrupted (Ctrl-C and SIGTERM save the state first) and ends with the
    same weights. What the result does not depend on may change between calls: devices,
    accumulation, recomputation, XLA, `skip_padding`, `detect_collapse`, `export`, and how often it
    is saved. The directory is locked meanwhile; see `albert_tf.lock.locked`. Sets the global seeds
    of Python, NumPy and TensorFlow.

    Writes into `output`: run.json (what the run is), states/, history.csv, evaluations.csv,
    curves.png (with matplotlib), tensorboard/, metrics.json, predictions/ (for GLUE's test sets in
    the format of a submission), saved_model/, albert_config.json, sentencepiece.model or vocab.txt,
    and task.json (text rules, labels, lengths). The directory is a checkpoint, of its best weights,
    for the next task.

    Args:
      task: Name of a task, such as "sst-2", or a `FinetuneTask` from `make_task`.
      output: Directory of the run: new, or that of the same run.
      checkpoint: What `AlbertEncoder.from_checkpoint` takes. All of its encoder is restored, or it
        is refused.
      sp_model: SentencePiece model of the checkpoint. Default: the one that lies with it.
      data_dir: Where the data of a task given by name are.
      config: `AlbertConfig`, or path of its JSON file; with `from_scratch` also a preset's name.
        Default: the checkpoint's own.
      from_scratch: Whether to begin with random weights, made by `config`, and no checkpoint.
      recipe: `Recipe`. Default: that of `recipe_for`.
      options: `FinetuneOptions`.
      cache_dir: Where features are kept. Default: `output`/cache. Runs may share one.
      vocab_file, do_lower_case: A WordPiece vocabulary instead of `sp_model`, as of `Preprocessor`.
        Default: what lies with the checkpoint.
      vocab_size: Number of pieces, where the vocabulary has got more than the checkpoint's word
        embeddings; see `AlbertEncoder.from_checkpoint`.
      **changes: Numbers of the recipe to change, such as `learning_rate=2e-5`.

    Returns:
      A `FinetuneResult`.

    Raises:
      ValueError, FileNotFoundError, FileExistsError: An argument is not as above, the data are
        malformed, or `output` is another run's.
      BlockingIOError: Another process runs in `output`.
      ConnectionError: One of several workers is gone.
      TrainingCollapsed: The model does not learn.
      FloatingPointError: The loss or the gradient is not finite.

    Example:

    >>> import pathlib, tempfile
    >>> from albert_tf.training.finetuning.finetune import finetune
    >>> from albert_tf.training.finetuning.options import FinetuneOptions
    >>> directory = pathlib.Path(tempfile.mkdtemp())
    >>> for split in ("train", "dev"):
    ...     rows = "a fine film\\t1\\ndull\\t0\\n" * 8
    ...     _ = (directory / f"{split}.tsv").write_text(f"sentence\\tlabel\\n{rows}")
    >>> result = finetune("sst-2", directory / "run", "albert_tiny_en", data_dir=directory,
    ...                   train_steps=2, warmup_steps=1, batch_size=4, max_seq_length=16,
    ...                   options=FinetuneOptions(export=False, detect_collapse=False))
    ... # doctest: +ELLIPSIS
    sst-2: ...
    >>> sorted(result.scores["dev"])
    ['accuracy']
    """
    for path in filter(None, (output, cache_dir)):
        local_path(path)  # Refuses what is not one.
    options = options or FinetuneOptions()
    strategy = make_strategy(options.strategy, options.tpu)
    if options.export:
        import_tensorflow_text()  # A missing package is an error now, not after the training.
    if not isinstance(task, FinetuneTask):
        task = make_task(task, data_dir=data_dir)
    task = copy.copy(task)  # Its splits change below, and it may be used for further runs.
    task.splits = dict(task.splits)
    told_split = task.split_dev(options.dev_fraction, options.seed)
    config, found = starting_point(checkpoint, config, from_scratch, vocab_size)
    vocabulary = starting_vocabulary(found, sp_model, vocab_file, do_lower_case)
    recipe = (recipe or recipe_for(task.name, config, from_scratch)).changed(**changes)
    check_sizes(config, vocabulary, recipe)
    task.cut("train", options.max_train_examples)
    task.cut("dev", options.max_dev_examples)
    record = {
        "task": task.name,
        "settings": task.settings,
        "data": {split: digest(examples) for split, examples in task.splits.items()},
        "checkpoint": _name(checkpoint),
        "config": config.to_dict(),
        "sp_model": file_digest(vocabulary.path),
        **vocabulary_record(vocabulary),
        # Not its source: words about a number may change while the run goes on.
        "recipe": dataclasses.asdict(dataclasses.replace(recipe, source="")),
        "options": options.deciding(),
    }
    run = FinetuneRun(
        pathlib.Path(output), options, strategy, task, recipe, config, vocabulary, vocab_size
    )
    with run.held(record):
        run.say(f"{task.name}: {model_size(config) or 'a size of its own'}; {_described(recipe)}")
        run.say(told_split)
        run.read_data(cache_dir or run.output / "cache")
        run.build(found)
        del found  # Its files need not stay open.
        state = run.train()
        scores = {} if state.stopped_by == "interrupted" else write_results(run, state)
    return FinetuneResult(scores, state, run.model, recipe, run.output)


def _name(checkpoint):
    if checkpoint is None:
        return None
    return os.fspath(getattr(checkpoint, "path", checkpoint))


def _described(recipe):
    length = f"{recipe.train_steps} steps" if recipe.train_steps else f"{recipe.epochs} epochs"
    return (
        f"learning rate {recipe.learning_rate:g}, batches of {recipe.batch_size}, {length}, at "
        f"most {recipe.max_seq_length} tokens\nrecipe: {recipe.source}"
    )
