"""Saving a training run so that it can go on as if it had never stopped."""

import json
import os
import pathlib
import re
import shutil
import zipfile

import numpy as np

from albert_tf.training.optimizers.base import raw_variable, variable_name

WEIGHTS = "weights.npz"
STATE = "optimizer.npz"
PROGRESS = "progress.json"


class RunDirectory:
    """Saved states of one training run: a directory `step-00001000` a state, the newest wins.

    Each holds the model's weights, apart from them the optimizer's state (twice their size; delete
    it when the run is over), and where in the data the run is. NumPy files, so both Keras
    generations read them; checksums are checked; a state is written under another name and then
    renamed, so a process that dies while saving leaves the previous one.

    Args:
      path: The directory. Several machines need one that all of them see.
      writes: Whether this process writes; only the chief does.
      keep: How many states to keep.
    """

    def __init__(self, path, writes=True, keep=2):
        if keep < 1:
            raise ValueError(f"`keep` must be positive. Received: {keep!r}.")
        self.path = pathlib.Path(path)
        self.writes = writes
        self.keep = keep

    def steps(self, kind="step"):
        """The steps after which a state was saved, ascending."""
        names = [p.name for p in self.path.glob(f"{kind}-*")]
        return sorted(int(n[5:]) for n in names if re.fullmatch(rf"{kind}-\d{{8,}}", n))

    def directory(self, step, kind="step"):
        """Where the state after `step` is: `kind` is "step", or "best" for the best weights."""
        return self.path / f"{kind}-{step:08d}"

    def delete_old(self, kind="step", keep=None):
        """Deletes all states but the last `keep`."""
        if self.writes:
            for step in self.steps(kind)[: -(keep or self.keep)]:
                shutil.rmtree(self.directory(step, kind))

    def save(self, step, model_variables, state_variables, progress, kind="step"):
        """Saves a state; `state_variables` None saves the weights only."""
        if not self.writes:
            return
        target = self.directory(step, kind)
        temporary = target.with_name(f".{target.name}.writing")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        _write_arrays(temporary / WEIGHTS, named(model_variables))
        if state_variables is not None:
            _write_arrays(temporary / STATE, state_variables)
        with open(temporary / PROGRESS, "w", encoding="utf-8") as file:
            json.dump(progress, file, indent=2)
            _to_disk(file)
        if target.exists():
            shutil.rmtree(target)
        os.replace(temporary, target)

    def restore(self, step, model_variables, state_variables=None, kind="step"):
        """Assigns what was saved after `step`; returns `progress`.

        Raises:
          ValueError: A variable is missing, left over or of another shape, or a file is damaged.
        """
        directory = self.directory(step, kind)
        _assign(directory / WEIGHTS, named(model_variables))
        if state_variables is not None:
            _assign(directory / STATE, state_variables)
        return json.loads((directory / PROGRESS).read_text(encoding="utf-8"))


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
    with open(path, "wb") as file:
        np.savez(file, **{name: variable.numpy() for name, variable in variables.items()})
        _to_disk(file)


def _to_disk(file):
    file.flush()
    os.fsync(file.fileno())


def _assign(path, variables):
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(
            f"A saved state must be a readable .npz file. Received: {str(path)!r} ({error}). "
            "Delete its directory to go on from the state before."
        ) from None
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
