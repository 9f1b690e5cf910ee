"""How a fine-tuning runs, apart from its recipe; and the record that keeps a run what it is."""

import dataclasses
import json
import os
import pathlib

PRECISIONS = ("float32", "bfloat16", "float16")
RECORD = "run.json"


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

    @property
    def policy(self):
        """The Keras dtype policy."""
        return "float32" if self.precision == "float32" else f"mixed_{self.precision}"

    def deciding(self):
        """The options that the outcome depends on, as a dict."""
        # Where the others change between two calls, a run may well go on.
        free = ("tpu", "save_every", "steps_per_loop", "tensorboard", "export")
        return {k: v for k, v in dataclasses.asdict(self).items() if k not in free}


def check_record(output, record, writes=True):
    """Begins a run, or lets it go on if it is the same one.

    Args:
      output: The run's directory.
      record: dict for JSON: all that the outcome depends on.
      writes: Whether this process writes.

    Raises:
      ValueError: The directory holds another run.
      FileExistsError: The directory holds something else.
    """
    directory = pathlib.Path(output)
    path = directory / RECORD
    record = json.loads(json.dumps(record))
    if path.is_file():
        begun = json.loads(path.read_text(encoding="utf-8"))
        changed = [
            f"{name} {_short(record.get(name))} instead of {_short(begun.get(name))}"
            for name in {**begun, **record}
            if begun.get(name) != record.get(name)
        ]
        if changed:
            raise ValueError(
                f"A run goes on as it began. Received: for the one in {str(directory)!r} "
                f"{'; '.join(changed)}. Use another output directory, or the same options."
            )
    elif directory.exists() and any(directory.iterdir()) and writes:
        raise FileExistsError(
            f"The output must be a new directory, or that of the same run. Received: {output}, "
            f"which has files but no {RECORD}. Choose another path."
        )
    elif writes:
        directory.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, path)


def flat(record):
    """A nested dict as one of "outer.inner" names, so that differences can be told apart."""
    result = {}
    for name, value in record.items():
        if isinstance(value, dict):
            result |= {f"{name}.{inner}": v for inner, v in flat(value).items()}
        else:
            result[name] = value
    return result


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
