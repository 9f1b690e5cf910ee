"""How a pre-training runs."""

import dataclasses

from albert_tf.training.finetune_options import PRECISIONS


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainOptions:
    """How a pre-training runs. The defaults are those of the paper, section 4.1.

    Attributes:
      learning_rate: Highest rate; it falls linearly to 0 at the last step.
      warmup_steps: Updates of linear warm-up.
      optimizer: "lamb" or "adamw".
      weight_decay_rate: Weight decay.
      dropout_rate: Dropout in the encoder, attention included; None for the configuration's.
      seed: Of new weights, of the order of the data and of dropout.
      strategy: "one", "mirrored", "multiworker" or "tpu"; see `make_strategy`.
      tpu: Name or address of the TPU.
      precision: "float32", or "bfloat16" or "float16" for mixed precision.
      accumulate_steps: Parts that each device's part of a batch is cut into, to save memory.
      jit_compile: Whether to compile the step with XLA.
      evaluate_every: Steps between two held-out evaluations; None for ten in all.
      save_every: Steps between two saved states.
      steps_per_loop: Steps between two looks from Python.
      tensorboard: Whether to write TensorBoard's events.
    """

    learning_rate: float = 0.00176
    warmup_steps: int = 3125
    optimizer: str = "lamb"
    weight_decay_rate: float = 0.01
    dropout_rate: float | None = None
    seed: int = 0
    strategy: str = "one"
    tpu: str = ""
    precision: str = "float32"
    accumulate_steps: int = 1
    jit_compile: bool = False
    evaluate_every: int | None = None
    save_every: int = 1000
    steps_per_loop: int = 10
    tensorboard: bool = True

    def __post_init__(self):
        for name, choices in (("precision", PRECISIONS), ("optimizer", ("lamb", "adamw"))):
            if (value := getattr(self, name)) not in choices:
                raise ValueError(
                    f"`{name}` must be one of {', '.join(choices)}. Received: {value!r}."
                )
        if self.learning_rate <= 0.0:
            raise ValueError(f"`learning_rate` must be positive. Received: {self.learning_rate!r}.")
        for name in ("accumulate_steps", "evaluate_every", "save_every", "steps_per_loop"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"`{name}` must be positive. Received: {value!r}.")

    @property
    def policy(self):
        """The Keras dtype policy."""
        return "float32" if self.precision == "float32" else f"mixed_{self.precision}"

    def deciding(self):
        """The options that the outcome depends on, as a dict."""
        # Where the others change between two calls, a run may well go on.
        free = ("tpu", "save_every", "steps_per_loop", "tensorboard")
        return {k: v for k, v in dataclasses.asdict(self).items() if k not in free}
