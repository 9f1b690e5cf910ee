"""How a fine-tuning runs, apart from its recipe."""

import dataclasses
from typing import Any, ClassVar

from albert_tf.training.run_options import RunOptions


@dataclasses.dataclass(frozen=True, kw_only=True)
class FinetuneOptions(RunOptions):
    """How a fine-tuning runs.

    Attributes:
      skip_padding: Whether the encoder computes tokens only (see `AlbertEncoder`); None for
        wherever it can: not under XLA, on a TPU, or where padding has a part in the answers, as in
        SQuAD 1.1.
      patience: Stop after so many evaluations without a better score; None for never.
      best_metric: Which of the dev scores, or "loss", chooses the best weights; None for the
        task's own.
      detect_collapse: Whether to warn, with advice, of a classifier that does not learn.
      stop_on_collapse: Whether to stop then, with nothing but the saved states.
      dev_fraction: Fraction of the different training texts to set aside as dev set, where there is
        none: the same ones for the same `seed`, in proportion to the labels; see `split_off`.
      max_train_examples, max_dev_examples: Use a random sample of so many; None for all.
      export: Whether to write the SavedModel; it needs tensorflow-text.
      The others: See `RunOptions`.

    Example:
      >>> import albert_tf
      >>> albert_tf.FinetuneOptions(seed=1, precision="bfloat16").policy
      'mixed_bfloat16'
    """

    skip_padding: bool | None = None
    patience: int | None = None
    best_metric: str | None = None
    detect_collapse: bool = True
    stop_on_collapse: bool = False
    dev_fraction: float | None = None
    max_train_examples: int | None = None
    max_dev_examples: int | None = None
    export: bool = True

    FREE: ClassVar = (
        *RunOptions.FREE,
        "skip_padding",
        "detect_collapse",
        "stop_on_collapse",
        "export",
    )

    def __post_init__(self):
        super().__post_init__()
        if self.dev_fraction is not None and not 0.0 < self.dev_fraction < 1.0:
            raise ValueError(
                "`dev_fraction` (--dev_fraction) must be between 0 and 1, such as 0.1. Received: "
                f"{self.dev_fraction!r}."
            )
        if self.stop_on_collapse and not self.detect_collapse:
            raise ValueError(
                "`stop_on_collapse` needs `detect_collapse`. Received: detect_collapse=False. "
                "Leave one out."
            )
        if self.skip_padding and self._needs_static_shapes:
            raise ValueError(
                "`skip_padding` makes shapes that XLA cannot compile. Received: it, with "
                f"jit_compile={self.jit_compile} and strategy={self.strategy!r}. Leave one out."
            )

    @property
    def _needs_static_shapes(self):
        return self.jit_compile or self.strategy == "tpu"

    def skips_padding(self, task: Any) -> bool:
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
