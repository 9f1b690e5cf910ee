"""A predictor inside a pipeline of Apache Beam."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from albert_tf._types import Path
from albert_tf.prediction.batches import WINDOW_ROWS
from albert_tf.prediction.predictor import Predictor

try:
    from apache_beam.ml.inference.base import ModelHandler, PredictionResult
except ImportError as error:
    ModelHandler, _MISSING = object, error  # Reading the class's documentation needs no Beam.
else:
    _MISSING = None

_FEWEST_ROWS = 256
_CHARACTERS = 4096  # A text with so many counts as one more, so that batches are bounded.


class PredictorModelHandler(ModelHandler):
    """`Predictor` for Apache Beam's RunInference: texts in, answers out, on any of Beam's runners.

    Elements are what a `Predictor` is called with: a text, a tuple or a dict of texts. Results are
    Beam's `PredictionResult(example, inference, model_id)`, with the answer as `inference` and the
    path as `model_id`. Each process of a worker loads the model once. Beam makes batches of up to
    4,096 texts, of 16 million characters unless a single one has more; in these, the predictor
    sorts, and batches by tokens. Does not read or write files: Beam does.

    Args:
      path, task, **settings: As for `Predictor`, `batch_tokens` included. The path is one that the
        workers can read, or a handle.
      min_batch_size, max_batch_size, max_batch_duration_secs, element_size_fn, batch_length_fn,
        batch_bucket_boundaries: As for Beam's own handlers, and for its `BatchElements`.
      large_model: Whether the processes of a worker share one model.
      model_copies: How many models they share.
      env_vars: dict of environment variables to set before the model is loaded.

    Raises:
      ImportError: apache-beam is missing.

    Inputs: `RunInference` takes a PCollection of texts, tuples or dicts, and `inference_args` with
      `top_k` if at all. Outputs: a PCollection of `PredictionResult`.

    Example:

    >>> import apache_beam as beam
    >>> from apache_beam.ml.inference.base import RunInference
    >>> import albert_tf
    >>> handler = albert_tf.PredictorModelHandler("albert_tiny_en", task="embedding")
    >>> with beam.Pipeline() as pipeline:
    ...     _ = (
    ...         pipeline
    ...         | beam.Create(["How old are you?"])
    ...         | RunInference(handler)
    ...         | beam.Map(lambda result: print(result.example, result.inference.shape))
    ...     )
    How old are you? (192,)

    Reference: `RunInference` and `ModelHandler` of Apache Beam.
    """

    def __init__(
        self,
        path: Path,
        task: str | None = None,
        *,
        min_batch_size: int | None = None,
        max_batch_size: int = WINDOW_ROWS,
        max_batch_duration_secs: int | None = None,
        element_size_fn: Callable[[Any], int] | None = None,
        batch_length_fn: Callable[[Any], int] | None = None,
        batch_bucket_boundaries: list[int] | None = None,
        large_model: bool = False,
        model_copies: int | None = None,
        env_vars: dict[str, str] | None = None,
        **settings: Any,
    ) -> None:
        if _MISSING is not None:
            raise ImportError(
                "PredictorModelHandler needs apache-beam. Received: no such package "
                f"({_MISSING}). Install it with `pip install albert_tf[beam]`."
            )
        super().__init__(
            min_batch_size=min_batch_size or min(_FEWEST_ROWS, max_batch_size),
            max_batch_size=max_batch_size,
            max_batch_duration_secs=max_batch_duration_secs,
            element_size_fn=element_size_fn or element_size,
            batch_length_fn=batch_length_fn,
            batch_bucket_boundaries=batch_bucket_boundaries,
            large_model=large_model,
            model_copies=model_copies,
            env_vars=env_vars or {},
        )
        self._path = os.fspath(path)
        self._task = task
        self._settings = settings

    def load_model(self) -> Predictor:
        """The predictor."""
        return Predictor(self._path, self._task, **self._settings)

    def run_inference(
        self,
        batch: Sequence[Any],
        model: Predictor,
        inference_args: dict[str, Any] | None = None,
    ) -> list:
        """The `PredictionResult` of each element of a batch."""
        batch = list(batch)  # Empty ones come too: before an element that is larger than a batch.
        answers = model(batch, **(inference_args or {}))
        return [PredictionResult(x, answer, self._path) for x, answer in zip(batch, answers)]

    def validate_inference_args(self, inference_args: dict[str, Any] | None) -> None:
        """Raises a ValueError unless there is `top_k` at most."""
        if set(inference_args or {}) - {"top_k"}:
            raise ValueError(
                f"`inference_args` may have top_k alone. Received: {inference_args}. What else a "
                "Predictor is told are arguments of PredictorModelHandler."
            )

    def update_model_path(self, model_path: str | None = None) -> None:
        """Takes another model, as Beam's automatic model refresh asks for it."""
        self._path = model_path or self._path

    def get_num_bytes(self, batch: Sequence[Any]) -> int:
        """About that of the texts, for Beam's metrics."""
        return sum(map(_characters, batch))

    def get_metrics_namespace(self) -> str:
        """What Beam's metrics are called by."""
        return "BeamML_albert_tf"


def element_size(element: Any) -> int:
    """What an element counts in a batch: 1, and more if it is long."""
    return 1 + _characters(element) // _CHARACTERS


def _characters(element):
    """Of all texts of an element; what is no text is for the predictor to refuse."""
    if isinstance(element, (str, bytes)):
        return len(element)
    if isinstance(element, Mapping):
        element = element.values()
    elif not isinstance(element, (tuple, list)):
        return 0
    return sum(map(_characters, element))
