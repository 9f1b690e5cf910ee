"""What a fine-tuning leaves behind: scores, predictions, curves and a SavedModel."""

import dataclasses
import math

from albert_tf._keras import uninitialized
from albert_tf.encoder import AlbertEncoder
from albert_tf.training.finetuning.recipes import model_size


def write_results(run, state):
    """Scores the best weights on all splits and writes what `finetune` promises.

    Args:
      run: A trained `FinetuneRun`.
      state: The `RunState` that its training ended with.

    Returns:
      {split: {name: number}}; {} for a split without labels. The same on all processes.
    """
    scores, outputs = {}, {split: run.outputs(split) for split in run.evaluation}
    run.check_best(outputs["dev"], state.warnings)
    for split, data in run.evaluation.items():
        scores[split] = run.task.scores(split, data.features, outputs[split])
        for name, value in scores[split].items():
            run.say(f"{split} {name}: {_told(value)}")
    if not run.chief:
        return scores
    for split, data in run.evaluation.items():
        for path in run.task.write_predictions(
            run.output / "predictions", split, data.features, outputs[split], scores
        ):
            run.say(f"wrote {path}")
    run.write_metrics(
        state,
        {s: {n: _jsonable(v) for n, v in x.items()} for s, x in scores.items()},
        task=run.task.name,
        best_metric=run.best_metric,
        best_step=state.best_step,
        stopped_by=state.stopped_by,
        examples={split: len(examples) for split, examples in run.task.splits.items()},
        size=model_size(run.config),
        recipe=dataclasses.asdict(run.recipe),
    )
    run.draw_curves(dict.fromkeys(["loss", run.best_metric]), 0.9, state.best_step)
    if run.options.export:
        path = run.output / "saved_model"
        model = _plain_model(run)
        checks = run.task.export(model, path, run.vocabulary, run.recipe, scores["dev"])
        run.say(f"wrote {path}; {len(checks)} checks passed")
    return scores


def _plain_model(run):
    """The model in float32 and on no devices in particular, as a SavedModel should be."""
    with uninitialized():
        model = run.task.build(AlbertEncoder.from_albert_config(run.config), run.recipe)
    model.set_weights(run.model.get_weights())
    return model


def _told(value):
    return "not defined (constant predictions)" if math.isnan(value) else f"{value:.4f}"


def _jsonable(value):
    return None if math.isnan(value) else value
