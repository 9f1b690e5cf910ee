"""The training loop: steps, evaluations, saved states; it knows nothing of tasks."""

import contextlib
import dataclasses
import math

import numpy as np
import tensorflow as tf

from albert_tf.training.engine.agreement import agree, versions
from albert_tf.training.engine.batches import Batches
from albert_tf.training.engine.callbacks import Callback
from albert_tf.training.engine.preemption import preemption
from albert_tf.training.engine.saved_run import RunState, SavedRun
from albert_tf.training.engine.strategy import is_chief

# Steps in a row without a finite gradient after which training with a loss scale gives up.
MAX_SKIPPED = 50


def train(
    step,
    dataset_fn,
    num_steps,
    output_dir,
    *,
    seed=0,
    steps_per_epoch=None,
    steps_per_loop=10,
    save_every=1000,
    keep=2,
    evaluate=None,
    evaluate_every=None,
    best_metric=None,
    best_is="max",
    tie_breaker=None,
    patience=None,
    callbacks=(),
):
    """Trains until `num_steps`, going on from the newest state in `output_dir` if there is one.

    A run that was killed and started again with the same arguments ends with the same weights, bit
    for bit on a CPU, as one that was not; an evaluation that an interruption left out is made up
    for. On SIGTERM and on Ctrl-C the state is saved and the function returns. A newest state that
    is damaged is put aside with a warning, and the one before it is taken.

    Before the first step, several processes compare their arguments, weights and packages, and
    whether all of them see `output_dir`. It is locked while the function runs; see
    `albert_tf.lock.locked`.

    Args:
      step: A `TrainStep`: model, losses, optimizer and devices.
      dataset_fn: See `Batches`.
      num_steps: Updates in all, those of earlier calls included.
      output_dir: Directory of this run. With several processes, one that all of them see.
      seed: Seed of the data; that of dropout is `step.seed`.
      steps_per_epoch: See `Batches`. Epochs may differ in it and in the shape of their batches.
      steps_per_loop: Steps on the devices between two looks from Python; SIGTERM is noticed then.
        More than 10 pays on a TPU only.
      save_every: Steps between two saved states. The last one is always saved.
      keep: How many states to keep.
      evaluate: () -> {name: number}, called with the current weights on every process, after every
        `evaluate_every` steps and at the end. The state is saved after it.
      evaluate_every: Steps between two evaluations. Default: at the end only.
      best_metric: Which of the numbers chooses the best weights, which the model has when the
        function returns. Default: none; the last weights stay.
      best_is: Whether the "max" or the "min" is best.
      tie_breaker: Which of the numbers decides between evaluations with the same `best_metric`: the
        lowest is best. Default: none; the earlier one stays.
      patience: Stop after so many evaluations in a row without a better value. Default: never.
      callbacks: `Callback` objects, such as `Progress()` and `History(output_dir)`.

    Returns:
      The `RunState`; `stopped_by` is None (all steps done), "early stop", or "interrupted", by
      SIGTERM or Ctrl-C.

    Raises:
      ValueError: An argument is wrong, the saved state belongs to another run, or the workers were
        not started alike.
      BlockingIOError: Another process trains in `output_dir`.
      FloatingPointError: The loss or the gradient is not finite.

    Example:

    >>> import tempfile
    >>> import tensorflow as tf
    >>> from albert_tf.training.engine.loop import train
    >>> from albert_tf.training.engine.losses import SparseCrossEntropy
    >>> from albert_tf.training.optimizers.adamw_lamb import AdamW
    >>> from albert_tf.training.engine.train_step import TrainStep
    >>> def dataset_fn(seed, epoch):
    ...     arrays = [[0.0, 1.0], [1.0, 0.0]] * 8, [0, 1] * 8
    ...     examples = tf.data.Dataset.from_tensor_slices(arrays)
    ...     return examples.shuffle(16, seed=1000 * seed + epoch).batch(4, drop_remainder=True)
    >>> model = tf.keras.Sequential([tf.keras.Input([2]), tf.keras.layers.Dense(2)])
    >>> step = TrainStep(model, {"loss": SparseCrossEntropy()}, AdamW(1e-2))
    >>> state = train(step, dataset_fn, num_steps=6, output_dir=tempfile.mkdtemp())
    >>> state.step, state.epoch, state.batch
    (6, 1, 2)
    """
    if best_is not in ("max", "min"):
        raise ValueError(f"`best_is` must be 'max' or 'min'. Received: {best_is!r}.")
    if (best_metric or evaluate_every or patience) and evaluate is None:
        raise ValueError(
            "`best_metric`, `evaluate_every` and `patience` need `evaluate`. Received: None."
        )
    if patience and not best_metric:
        raise ValueError("`patience` needs `best_metric`. Received: None.")
    for name, value in (("num_steps", num_steps), ("steps_per_loop", steps_per_loop)):
        if value < 1:
            raise ValueError(f"`{name}` must be positive. Received: {value!r}.")
    chief = is_chief(step.strategy)
    batches = Batches(dataset_fn, step.strategy, seed, step.accumulate_steps, steps_per_epoch)
    identity = {
        "data_seed": seed,
        "dropout_seed": step.seed,
        "batch_size": batches.batch_size,
        "steps_per_epoch": batches.steps_in(0),
    }
    run = _Run(
        step=step,
        batches=batches,
        num_steps=num_steps,
        saved=SavedRun(step, output_dir, identity, keep),
        steps_per_loop=steps_per_loop,
        save_every=save_every,
        evaluate=evaluate,
        evaluate_every=evaluate_every,
        best_metric=best_metric,
        best_is=best_is,
        tie_breaker=tie_breaker,
        patience=patience,
        callbacks=[c for c in callbacks if chief or not c.chief_only],
    )
    return run.train()


@dataclasses.dataclass
class _Run:
    step: object
    batches: Batches
    num_steps: int
    saved: SavedRun
    steps_per_loop: int
    save_every: int
    evaluate: object
    evaluate_every: int | None
    best_metric: str | None
    best_is: str
    tie_breaker: str | None
    patience: int | None
    callbacks: list[Callback]
    state: RunState = dataclasses.field(default_factory=RunState)

    def train(self):
        with contextlib.ExitStack() as stack:
            self.saved.hold(stack)
            agree(self.step.strategy, self._settings())
            self.state = self.saved.restore()
            asked_to_stop = stack.enter_context(preemption())
            for callback in self.callbacks:
                stack.callback(callback.on_end)
                callback.on_begin(self._description())
            if self.state.step and self._evaluation_is_due():  # An interruption left it out.
                self._evaluate()
                self.saved.save(self.state)
            iterator = None
            while self.state.step < self.num_steps and self.state.stopped_by is None:
                if self.state.batch == self.batches.steps_in(self.state.epoch):
                    self.state.epoch, self.state.batch, iterator = self.state.epoch + 1, 0, None
                if iterator is None:
                    iterator = self.batches.iterator(self.state.epoch, self.state.batch)
                    for callback in self.callbacks:
                        callback.on_epoch(self._description())
                self._some_steps(iterator, asked_to_stop)
        if self.state.best_step is not None and self.state.stopped_by != "interrupted":
            self.saved.restore_best(self.state)
        return self.state

    def _some_steps(self, iterator, asked_to_stop):
        state = self.state
        count = self._steps_until_event()
        try:
            logs, stop = self.step(iterator, count, state.step, asked_to_stop.is_set())
        except (tf.errors.OutOfRangeError, StopIteration):
            raise ValueError(
                f"Epoch {state.epoch} must have {self.batches.steps_in(state.epoch)} batches. "
                f"Received: fewer. Pass a smaller `steps_per_epoch`."
            ) from None
        logs = {"step": np.arange(state.step + 1, state.step + count + 1), **logs}
        state.step += count
        state.batch += count
        self._check_finite(logs)
        for callback in self.callbacks:
            callback.on_steps(logs)

        last = state.step == self.num_steps
        if stop and not last:
            state.stopped_by = "interrupted"
            self.saved.save(state)
        elif self._evaluation_is_due():
            self._evaluate()
            self.saved.save(state)
        elif last or self._due(self.save_every):
            self.saved.save(state)

    def _steps_until_event(self):
        step = self.state.step
        until = [self.steps_per_loop, self.num_steps - step]
        until += [every - step % every for every in (self.save_every, self.evaluate_every) if every]
        if in_epoch := self.batches.steps_in(self.state.epoch):
            until.append(in_epoch - self.state.batch)
        return min(until)

    def _due(self, every):
        return every is not None and self.state.step % every == 0

    def _evaluation_is_due(self):
        state = self.state
        if self.evaluate is None or state.evaluated_at == state.step:
            return False
        return state.step == self.num_steps or self._due(self.evaluate_every)

    def _check_finite(self, logs):
        allowed = MAX_SKIPPED if self.step.loss_scale else 0
        finite = np.isfinite(logs["grad_norm"]) & np.isfinite(logs["loss"])
        for number, good in zip(logs["step"], finite):
            self.state.skipped = 0 if good else self.state.skipped + 1
            if self.state.skipped > allowed:
                raise FloatingPointError(
                    f"The loss and its gradient must be finite. Received: loss "
                    f"{logs['loss'][number - logs['step'][0]]} at step {number}, "
                    f"{self.state.skipped} such step(s) in a row; weights do not take such a step. "
                    "Try a smaller learning rate, a longer warm-up, bfloat16 instead of float16, "
                    "and check that labels are in their range."
                )

    def _evaluate(self):
        state = self.state
        state.metrics = {name: float(value) for name, value in self.evaluate().items()}
        state.evaluated_at = state.step
        for callback in self.callbacks:
            callback.on_evaluation(state.step, state.metrics)
        if self.best_metric is None:
            return
        if self.best_metric not in state.metrics:
            raise ValueError(
                f"`best_metric` must be one of {', '.join(state.metrics)}. Received: "
                f"{self.best_metric!r}."
            )
        value = state.metrics[self.best_metric]
        tie = state.metrics.get(self.tie_breaker)
        sign = 1.0 if self.best_is == "max" else -1.0
        worthless = state.best_value is None or math.isnan(state.best_value)
        gain = worthless or sign * (value - state.best_value) > 0.0
        tied = value == state.best_value and None not in (tie, state.best_tie)
        if gain or (tied and tie < state.best_tie):
            state.best_step, state.best_value, state.best_tie = state.step, value, tie
            self.saved.save_best(state)
        if gain:
            state.evaluations_without_gain = 0
        else:
            state.evaluations_without_gain += 1
            if self.patience and state.evaluations_without_gain >= self.patience:
                state.stopped_by = "early stop"

    def _settings(self):
        """What must not differ between workers."""
        return {
            **self.saved.identity,
            "num_steps": self.num_steps,
            "steps_per_loop": self.steps_per_loop,
            "save_every": self.save_every,
            "evaluate_every": self.evaluate and self.evaluate_every,
            "best_metric": [self.best_metric, self.best_is, self.tie_breaker],
            "patience": self.patience,
            "accumulate_steps": self.step.accumulate_steps,
            "jit_compile": self.step.jit_compile,
            "optimizer": self.step.optimizer.get_config(),
            **versions(),
        }

    def _description(self):
        shapes = [spec.shape for spec in tf.nest.flatten(self.batches.element_spec[0])]
        return {
            "step": self.state.step,
            "num_steps": self.num_steps,
            "warnings": self.state.warnings,
            "batch_size": shapes[0][0],
            "tokens_per_step": max((s.num_elements() for s in shapes if s.rank >= 2), default=None),
        }
