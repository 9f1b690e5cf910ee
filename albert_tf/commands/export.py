"""Exports a checkpoint or a run as a SavedModel that takes text, for any task.

    albert-tf export --checkpoint=run --output=models/sentiment/1
    albert-tf export --task=embedding --checkpoint=albert_base --output=models/embedder/1

TensorFlow Serving looks for versions: directories called by numbers, such as 1, below the model's.
"""

from absl import flags

from albert_tf.commands.checkpoint_flags import checkpoint_path
from albert_tf.commands.run import run
from albert_tf.commands.table import print_checks
from albert_tf.commands.task_flags import TASK, given_settings

_OUTPUT = flags.DEFINE_string("output", None, "Directory to write.", required=True)
_TOP_K = flags.DEFINE_integer("top_k", None, "fill-mask: word pieces for each mask (5).")
_SKIP_PADDING = flags.DEFINE_bool(
    "skip_padding",
    True,
    "Compute tokens only, not padding: the same answers in less time. XLA cannot compile it.",
)
_COMPUTE_DTYPE = flags.DEFINE_enum(
    "compute_dtype",
    "float32",
    ["float32", "bfloat16", "float16"],
    "What blocks and pooler compute in. Variables and outputs are float32 in any case.",
)
_WARMUP = flags.DEFINE_bool(
    "warmup",
    False,
    "Write assets.extra/tf_serving_warmup_requests: TensorFlow Serving computes them before it "
    "answers the first request.",
)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace what is at --output.")


def main():
    from albert_tf.atomic import refuse_existing
    from albert_tf.saved_model.checkpoint_task import checkpoint_task
    from albert_tf.saved_model.tasks import export_task

    refuse_existing(_OUTPUT.value, overwrite=_OVERWRITE.value)
    path, config = checkpoint_path()
    settings = given_settings()
    if _TOP_K.value is not None:
        settings["top_k"] = _TOP_K.value
    task = checkpoint_task(path, TASK.value, config=config, **settings)
    print(task.export.model.encoder.restore_report)
    checks = export_task(
        task.export,
        _OUTPUT.value,
        task.vocabulary,
        rules=task.rules,
        seq_length=task.seq_length,
        overwrite=_OVERWRITE.value,
        skip_padding=_SKIP_PADDING.value,
        compute_dtype=_COMPUTE_DTYPE.value,
        warmup=_WARMUP.value,
    )
    print_checks(checks)
    print(f"Wrote {_OUTPUT.value}")


def start(argv=None):
    run(main, argv)
