"""How a pre-training runs."""

import dataclasses

from albert_tf.training.run_options import OPTIMIZERS, RunOptions


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainOptions(RunOptions):
    """How a pre-training runs. The defaults are those of the paper, section 4.1.

    Attributes:
      learning_rate: Highest rate; it falls linearly to 0 at the last step.
      warmup_steps: Updates of linear warm-up.
      optimizer: "lamb" or "adamw".
      weight_decay_rate: Weight decay.
      dropout_rate: Dropout in the encoder, attention included; None for the configuration's.
      The others: See `RunOptions`.

    Example:
      >>> import albert_tf
      >>> albert_tf.PretrainOptions(recompute=True).optimizer
      'lamb'
    """

    learning_rate: float = 0.00176
    warmup_steps: int = 3125
    optimizer: str = "lamb"
    weight_decay_rate: float = 0.01
    dropout_rate: float | None = None
    steps_per_loop: int = 10  # Its steps are long.

    def __post_init__(self):
        super().__post_init__()
        self._check_one_of("optimizer", OPTIMIZERS)
        if self.learning_rate <= 0.0:
            raise ValueError(f"`learning_rate` must be positive. Received: {self.learning_rate!r}.")
