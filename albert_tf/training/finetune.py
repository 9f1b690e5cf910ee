"""Fine-tuning from a checkpoint to metrics, predictions and a SavedModel."""

import dataclasses
import json
import math
import os
import pathlib
import time

from albert_tf._keras import keras, uninitialized
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.text.tensorflow_text import import_tensorflow_text
from albert_tf.training.collapse import CollapseDetector
from albert_tf.training.evaluation import predict
from albert_tf.training.finetune_data import EvaluationData, TrainingData, digest, file_digest
from albert_tf.training.finetune_options import FinetuneOptions, check_record, flat
from albert_tf.training.finetune_start import check_sizes, find_sp_model, starting_point
from albert_tf.training.finetune_task import FinetuneTask, ranked
from albert_tf.training.finetune_tasks import make_task
from albert_tf.training.history import History, TensorBoard, plot_curves
from albert_tf.training.interrupt import ctrl_c_saves
from albert_tf.training.loop import train
from albert_tf.training.optimizers import AdamW, Lamb
from albert_tf.training.progress import Progress
from albert_tf.training.recipes import model_size, recipe_for
from albert_tf.training.schedules import WarmupPolynomialDecay
from albert_tf.training.strategy import is_chief, make_strategy
from albert_tf.training.train_step import TrainStep


@dataclasses.dataclass(frozen=True)
class FinetuneResult:
    """What a fine-tuning ended with.

    Attributes:
      scores: {split: {name: number}}, with the best weights; {} if the run was interrupted.
      state: The loop's `RunState`; `stopped_by` is None, "early stop" or "SIGTERM".
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
    task,
    output,
    checkpoint=None,
    sp_model=None,
    *,
    data_dir=None,
    config=None,
    from_scratch=False,
    recipe=None,
    options=None,
    cache_dir=None,
    **changes,
):
    """Fine-tunes an ALBERT for a task.

    Includes reading the data, training with evaluations, the choice of the best weights, scores by
    the official definitions, predictions, and the export. Called again with the same arguments, it
    goes on where it was interrupted (Ctrl-C and SIGTERM save the state first) and ends with the
    same weights. Sets the global seeds of Python, NumPy and TensorFlow.

    Writes into `output`: run.json (what the run is), states/, history.csv, evaluations.csv,
    curves.png (with matplotlib), tensorboard/, metrics.json, predictions/ (for GLUE's test sets in
    the format of a submission), saved_model/, albert_config.json.

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
      **changes: Numbers of the recipe to change, such as `learning_rate=2e-5`.

    Returns:
      A `FinetuneResult`.

    Raises:
      ValueError, FileNotFoundError, FileExistsError: An argument is not as above, the data are
        malformed, or `output` is another run's.
      TrainingCollapsed: The model does not learn.
      FloatingPointError: The loss or the gradient is not finite.

    Example:

    >>> result = finetune("sst-2", "out", "albert_base", data_dir="glue")  # doctest: +SKIP
    >>> result.scores["dev"]["accuracy"]  # doctest: +SKIP
    """
    options = options or FinetuneOptions()
    strategy = make_strategy(options.strategy, options.tpu)
    if options.export:
        import_tensorflow_text()  # A missing package is an error now, not after the training.
    if not isinstance(task, FinetuneTask):
        task = make_task(task, data_dir=data_dir)
    config, found = starting_point(checkpoint, config, from_scratch)
    sp_model = find_sp_model(sp_model, found)
    recipe = (recipe or recipe_for(task.name, config, from_scratch)).changed(**changes)
    check_sizes(config, sp_model, recipe)
    if recipe.dropout_rate is not None:
        rate = recipe.dropout_rate
        config = dataclasses.replace(
            config, hidden_dropout_prob=rate, attention_probs_dropout_prob=rate
        )
    task.cut("train", options.max_train_examples)
    task.cut("dev", options.max_dev_examples)
    record = {
        "task": task.name,
        "data": {split: digest(examples) for split, examples in task.splits.items()},
        "checkpoint": None if checkpoint is None else os.fspath(checkpoint),
        "config": config.to_dict(),
        "sp_model": file_digest(sp_model),
        "recipe": dataclasses.asdict(recipe),
        "options": options.deciding(),
    }
    run = _Finetuning(task, pathlib.Path(output), recipe, options, strategy, config, sp_model)
    check_record(output, flat(record), run.chief)
    run.say(f"{task.name}: {model_size(config) or 'a size of its own'}; {_described(recipe)}")
    run.read_data(cache_dir or run.output / "cache")
    run.build(checkpoint)
    state = run.train()
    scores = {} if state.stopped_by == "SIGTERM" else run.finish(state)
    return FinetuneResult(scores, state, run.model, recipe, run.output)


@dataclasses.dataclass
class _Finetuning:
    task: FinetuneTask
    output: pathlib.Path
    recipe: object
    options: FinetuneOptions
    strategy: object
    config: AlbertConfig
    sp_model: str

    def __post_init__(self):
        self.chief = is_chief(self.strategy)
        self.task.tokenizer = ReferenceTokenizer(self.sp_model)
        self.begun = time.monotonic()

    def say(self, text):
        if self.chief and text:
            print(text, flush=True)

    # === Before ===

    def read_data(self, cache_dir):
        for split, examples in self.task.splits.items():
            self.say(f"{split}: {len(examples)} examples")
            self.say(_indented(examples.report))
        self.training = TrainingData(self.task, self.recipe, cache_dir, self.sp_model)
        self.num_steps, self.warmup = self.recipe.steps(self.training.num_rows)
        length = self.training.length or self.recipe.max_seq_length
        self.say(f"train: {self.training.num_rows} rows of {length} tokens")
        self.say(_indented(self.training.report))
        # A part of the batch fits in training, so it fits here.
        batch_size = max(self.recipe.batch_size // self.options.accumulate_steps, 1)
        self.evaluation = {}
        for split in self.task.splits:
            if split != "train":
                data = EvaluationData(self.task, split, self.recipe, batch_size)
                self.evaluation[split] = data
                self.say(_indented(data.report and f"{split}: {data.report}"))

    def build(self, checkpoint):
        recipe, options = self.recipe, self.options
        keras.utils.set_random_seed(options.seed)
        with self.strategy.scope():
            self.model = self.task.build(self._encoder(checkpoint, options.policy), recipe)
            schedule = WarmupPolynomialDecay(recipe.learning_rate, self.num_steps, self.warmup)
            optimizer = {"adamw": AdamW, "lamb": Lamb}[recipe.optimizer](
                schedule,
                weight_decay_rate=recipe.weight_decay_rate,
                bias_correction=recipe.bias_correction,
            )
        losses, metrics = self.task.losses()
        self.step = TrainStep(
            self.model,
            losses,
            optimizer,
            self.strategy,
            metrics,
            accumulate_steps=options.accumulate_steps,
            jit_compile=options.jit_compile,
            seed=options.seed,
        )
        self.optimizer = optimizer
        report = getattr(self.model.encoder, "restore_report", None)
        self.say(str(report or "random weights: nothing was restored, as --from_scratch says"))
        if self.chief:  # So that the saved states can be read as checkpoints.
            for directory in (self.output, self.output / "states"):
                directory.mkdir(parents=True, exist_ok=True)
                (directory / "albert_config.json").write_text(self.config.to_json() + "\n")

    def _encoder(self, checkpoint, policy):
        if checkpoint is None:
            return AlbertEncoder.from_albert_config(self.config, dtype=policy)
        return AlbertEncoder.from_checkpoint(checkpoint, config=self.config, dtype=policy)

    # === During ===

    def train(self):
        options, counts = self.options, self.training.label_counts
        self.detector = None
        if options.detect_collapse and counts is not None and (counts > 0).sum() > 1:
            self.detector = CollapseDetector(counts, patience=max(500, 2 * self.warmup))
        callbacks = [Progress(), History(self.output)]
        if options.tensorboard:
            callbacks.append(TensorBoard(self.output / "tensorboard", every=10))
        if self.detector:
            callbacks.append(self.detector)
        with ctrl_c_saves():
            return train(
                self.step,
                self.training.batches,
                self.num_steps,
                self.output,
                seed=options.seed,
                steps_per_loop=options.steps_per_loop,
                save_every=options.save_every,
                evaluate=self._evaluate,
                evaluate_every=options.evaluate_every or max(self.num_steps // 10, 1),
                best_metric=self.task.best_metric,
                patience=options.patience,
                callbacks=callbacks,
            )

    def _evaluate(self):
        outputs = self._outputs("dev")
        data = self.evaluation["dev"]
        done = int(self.optimizer.iterations.numpy())
        # Early on, one class for all is no sign of failure yet.
        if self.detector and 2 * done >= self.num_steps:
            classes = self.task.classes(outputs)
            self.detector.check_predictions(classes, data.features["label_ids"])
        scores = self.task.scores("dev", data.features, outputs)
        return ranked({name: float(value) for name, value in scores.items()})

    def _outputs(self, split):
        data = self.evaluation[split].batches()
        return predict(self.model, data, self.strategy, self.options.jit_compile)

    # === After ===

    def finish(self, state):
        scores, outputs = {}, {split: self._outputs(split) for split in self.evaluation}
        for split, data in self.evaluation.items():
            scores[split] = self.task.scores(split, data.features, outputs[split])
            for name, value in scores[split].items():
                self.say(f"{split} {name}: {_told(value)}")
        if not self.chief:
            return scores
        for split, data in self.evaluation.items():
            for path in self.task.write_predictions(
                self.output / "predictions", split, data.features, outputs[split], scores
            ):
                self.say(f"wrote {path}")
        self._write_metrics(state, scores)
        self._draw()
        if self.options.export:
            path = self.output / "saved_model"
            checks = self.task.export(
                self._plain_model(), path, self.sp_model, self.recipe, scores["dev"]
            )
            self.say(f"wrote {path}; {len(checks)} checks passed")
        return scores

    def _write_metrics(self, state, scores):
        result = {
            "task": self.task.name,
            "scores": {s: {n: _jsonable(v) for n, v in x.items()} for s, x in scores.items()},
            "best_metric": self.task.best_metric,
            "best_step": state.best_step,
            "steps": state.step,
            "stopped_by": state.stopped_by,
            "examples": {split: len(examples) for split, examples in self.task.splits.items()},
            "size": model_size(self.config),
            "parameters": int(self.model.count_params()),
            "seed": self.options.seed,
            "minutes": round((time.monotonic() - self.begun) / 60, 2),
            "recipe": dataclasses.asdict(self.recipe),
        }
        path = self.output / "metrics.json"
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        self.say(f"wrote {path}")

    def _draw(self):
        try:
            self.say(f"wrote {plot_curves(self.output, ('loss', self.task.best_metric), 0.9)}")
        except ImportError as error:
            self.say(f"curves.png was not drawn: {error}")

    def _plain_model(self):
        """The model in float32 and on no devices in particular, as a SavedModel should be."""
        with uninitialized():
            model = self.task.build(AlbertEncoder.from_albert_config(self.config), self.recipe)
        model.set_weights(self.model.get_weights())
        return model


def _described(recipe):
    length = f"{recipe.train_steps} steps" if recipe.train_steps else f"{recipe.epochs} epochs"
    return (
        f"learning rate {recipe.learning_rate:g}, batches of {recipe.batch_size}, {length}, at "
        f"most {recipe.max_seq_length} tokens\nrecipe: {recipe.source}"
    )


def _indented(report):
    return "\n".join(f"  {line}" for line in str(report).splitlines())


def _told(value):
    return "not defined (constant predictions)" if math.isnan(value) else f"{value:.4f}"


def _jsonable(value):
    return None if math.isnan(value) else value
