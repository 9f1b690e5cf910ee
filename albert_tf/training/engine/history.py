"""The course of a training run as a table and as curves."""

import csv
import pathlib

from albert_tf.atomic import local_path, new_file
from albert_tf.training.engine.callbacks import Callback


class History(Callback):
    """Writes `history.csv` (one row a step) and `evaluations.csv` into the run's directory.

    When a run goes on from a saved state, rows after that state are dropped first, so that no step
    is there twice.

    Args:
      directory: The run's directory.
      every: Write every so many steps only.
    """

    def __init__(self, directory, every=1):
        if every < 1:
            raise ValueError(f"`every` must be positive. Received: {every!r}.")
        self.directory = local_path(directory)
        self.every = every

    def on_begin(self, run):
        self.directory.mkdir(parents=True, exist_ok=True)
        for name in ("history.csv", "evaluations.csv"):
            _keep_up_to(self.directory / name, run["step"])

    def on_steps(self, logs):
        rows = [
            {name: _short(values[i]) for name, values in logs.items()}
            for i, step in enumerate(logs["step"])
            if step % self.every == 0
        ]
        _append(self.directory / "history.csv", rows)

    def on_evaluation(self, step, metrics):
        row = {name: _short(value) for name, value in metrics.items()}
        path = self.directory / "evaluations.csv"
        _keep_up_to(path, step - 1)  # A run that was killed before it was saved evaluates again.
        _append(path, [{"step": step, **row}])


def read_csv(path):
    """A file of `History` as {column: list of numbers}."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ())}


def rows_up_to(path, step):
    """The rows of a file of `History` up to a step, list of {column: str}."""
    with open(path, newline="", encoding="utf-8") as file:
        # A process that was killed while writing may have left half a row.
        rows = [row for row in csv.DictReader(file) if None not in row.values()]
    return [row for row in rows if float(row["step"]) <= step]


def plot_curves(directory, names=("loss",), smooth=0.0, chosen=None):
    """Draws columns of `history.csv` and `evaluations.csv` over the steps into `curves.png`.

    Args:
      directory: The run's directory.
      names: Columns; one picture below the other. Unknown ones are errors.
      smooth: Weight of the past in an exponential moving average of the training steps, in
        [0, 1), which is drawn over them. It is corrected for its start, as Adam's moments are.
        Evaluations are drawn as they are.
      chosen: The step whose weights were kept, to be marked; None for none.

    Returns:
      The path of the picture.

    Raises:
      ImportError: matplotlib is missing.
      ValueError: A column does not exist; `directory` is a URL.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError:
        raise ImportError(
            "Curves need matplotlib. Received: no such module. Install it with `pip install "
            "matplotlib`."
        ) from None
    local_path(directory)  # Refuses what is not one.
    directory = pathlib.Path(directory)
    files = {"training": directory / "history.csv", "evaluation": directory / "evaluations.csv"}
    tables = {kind: read_csv(path) for kind, path in files.items() if path.exists()}
    figure = Figure(figsize=(7.0, 2.6 * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    rows = figure.subplots(len(names), sharex=True, squeeze=False)[:, 0]
    for axes, name in zip(rows, names):
        found = {kind: table for kind, table in tables.items() if name in table}
        if not found:
            known = sorted({column for table in tables.values() for column in table} - {"step"})
            raise ValueError(f"A column must be one of {', '.join(known)}. Received: {name!r}.")
        for kind, table in found.items():
            steps, values = table["step"], table[name]
            marker = "." if len(steps) <= 30 else ""
            color = {"training": "tab:blue", "evaluation": "tab:orange"}[kind]
            if kind == "training" and smooth and len(steps) > 1:
                axes.plot(steps, values, color=color, alpha=0.3, label="training, each step")
                kind = f"training, moving average of about {round(1 / (1 - smooth))} steps"
                values, marker = _smoothed(values, smooth), ""
            axes.plot(steps, values, color=color, marker=marker, label=kind)
        if chosen is not None:
            axes.axvline(chosen, color="gray", linestyle="--", label=f"step {chosen}, chosen")
        axes.legend()
        axes.set(ylabel=name)
        axes.grid(alpha=0.3)
    rows[-1].set(xlabel="step")
    rows[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    path = directory / "curves.png"
    with new_file(path) as partial:
        figure.savefig(partial, dpi=120, format="png")
    return path


def _smoothed(values, weight):
    """The exponential moving average, divided by the weights that it has had so far."""
    smoothed, total, weights = [], 0.0, 0.0
    for value in values:
        total = weight * total + (1.0 - weight) * value
        weights = weight * weights + (1.0 - weight)
        smoothed.append(total / weights)
    return smoothed


def _short(value):
    return value if isinstance(value, int) else f"{value:.9g}"


def _append(path, rows):
    if not rows:
        return
    new = not path.exists()
    with open(path, "a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        if new:
            writer.writeheader()
        writer.writerows(rows)


def _keep_up_to(path, step):
    if not path.exists():
        return
    rows = rows_up_to(path, step)
    if not rows:
        path.unlink()
        return
    with new_file(path) as partial:
        _append(partial, rows)
