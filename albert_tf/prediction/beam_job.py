"""The parts of a job, computed by the workers of an Apache Beam pipeline."""

import dataclasses
import re

from albert_tf.prediction.model_handler import PredictorModelHandler

try:
    import apache_beam as beam
    from apache_beam.ml.inference.base import RunInference
    from apache_beam.options.pipeline_options import (
        DirectOptions,
        PipelineOptions,
        WorkerOptions,
    )
    from apache_beam.runners.runner import PipelineState
except ImportError as error:
    raise ImportError(
        "Computing on Apache Beam needs apache-beam. Received: no such package. Install it with "
        "`pip install albert_tf[beam]`, or leave out --runner."
    ) from error

_TOKENS = "tokens"


@dataclasses.dataclass(frozen=True)
class OnBeam:
    """What computes a `Job` on Beam: `Job(..., compute=OnBeam(...))`.

    This process reads the rows and tells each worker where the window of rows begins that it is to
    answer. The worker reads these rows itself, so that no text passes through the pipeline, and
    writes their part; this process joins the parts. All must find model, input and the directory of
    the output under the same paths: on one machine, or in a folder that all machines share. The
    windows are those of a job without Beam, and so are the bytes on the same hardware. What is
    interrupted goes on, with Beam or without.

    Args:
      model: Positional and named arguments of the `Predictor`: (list, dict).
      options: list of str, Beam's, such as ["--runner=DirectRunner"].

    Raises:
      ValueError: Beam refuses the options.
    """

    model: tuple
    options: list

    def __post_init__(self):
        self._pipeline()  # What is wrong with the options is told before any work.

    def __call__(self, parts, predictor, total):
        """Writes the parts that are missing; see `compute_here`."""
        missing, left = [], 0
        for number, rows in parts.windows(predictor):
            if not parts.is_written(number):
                missing.append((number, rows[0].start, len(rows)))
                left += len(rows)
        tokens = self._run(parts, missing) if missing else 0
        lost = [number for number, _, _ in missing if not parts.is_written(number)]
        if lost:
            raise OSError(
                f"Workers must write into {parts.directory}. Received: a pipeline that ended "
                f"without {len(lost)} of {len(missing)} parts there. Put model, input and output "
                "into a folder that all machines share under the same path; the same command then "
                "goes on."
            )
        return left, tokens

    def _run(self, parts, missing):
        """Runs the pipeline; returns the number of tokens, 0 if the engine does not report it."""
        pipeline, (arguments, settings) = self._pipeline(), self.model
        _ = (
            pipeline
            | "Parts" >> beam.Create(missing)
            | "Spread" >> beam.Reshuffle()
            | "Answer" >> RunInference(_PartsHandler(parts, *arguments, **settings))
        )
        try:
            result = pipeline.run()
            state = result.wait_until_finish()
        except Exception as error:  # Of the workers: Beam has logged where it arose.
            lines = [line.strip() for line in str(error).splitlines() if re.search(r"\w", line)]
            raise _failure(lines[-1] if lines else repr(error)) from error
        if state != PipelineState.DONE:
            raise _failure(f"the state {state}")
        counters = result.metrics().query()["counters"]
        return sum(
            counter.result
            for counter in counters
            if counter.key.metric.namespace == __name__ and counter.key.metric.name == _TOKENS
        )

    def _pipeline(self):
        return beam.Pipeline(options=pipeline_options(self.options))


def pipeline_options(options):
    """Beam's `PipelineOptions`: several workers of the DirectRunner are processes; less is logged.

    Args:
      options: list of str.
    """
    found = PipelineOptions(list(options))
    direct = found.view_as(DirectOptions)
    if direct.direct_num_workers != 1 and direct.direct_running_mode == "in_memory":
        direct.direct_running_mode = "multi_processing"
    workers = found.view_as(WorkerOptions)
    workers.default_sdk_harness_log_level = workers.default_sdk_harness_log_level or "WARNING"
    return found


def unknown_options(options):
    """Names in a list of Beam's options that Beam does not know, list of str."""
    known = PipelineOptions([]).get_all_options()
    found = PipelineOptions(options).get_all_options(retain_unknown_options=True)
    return [name for name in found if name not in known]


class _PartsHandler(PredictorModelHandler):
    """Of elements (number of the part, where it begins, number of rows); writes the parts."""

    def __init__(self, parts, *arguments, **settings):
        super().__init__(*arguments, max_batch_size=1, **settings)
        self._parts = parts

    def run_inference(self, batch, model, inference_args=None):
        for number, start, count in batch:
            rows = self._parts.window(model, start, count)
            tokens = self._parts.write(model, number, rows)
            beam.metrics.Metrics.counter(__name__, _TOKENS).inc(tokens)
        return [number for number, _, _ in batch]


def _failure(received):
    return OSError(
        f"The pipeline must run to its end. Received: {received}. What it wrote stays: the same "
        "command goes on with the rest."
    )
