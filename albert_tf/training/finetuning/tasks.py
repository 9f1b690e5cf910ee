"""Tasks by name, with their data."""

import inspect
from typing import Any

from albert_tf.training.finetuning.classification_task import GLUE_TASKS, glue_task, own_task
from albert_tf.training.finetuning.embedding_task import embedding_task
from albert_tf.training.finetuning.multi_label_task import multi_label_task
from albert_tf.training.finetuning.race_task import race_task
from albert_tf.training.finetuning.squad_task import squad_task
from albert_tf.training.finetuning.tagging_task import tagging_task
from albert_tf.training.finetuning.task import FinetuneTask

_MAKERS = {
    **dict.fromkeys(GLUE_TASKS, glue_task),
    **dict.fromkeys(("squad1.1", "squad2.0"), squad_task),
    **dict.fromkeys(("race", "race-middle", "race-high"), race_task),
    **dict.fromkeys(("classification", "regression"), own_task),
    "multi-label": multi_label_task,
    "tagging": tagging_task,
    "embedding": embedding_task,
}
TASK_NAMES = tuple(_MAKERS)


def make_task(name: str, **data: Any) -> FinetuneTask:
    """A `FinetuneTask` with its data read.

    Args:
      name: One of `TASK_NAMES`, in any case: GLUE's tasks, "squad1.1", "squad2.0", "race" (or one
        of its levels), and "classification", "multi-label", "regression", "tagging", "embedding"
        for your own files.
      **data: Where the data are: arguments of `glue_task`, `own_task`, `multi_label_task`,
        `squad_task`, `race_task`, `tagging_task` or `embedding_task`, such as `data_dir`. None is
        the same as leaving one out.

    Raises:
      ValueError: The name is unknown, an argument is not one of the task's, or a row is malformed.
      FileNotFoundError: A file is missing.

    Example:

    >>> import pathlib, tempfile
    >>> from albert_tf.training.finetuning.tasks import make_task
    >>> directory = pathlib.Path(tempfile.mkdtemp())
    >>> for split in ("train", "dev"):
    ...     _ = (directory / f"{split}.tsv").write_text("sentence\\tlabel\\na fine film\\t1\\n")
    >>> task = make_task("sst-2", data_dir=directory)
    >>> task.best_metric, len(task.splits["train"])
    ('accuracy', 1)
    """
    name = name.lower()
    if name not in _MAKERS:
        raise ValueError(f"The task must be one of {', '.join(TASK_NAMES)}. Received: {name!r}.")
    data = {key: value for key, value in data.items() if value is not None}
    known = list(inspect.signature(_MAKERS[name]).parameters)[1:]
    if strange := sorted(set(data) - set(known)):
        raise ValueError(
            f"{name} is told where its data are by {', '.join(known)}. Received: "
            f"{', '.join(strange)}."
        )
    return _MAKERS[name](name, **data)
