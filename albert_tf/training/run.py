"""One training in a directory of its own: what fine-tuning and pre-training have in common."""

import contextlib
import dataclasses
import json
import pathlib

from albert_tf._keras import keras
from albert_tf.atomic import write_file
from albert_tf.task_record import write_task
from albert_tf.text.wordpiece_vocabulary import WordPieceVocabulary
from albert_tf.training.engine.failures import told_failures
from albert_tf.training.engine.history import History, plot_curves
from albert_tf.training.engine.loop import train
from albert_tf.training.engine.progress import Progress
from albert_tf.training.engine.strategy import is_chief
from albert_tf.training.engine.tensorboard import TensorBoard
from albert_tf.training.engine.train_step import TrainStep
from albert_tf.training.optimizers.adamw_lamb import AdamW, Lamb
from albert_tf.training.optimizers.schedules import WarmupPolynomialDecay
from albert_tf.training.run_options import RunOptions
from albert_tf.training.run_record import flat, held_run

_OPTIMIZERS = {"adamw": AdamW, "lamb": Lamb}


@dataclasses.dataclass
class Run:
    """A training with all that does not depend on what is learned.

    Its calls, in this order: `held`, a block around the others; `build_step` (before `held`, too);
    `begin`; `train`; `draw_curves` and `write_metrics`.

    Attributes:
      output: pathlib.Path of the run's directory.
      options: `RunOptions`.
      strategy: A tf.distribute.Strategy.
      chief: Whether this process writes and prints.
      model: After `build_step`, the Keras model; after `train`, with the weights to use.
      step: After `build_step`, the `TrainStep`.
      num_steps: After `build_step`, the updates in all.
    """

    output: pathlib.Path
    options: RunOptions
    strategy: object

    def __post_init__(self):
        self.chief = is_chief(self.strategy)

    def say(self, text):
        """Prints, in one of several processes."""
        if self.chief and text:
            print(text, flush=True)

    @contextlib.contextmanager
    def held(self, record, files=()):
        """Begins the run, or lets it go on if it is the same one; see `held_run`, `told_failures`.

        Args:
          record: dict for JSON: all that the outcome depends on.
          files: Paths of the TFRecord files that are read.
        """
        options = dataclasses.asdict(self.options)
        with (
            held_run(self.output, flat(record), self.strategy, options),
            told_failures(self.strategy, files),
        ):
            yield

    def build_step(self, make_model, make_terms, steps, numbers, **optimizer_options):
        """Makes model, optimizer and step on the devices, from the seed.

        Args:
          make_model: () -> a built Keras model.
          make_terms: () -> ({name: Term} to minimize, {name: Term} to report), asked for when
            there is a model.
          steps: (updates in all, those of warm-up).
          numbers: What has `optimizer`, its name, `learning_rate` and `weight_decay_rate`.
          **optimizer_options: Further arguments of the optimizer.
        """
        self.num_steps, warmup_steps = steps
        keras.utils.set_random_seed(self.options.seed)
        with self.strategy.scope():
            self.model = make_model()
            optimizer = _OPTIMIZERS[numbers.optimizer](
                WarmupPolynomialDecay(numbers.learning_rate, self.num_steps, warmup_steps),
                weight_decay_rate=numbers.weight_decay_rate,
                **optimizer_options,
            )
        losses, metrics = make_terms()
        self.step = TrainStep(
            self.model,
            losses,
            optimizer,
            self.strategy,
            metrics,
            accumulate_steps=self.options.accumulate_steps,
            jit_compile=self.options.jit_compile,
            seed=self.options.seed,
        )

    def begin(self, config, vocabulary, record):
        """Writes what makes the directory, and that of the states, a checkpoint.

        Args:
          config: `AlbertConfig`.
          vocabulary: `SentencePieceModel` or `WordPieceVocabulary`.
          record: dict for `write_task`.
        """
        if not self.chief:
            return
        for directory in (self.output, self.output / "states"):
            write_file(directory / "albert_config.json", config.to_json() + "\n")
        wordpiece = isinstance(vocabulary, WordPieceVocabulary)
        name = "vocab.txt" if wordpiece else "sentencepiece.model"
        write_file(self.output / name, vocabulary.proto)
        write_task(self.output, record)

    def train(self, batches, evaluate=None, callbacks=(), **arguments):
        """Trains, or goes on where an interrupted call stopped; returns the loop's `RunState`.

        Args:
          batches: `dataset_fn` of the loop's `train`.
          evaluate: () -> {name: number}, or None.
          callbacks: `Callback` objects besides those of every run.
          **arguments: Further ones of the loop's `train`.
        """
        options = self.options
        always = [Progress(), History(self.output)]
        if options.tensorboard:
            always.append(TensorBoard(self.output / "tensorboard", every=10))
        every = options.evaluate_every or max(self.num_steps // 10, 1)
        return train(
            self.step,
            batches,
            self.num_steps,
            self.output,
            seed=options.seed,
            steps_per_loop=options.steps_per_loop,
            save_every=options.save_every,
            evaluate=evaluate,
            evaluate_every=every if evaluate else None,
            callbacks=[*always, *callbacks],
            **arguments,
        )

    def draw_curves(self, names, smooth, chosen=None):
        """Draws curves.png, as `plot_curves`, or says why it could not."""
        if not self.chief:
            return
        try:
            self.say(f"wrote {plot_curves(self.output, names, smooth, chosen)}")
        except ImportError as error:
            self.say(f"curves.png was not drawn: {error}")

    def write_metrics(self, state, scores, **more):
        """Writes metrics.json.

        Args:
          state: The `RunState` that the training ended with.
          scores: Scores, for JSON.
          **more: What else there is to know of this kind of run, for JSON.
        """
        if not self.chief:
            return
        result = {
            **more,
            "scores": scores,
            "steps": state.step,
            "warnings": list(state.warnings.values()),
            "parameters": int(self.model.count_params()),
            "seed": self.options.seed,
            "minutes": round(state.seconds / 60, 2),  # Of all calls: training and evaluations.
        }
        path = self.output / "metrics.json"
        write_file(path, json.dumps(result, indent=1) + "\n")
        self.say(f"wrote {path}")
