"""How a fine-tuning runs, apart from its recipe."""

import dataclasses

PRECISIONS = ("float32", "bfloat16", "float16")


@dataclasses.dataclass(frozen=True, kw_only=True)
class FinetuneOptions:
    """How a fine-tuning runs.

    Attributes:
      seed: Of new weights, of the order of the data and of dropout.
      strategy: "one", "mirrored", "multiworker" or "tpu"; see `make_strategy`.
      tpu: Name or address of the TPU.
      precision: "float32", or "bfloat16" or "float16" for mixed precision.
      accumulate_steps: Parts that each device's part of a batch is cut into, to save memory.
      jit_compile: Whether to compile the step with XLA.
      skip_padding: Whether the encoder computes tokens only (see `AlbertEncoder`); None for
        wherever it can: not under XLA, on a TPU, or where padding has a part in the answers, as in
        SQuAD 1.1.
      evaluate_every: Steps between two evaluations; None for ten in all.
      patience: Stop after so many evaluations without a better score; None for never.
      save_every: Steps between two saved states.
      steps_per_loop: Steps between two looks from Python.
      detect_collapse: Whether to stop with advice when a classifier does not learn.
      max_train_examples, max_dev_examples: Use a random sample of so many; None for all.
      tensorboard: Whether to write TensorBoard's events.
      export: Whether to write the SavedModel; it needs tensorflow-text.
    """

    seed: int = 0
    strategy: str = "one"
    tpu: str = ""
    precision: str = "float32"
    accumulate_steps: int = 1
    jit_compile: bool = False
    skip_padding: bool | None = None
    evaluate_every: int | None = None
    patience: int | None = None
    save_every: int = 1000
    steps_per_loop: int = 50
    detect_collapse: bool = True
    max_train_examples: int | None = None
    max_dev_examples: int | None = None
    tensorboard: bool = True
    export: bool = True

    def __post_init__(self):
        if self.precision not in PRECISIONS:
            raise ValueError(
                f"`precision` must be one of {', '.join(PRECISIONS)}. Received: {self.precision!r}."
            )
        for name in ("accumulate_steps", "evaluate_every", "save_every", "steps_per_loop"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"`{name}` must be positive. Received: {value!r}.")
        if self.skip_padding and self._needs_static_shapes:
            raise ValueError(
                "`skip_padding` makes shapes that XLA cannot compile. Received: it, with "
                f"jit_compile={self.jit_compile} and strategy={self.strategy!r}. Leave one out."
            )

    @property
    def policy(self):
        """The Keras dtype policy."""
        return "float32" if self.precision == "float32" else f"mixed_{self.precision}"

    @property
    def _needs_static_shapes(self):
        return self.jit_compile or self.strategy == "tpu"

    def skips_padding(self, task):
        """Whether the encoder of a `FinetuneTask` computes tokens only.

        Raises:
          ValueError: It was asked for where padding has a part in the answers.
        """
        if self.skip_padding and not task.ignores_padding:
            raise ValueError(
                f"`skip_padding` would change what {task.name} learns: its softmax is over "
                "padding, too. Received: skip_padding. Leave it out."
            )
        if self.skip_padding is None:
            return task.ignores_padding and not self._needs_static_shapes
        return self.skip_padding

    def deciding(self):
        """The options that the outcome depends on, as a dict."""
        # Where the others change between two calls, a run may well go on.
        free = ("tpu", "save_every", "steps_per_loop", "tensorboard", "export")
        return {k: v for k, v in dataclasses.asdict(self).items() if k not in free}
