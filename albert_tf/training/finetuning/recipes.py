"""How each task is fine-tuned: every number with its source."""

import dataclasses
import difflib

from albert_tf.config import PRESETS
from albert_tf.training.run_options import OPTIMIZERS

# The table itself was not at hand. All but dropout and WNLI's row was compared with the named files
# of google-research/albert, or with public programs that follow the table.
PAPER = "Table 14 of arXiv 1909.11942, appendix A.4"
TABLE = f"{PAPER}, its dropout from memory"
SCRIPT = f"{TABLE}; rate, batch, steps and warm-up as in Google's run_glue.sh for ALBERT base v1"
README = f"{TABLE}; batch, steps, warm-up and length as in the command of Google's README"
V2_RACE = (
    "Google's README: for v2 models on RACE a rate of 1e-5 and no dropout, because the paper's "
    "numbers diverge"
)
OWN_DATA = (
    "rate 1e-5 as KerasHub's default for ALBERT; batch size and epochs from the ranges of "
    "arXiv 1810.04805, appendix A.3; warm-up over 10 % of the steps"
)
SMALL = (
    "rate 1e-4, one of those that Google's README of BERT tries for its small models; with 3e-4 "
    "the packaged model does not learn SST-2"
)
FROM_SCRATCH = (
    "rate 5e-4 with warm-up over 10 % of the steps: this project's own choice for models without "
    "pre-training; see docs/results.md"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """The numbers that decide how a task is learned. What is left out of it (devices, seed,
    precision) should not matter.

    Attributes:
      learning_rate: Highest rate of the optimizer.
      batch_size: Rows of a global batch.
      train_steps: Updates; None if `epochs` says it.
      epochs: Passes over the rows of the training set; None if `train_steps` says it.
      warmup_steps: Updates of linear warm-up; None if `warmup_proportion` says it.
      warmup_proportion: Warm-up as a part of all updates.
      max_seq_length: Longest row in tokens. Rows are padded to the longest one that there is, which
        gives the same numbers in less time.
      dropout_rate: Dropout in the encoder, attention included; None for the configuration's.
      head_dropout_rate: Dropout before the classifier.
      optimizer: "adamw" or "lamb".
      weight_decay_rate: Weight decay.
      bias_correction: See `AdamW`.
      doc_stride, max_query_length, max_answer_length, n_best_size: Of SQuAD.
      max_qa_length: Longest question with option, of RACE.
      source: Where the numbers come from.
    """

    learning_rate: float
    batch_size: int
    train_steps: int | None = None
    epochs: float | None = None
    warmup_steps: int | None = None
    warmup_proportion: float | None = None
    max_seq_length: int = 512
    dropout_rate: float | None = None
    head_dropout_rate: float = 0.1
    optimizer: str = "adamw"
    weight_decay_rate: float = 0.01
    bias_correction: bool = False
    doc_stride: int = 128
    max_query_length: int = 64
    max_answer_length: int = 30
    n_best_size: int = 20
    max_qa_length: int = 128
    source: str = "given"

    def __post_init__(self):
        for one, other in (("train_steps", "epochs"), ("warmup_steps", "warmup_proportion")):
            values = getattr(self, one), getattr(self, other)
            if (values[0] is None) == (values[1] is None):
                raise ValueError(
                    f"A recipe has either `{one}` or `{other}`. Received: {values[0]} and "
                    f"{values[1]}."
                )
        for name in ("learning_rate", "batch_size", "train_steps", "epochs"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"`{name}` must be positive. Received: {value!r}.")
        if not 0.0 <= (self.warmup_proportion or 0.0) <= 1.0:
            raise ValueError(
                f"`warmup_proportion` must be from 0 to 1. Received: {self.warmup_proportion!r}."
            )
        if self.optimizer not in OPTIMIZERS:
            names = " or ".join(OPTIMIZERS)
            raise ValueError(f"`optimizer` must be {names}. Received: {self.optimizer!r}.")

    def changed(self, **changes):
        """The recipe with some numbers of yours; None leaves a number as it is.

        A new length of training keeps the warm-up's share of it, unless that is changed, too.

        Raises:
          ValueError: A name is unknown or a value impossible.
        """
        changes = {name: value for name, value in changes.items() if value is not None}
        names = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                raise ValueError(
                    f"A recipe has {', '.join(names)}. Received: {name!r}."
                    + (f" Did you mean {near[0]!r}?" if near else "")
                )
        if not changes:
            return self
        told = ", ".join(f"{name}={value}" for name, value in changes.items())
        lengths = {"train_steps", "epochs"} & changes.keys()
        warmups = {"warmup_steps", "warmup_proportion"} & changes.keys()
        if len(lengths) == 1:
            changes[({"train_steps", "epochs"} - lengths).pop()] = None
            if not warmups and self.warmup_steps is not None and self.train_steps is not None:
                changes["warmup_proportion"] = self.warmup_steps / self.train_steps
                changes["warmup_steps"] = None
        if len(warmups) == 1:
            changes[({"warmup_steps", "warmup_proportion"} - warmups).pop()] = None
        source = f"{self.source}; changed: {told}"
        return dataclasses.replace(self, **{"source": source, **changes})

    def steps(self, num_rows):
        """(updates, updates of warm-up) for a training set of so many rows."""
        total = self.train_steps or max(int(num_rows / self.batch_size * self.epochs), 1)
        if self.warmup_steps is not None:
            return total, self.warmup_steps
        return total, int(total * self.warmup_proportion)


def recipe_for(task, config, from_scratch=False):
    """The recipe for a task and a size of ALBERT.

    Args:
      task: Name of a task, such as "sst-2"; see `finetune_tasks.TASK_NAMES`.
      config: `AlbertConfig` of the checkpoint. It tells the size, and by its dropout the version:
        v2 models have none. (xxlarge has none in v1 either, and is treated as v2.)
      from_scratch: Whether the encoder has random weights.

    Returns:
      A `Recipe`; its `max_seq_length` is no longer than the model allows.

    Example:

    >>> from albert_tf.training.finetuning.recipes import recipe_for
    >>> from albert_tf.config import AlbertConfig
    >>> recipe = recipe_for("cola", AlbertConfig.from_preset("albert_xxlarge_v2"))
    >>> recipe.learning_rate, recipe.batch_size, recipe.train_steps, recipe.warmup_steps
    (1e-05, 16, 5336, 320)
    """
    recipe = RECIPES.get("race" if task.startswith("race") else task, OWN)
    size = model_size(config)
    if size is None or not size.endswith(("v2", "xxlarge")):
        recipe = dataclasses.replace(recipe, dropout_rate=None)
    elif task.startswith("race"):
        recipe = dataclasses.replace(
            recipe, learning_rate=1e-5, dropout_rate=0.0, source=f"{README}; {V2_RACE}"
        )
    if config.hidden_size < 768:
        source = f"{recipe.source}; but {SMALL}"
        recipe = dataclasses.replace(recipe, learning_rate=1e-4, source=source)
    if from_scratch:
        source = f"{recipe.source.split(';')[0]}; {FROM_SCRATCH}"
        recipe = dataclasses.replace(
            recipe, learning_rate=5e-4, warmup_steps=None, warmup_proportion=0.1, source=source
        )
    length = min(recipe.max_seq_length, config.max_position_embeddings)
    return dataclasses.replace(recipe, max_seq_length=length)


def model_size(config):
    """The published model that a configuration describes, such as "albert_base_v2", or None.

    The two versions of xxlarge have one configuration: "albert_xxlarge".
    """
    fields = (
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "hidden_dropout_prob",
    )

    def key(config):
        return tuple(getattr(config, field) for field in fields)

    names = [name for name, preset in PRESETS.items() if key(preset) == key(config)]
    return names[0] if len(names) == 1 else "albert_xxlarge" if names else None


def _paper(
    learning_rate,
    batch_size,
    dropout_rate,
    train_steps,
    warmup_steps,
    length=512,
    source=SCRIPT,
):
    """A row of the paper's table; its classifier dropout is 0.1 for all tasks."""
    return Recipe(
        learning_rate=learning_rate,
        batch_size=batch_size,
        dropout_rate=dropout_rate,
        train_steps=train_steps,
        warmup_steps=warmup_steps,
        max_seq_length=length,
        source=source,
    )


RECIPES = {
    "cola": _paper(1e-5, 16, 0.0, 5336, 320),
    "sts-b": _paper(2e-5, 16, 0.0, 3598, 214),
    "sst-2": _paper(1e-5, 32, 0.0, 20935, 1256),
    "mnli": _paper(3e-5, 128, 0.0, 10000, 1000),
    "mismnli": _paper(3e-5, 128, 0.0, 10000, 1000),
    "qnli": _paper(1e-5, 32, 0.0, 33112, 1986),
    "qqp": _paper(5e-5, 128, 0.1, 14000, 1000),
    "rte": _paper(3e-5, 32, 0.1, 800, 200),
    "mrpc": _paper(2e-5, 32, 0.0, 800, 200),
    "wnli": _paper(2e-5, 16, 0.1, 2000, 250, source=f"{PAPER}, from memory"),
    "squad1.1": _paper(5e-5, 48, 0.0, 3649, 365, 384, source=README),
    "squad2.0": _paper(3e-5, 48, 0.0, 8144, 814, source=TABLE),
    "race": _paper(2e-5, 32, 0.1, 12000, 1000, source=README),
}
OWN = Recipe(
    learning_rate=1e-5,
    batch_size=32,
    epochs=3.0,
    warmup_proportion=0.1,
    max_seq_length=128,
    source=OWN_DATA,
)
