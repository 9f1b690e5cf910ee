"""A run's states on the disk: saved, and found again by the next call or after a fault."""

import dataclasses
import warnings

from albert_tf.atomic import local_path, remove_remains
from albert_tf.lock import holder, locked
from albert_tf.training.engine.agreement import agree, chief_first, digest_of
from albert_tf.training.engine.state import DamagedState, RunDirectory
from albert_tf.training.engine.stopwatch import Stopwatch
from albert_tf.training.engine.strategy import is_chief, num_workers
from albert_tf.training.optimizers.base import raw_variable


@dataclasses.dataclass
class RunState:
    """Where a run is; saved beside the weights."""

    step: int = 0  # Updates done (or skipped for overflow).
    epoch: int = 0
    batch: int = 0  # Batches of this epoch done.
    best_step: int | None = None
    best_value: float | None = None
    best_tie: float | None = None  # Of the metric that breaks ties.
    evaluations_without_gain: int = 0
    skipped: int = 0  # Steps in a row without a finite gradient.
    evaluated_at: int | None = None
    metrics: dict = dataclasses.field(default_factory=dict)
    stopped_by: str | None = None
    warnings: dict = dataclasses.field(default_factory=dict)  # {kind: text}, of callbacks.
    # Of all calls together; kept apart from the rest, which does not depend on the machine.
    seconds: float = dataclasses.field(default=0.0, compare=False)


class SavedRun:
    """Where a run of `albert_tf.training.engine.loop.train` keeps its states.

    Args:
      step: The `TrainStep`.
      output: The run's directory, one that all processes see.
      identity: dict for JSON: what must be the same in all calls of the run.
      keep: How many states to keep.
    """

    def __init__(self, step, output, identity, keep):
        self.identity = identity
        self._step = step
        chief, output = is_chief(step.strategy), local_path(output)
        self._directory = RunDirectory(output / "states", chief, keep)
        self._stopwatch = Stopwatch(output, chief)

    def hold(self, stack):
        """Locks the directory in the chief; returns when it is locked, on all processes.

        Args:
          stack: contextlib.ExitStack that ends the lock.
        """

        def hold():
            stack.enter_context(locked(self._directory.path))
            remove_remains(self._directory.path)

        chief_first(self._step.strategy, hold)

    def save(self, state):
        """Saves a `RunState` with all weights, and deletes what is older."""
        progress = {**_kept(state), "run": self.identity}
        variables = self._step.state_variables()
        self._directory.save(state.step, self._weights, variables, progress)
        self._directory.delete_old()
        self._stopwatch.note()
        state.seconds = self._stopwatch.seconds

    def save_best(self, state):
        """Saves the weights as the best ones."""
        self._directory.save(state.step, self._weights, None, _kept(state), kind="best")

    def restore_best(self, state):
        """Gives the model its best weights."""
        self._directory.restore(state.best_step, self._weights, kind="best")

    def restore(self):
        """Gives model and optimizer the newest state that is whole.

        Returns:
          Its `RunState`; a new one if nothing was saved.

        Raises:
          ValueError: None is whole, it is another run's, or not all processes see the same one.
        """
        state, damaged = None, []
        for step in reversed(self._directory.steps()):
            try:
                state = self._restored(step)
                break
            except DamagedState as error:
                damaged.append((step, error))
        if damaged and state is None:
            raise ValueError(
                "A run goes on from a saved state that can be read. Received: none. "
                f"{' '.join(str(error) for _, error in damaged)} Put one of them back from a copy, "
                "use another output directory, or delete this one to begin anew."
            )
        state = state or RunState(seconds=self._stopwatch.seconds)
        self._check_same_on_all_workers(state)
        for step, error in damaged:  # When all processes have seen it.
            self._directory.put_aside(step)
            warnings.warn(
                f"{error} The run goes on from the state before it, after step {state.step}; the "
                f"damaged one is now step-{step:08d}.damaged.",
                stacklevel=4,
            )
        return state

    def _restored(self, step):
        progress = self._directory.progress(step)
        begun, now = progress.pop("run", {}), self.identity
        different = [name for name in {**begun, **now} if begun.get(name) != now.get(name)]
        if different:
            told = (f"{name} is {now.get(name)}, was {begun.get(name)}" for name in different)
            raise ValueError(
                "A run goes on with the settings that it began with. Received: for the one in "
                f"{str(self._directory.path)!r} {'; '.join(told)}. Use the earlier settings, or "
                "another output directory."
            )
        try:
            state = RunState(**progress)
        except TypeError as error:
            path = str(self._directory.directory(step))
            raise DamagedState(
                f"A saved state must be one of this version. Received: {path!r} ({error})."
            ) from None
        if state.best_step is not None:
            self._directory.check(state.best_step)
        self._directory.restore(step, self._weights, self._step.state_variables())
        if state.stopped_by == "interrupted":
            state.stopped_by = None
        state.seconds = self._stopwatch.seconds
        return state

    def _check_same_on_all_workers(self, state):
        strategy = self._step.strategy
        if num_workers(strategy) == 1:
            return
        agree(
            strategy,
            {"the step": state.step, "the lock in it": holder(self._directory.path)},
            "All workers must see the same output directory and go on from the same step.",
            "Give them a directory of a file system that all of them share.",
        )
        variables = [*map(raw_variable, self._weights), *self._step.state_variables().values()]
        agree(strategy, {"the digest of all weights": digest_of(variables)})

    @property
    def _weights(self):
        return self._step.model.weights


def _kept(state):
    values = dataclasses.asdict(state)
    del values["seconds"]
    return values
