"""Exports a checkpoint or a run as a SavedModel that takes text, for any task.

    albert-tf export --checkpoint=run --output=models/sentiment/1
    albert-tf export --task=embedding --checkpoint=albert_base --output=models/embedder/1

TensorFlow Serving looks for versions: directories called by numbers, such as 1, below the model's.
"""

from absl import flags

from albert_tf.commands.checkpoint_flags import checkpoint_path
from albert_tf.commands.compute_dtype_flag import COMPUTE_DTYPE
from albert_tf.commands.output_flags import OUTPUT, OVERWRITE
from albert_tf.commands.run import run
from albert_tf.commands.table import print_checks
from albert_tf.commands.task_flags import TASK, given_settings

_TOP_K = flags.DEFINE_integer("top_k", None, "fill-mask: word pieces for each mask (5).")
_SKIP_PADDING = flags.DEFINE_bool(
    "skip_padding",
    True,
    "Compute tokens only, not padding: the same answers in less time. XLA cannot compile it.",
)
_WARMUP = flags.DEFINE_bool(
    "warmup",
    False,
    "Write assets.extra/tf_serving_warmup_requests: TensorFlow Serving computes them before it "
    "answers the first request.",
)


def main():
    from albert_tf.atomic import refuse_existing
    from albert_tf.saved_model.checkpoint_task import checkpoint_task
    from albert_tf.saved_model.tasks import export_task

    refuse_existing(OUTPUT.value, overwrite=OVERWRITE.value)
    path, config = checkpoint_path()
    settings = given_settings()
    if _TOP_K.value is not None:
        settings["top_k"] = _TOP_K.value
    task = checkpoint_task(path, TASK.value, config=config, **settings)
    print(task.export.model.encoder.restore_report)
    checks = export_task(
        task.export,
        OUTPUT.value,
        task.vocabulary,
        rules=task.rules,
        seq_length=task.seq_length,
        overwrite=OVERWRITE.value,
        skip_padding=_SKIP_PADDING.value,
        compute_dtype=COMPUTE_DTYPE.value,
        warmup=_WARMUP.value,
    )
    print_checks(checks)
    print(f"Wrote {OUTPUT.value}")


def start(argv=None):
    run(main, argv)
