"""How a training runs: on what, how exactly, and what it writes."""

import dataclasses
from typing import ClassVar

PRECISIONS = ("float32", "bfloat16", "float16")
OPTIMIZERS = ("adamw", "lamb")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What fine-tuning and pre-training have in common.

    Attributes:
      seed: Of new weights, of the order of the data and of dropout.
      strategy: "one", "mirrored", "multiworker" or "tpu"; see `make_strategy`.
      tpu: Name or address of the TPU.
      precision: "float32", or "bfloat16" or "float16" for mixed precision.
      accumulate_steps: Parts that each device's part of a batch is cut into, to save memory.
      recompute: Whether blocks are computed again for the gradients, to save memory; see
        `AlbertEncoder`.
      jit_compile: Whether to compile the step with XLA.
      evaluate_every: Steps between two evaluations; None for ten in all.
      save_every: Steps between two saved states.
      steps_per_loop: Steps between two looks from Python.
      tensorboard: Whether to write TensorBoard's events.
    """

    seed: int = 0
    strategy: str = "one"
    tpu: str = ""
    precision: str = "float32"
    accumulate_steps: int = 1
    recompute: bool = False
    jit_compile: bool = False
    evaluate_every: int | None = None
    save_every: int = 1000
    steps_per_loop: int = 50
    tensorboard: bool = True

    # Where these change between two calls, a run goes on: they decide where and in what pieces it
    # is computed, not what. (Dropout differs between numbers of devices, as other seeds would.)
    FREE: ClassVar = (
        "strategy",
        "tpu",
        "accumulate_steps",
        "recompute",
        "jit_compile",
        "save_every",
        "steps_per_loop",
        "tensorboard",
    )

    def __post_init__(self):
        self._check_one_of("precision", PRECISIONS)
        for name in ("accumulate_steps", "evaluate_every", "save_every", "steps_per_loop"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"`{name}` must be positive. Received: {value!r}.")

    def _check_one_of(self, name, choices):
        if (value := getattr(self, name)) not in choices:
            raise ValueError(f"`{name}` must be one of {', '.join(choices)}. Received: {value!r}.")

    @property
    def policy(self):
        """The Keras dtype policy."""
        return "float32" if self.precision == "float32" else f"mixed_{self.precision}"

    def deciding(self):
        """The options that the outcome depends on, as a dict."""
        return {k: v for k, v in dataclasses.asdict(self).items() if k not in self.FREE}
