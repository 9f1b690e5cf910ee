"""Saving a training run so that it can go on as if it had never stopped."""

import contextlib
import json
import os
import re
import shutil

import numpy as np

from albert_tf.atomic import local_path, new_directory
from albert_tf.training.optimizers.base import raw_variable, variable_name

WEIGHTS = "weights.npz"
STATE = "optimizer.npz"
PROGRESS = "progress.json"


class DamagedState(ValueError):
    """A saved state cannot be read; one before it may be whole."""


class RunDirectory:
    """Saved states of one training run: a directory `step-00001000` a state, the newest wins.

    Each holds the model's weights, apart from them the optimizer's state (twice their size; delete
    it when the run is over), and where in the data the run is. NumPy files, so both Keras
    generations read them; checksums are checked; a process that dies while saving leaves the
    previous one.

    Args:
      path: The directory. Several machines need one that all of them see.
      writes: Whether this process writes; only the chief does.
      keep: How many states to keep.
    """

    def __init__(self, path, writes=True, keep=2):
        if keep < 1:
            raise ValueError(f"`keep` must be positive. Received: {keep!r}.")
        self.path = local_path(path)
        self.writes = writes
        self.keep = keep

    def steps(self, kind="step"):
        """The steps after which a state was saved, ascending."""
        names = [p.name for p in self.path.glob(f"{kind}-*")]
        return sorted(int(n[5:]) for n in names if re.fullmatch(rf"{kind}-\d{{8,}}", n))

    def directory(self, step, kind="step"):
        """Where the state after `step` is: `kind` is "step", or "best" for the best weights."""
        return self.path / f"{kind}-{step:08d}"

    def delete_old(self):
        """Deletes all states but the last ones, and the best weights that none of them names."""
        if not self.writes:
            return
        steps = self.steps()
        for step in steps[: -self.keep]:
            shutil.rmtree(self.directory(step))
        named = set()
        for step in steps[-self.keep :]:
            with contextlib.suppress(DamagedState):
                named.add(self.progress(step).get("best_step"))
        for step in self.steps("best"):
            if step not in named:
                shutil.rmtree(self.directory(step, "best"))

    def save(self, step, model_variables, state_variables, progress, kind="step"):
        """Saves a state; `state_variables` None saves the weights only."""
        if not self.writes:
            return
        with new_directory(self.directory(step, kind)) as directory:
            _write_arrays(directory / WEIGHTS, named(model_variables))
            if state_variables is not None:
                _write_arrays(directory / STATE, state_variables)
            text = json.dumps(progress, indent=2)
            (directory / PROGRESS).write_text(text, encoding="utf-8")

    def restore(self, step, model_variables, state_variables=None, kind="step"):
        """Assigns what was saved after `step`; returns `progress`.

        Raises:
          DamagedState: A file is missing or damaged.
          ValueError: A variable is missing, left over or of another shape.
        """
        directory = self.directory(step, kind)
        progress = self.progress(step, kind)
        _assign(directory / WEIGHTS, named(model_variables))
        if state_variables is not None:
            _assign(directory / STATE, state_variables)
        return progress

    def progress(self, step, kind="step"):
        """What `save` was given as `progress`.

        Raises:
          DamagedState: It cannot be read.
        """
        path = self.directory(step, kind) / PROGRESS
        try:
            progress = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(progress, dict):
                raise ValueError(f"{type(progress).__name__} instead of an object")
        except (OSError, ValueError) as error:
            raise _damaged(path, error) from None
        return progress

    def check(self, step, kind="best"):
        """Raises `DamagedState` unless the weights that were saved after `step` can be read."""
        _read_arrays(self.directory(step, kind) / WEIGHTS)

    def put_aside(self, step):
        """Renames a damaged state, so that the one before it is the newest."""
        directory = self.directory(step)
        if self.writes:
            aside = directory.with_name(f"{directory.name}.damaged")
            shutil.rmtree(aside, ignore_errors=True)
            os.replace(directory, aside)


def named(variables):
    """{name: tf.Variable}; names that occur twice get their position in front."""
    names = [variable_name(v) for v in variables]
    if len(set(names)) < len(names):
        names = [f"{i:04d}/{name}" for i, name in enumerate(names)]
    return dict(zip(names, map(raw_variable, variables)))


def _unnumbered(name):
    """Keras numbers what a process makes: "dense" is "dense_1" in the next model of a notebook."""
    return re.sub(r"_\d+(?=[_/]|$)", "", name)


def _write_arrays(path, variables):
    np.savez(path, **{name: variable.numpy() for name, variable in variables.items()})


def _read_arrays(path):
    try:
        # NumPy leaves a damaged file that it has opened itself open.
        with open(path, "rb") as opened, np.load(opened) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # A flipped bit can be anywhere: zipfile and NumPy raise all kinds.
        raise _damaged(path, error) from None


def _damaged(path, error):
    return DamagedState(f"A saved state must be readable. Received: {str(path)!r} ({error}).")


def _assign(path, variables):
    arrays = _read_arrays(path)
    if [_unnumbered(name) for name in arrays] == [_unnumbered(name) for name in variables]:
        arrays = dict(zip(variables, arrays.values()))
    wrong = [f"missing {name!r}" for name in variables if name not in arrays]
    wrong += [f"left over {name!r}" for name in arrays if name not in variables]
    wrong += [
        f"{name!r} is {list(arrays[name].shape)}, not {variable.shape.as_list()}"
        for name, variable in variables.items()
        if name in arrays and arrays[name].shape != tuple(variable.shape)
    ]
    if wrong:
        raise ValueError(
            "A run goes on with the model and the optimizer that it began with. Received: "
            f"{str(path)!r} with {'; '.join(wrong[:8])}. Use another output directory for another "
            "model."
        )
    for name, variable in variables.items():
        variable.assign(arrays[name])
