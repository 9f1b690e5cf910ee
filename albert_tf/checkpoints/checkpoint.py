"""A checkpoint as every reader hands it over: what it holds, and its tensors one at a time."""

import collections.abc
import dataclasses

from albert_tf.config import AlbertConfig


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """Shape and dtype of a stored tensor, known without reading it."""

    shape: tuple
    dtype: str

    def __str__(self):
        return f"{self.dtype} {list(self.shape)}"


@dataclasses.dataclass(frozen=True)
class StoredTensor:
    """A tensor in a file, and how to read it.

    Attributes:
      spec: `TensorSpec`.
      load: Function without arguments that returns its numpy array, read at each call. Raises
        ValueError if the file does not give it.
    """

    spec: TensorSpec
    load: collections.abc.Callable


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """An opened checkpoint; no tensor has been read yet.

    Attributes:
      flavor: One of `flavors.FLAVORS`.
      path: Where it lies.
      config: Its `AlbertConfig`, or None if none was given or found.
      config_source: Where `config` comes from, in words.
      tensors: {name in the flavor: `TensorSpec`} of everything it holds.
      ignored: {name: reason} of the tensors that are known to be no weights of ALBERT.
      get: Function from a name in `tensors` to its numpy array, read at each call. Raises
        ValueError if the file does not give it.
      known: {field of AlbertConfig: (value, the evidence in words)} of what the checkpoint itself
        tells, for where `config` is None.
      absent: {name of one of our variables: why} of the encoder's variables that checkpoints of
        this kind never have. They are restored as zeros.
      unread: Keys of its configuration that neither its authors' program nor this one reads.
      task: What it tells about its training and its head, with the keys of
        `albert_tf.task_record`; {} if it tells nothing.
    """

    flavor: str
    path: str
    config: AlbertConfig | None
    config_source: str
    tensors: dict
    ignored: dict
    get: collections.abc.Callable
    known: dict = dataclasses.field(default_factory=dict)
    absent: dict = dataclasses.field(default_factory=dict)
    unread: tuple = ()
    task: dict = dataclasses.field(default_factory=dict)
