"""Exports a checkpoint as an ONNX file, for ONNX Runtime, its version for browsers, or OpenVINO.

    albert-tf export-onnx --checkpoint=albert_base --output=albert.onnx

A fine-tuned checkpoint, such as a run of `albert-tf finetune`, goes with its head. The file takes
token ids, any number of rows of any length, and is compared with the model before it appears.
"""

from absl import flags

from albert_tf.commands.checkpoint_flags import checkpoint_path
from albert_tf.commands.run import run
from albert_tf.commands.table import print_checks

_OUTPUT = flags.DEFINE_string("output", None, "File to write.", required=True)
_TASK = flags.DEFINE_enum(
    "task",
    None,
    ["encoder", "pretrainer", "classifier", "token-classifier", "span-labeler", "multiple-choice"],
    "The model that is exported. Default: that of the checkpoint's task, or else the encoder.",
)
_SKIP_PADDING = flags.DEFINE_bool(
    "skip_padding",
    False,
    "Compute tokens only, not padding: for long batches of rows of different lengths.",
)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace the earlier file at --output.")


def main():
    from albert_tf.onnx_file import export_onnx, refuse_existing, require_packages

    refuse_existing(_OUTPUT.value, overwrite=_OVERWRITE.value)
    require_packages()
    checks = export_onnx(
        _model(), _OUTPUT.value, overwrite=_OVERWRITE.value, skip_padding=_SKIP_PADDING.value
    )
    print_checks(checks)
    print(f"Wrote {_OUTPUT.value}")


def _model():
    import albert_tf
    from albert_tf.checkpoints.read import read
    from albert_tf.tasks.loading import task_model_class

    models = {
        "encoder": albert_tf.AlbertEncoder,
        "pretrainer": albert_tf.AlbertPretrainer,
        "classifier": albert_tf.AlbertClassifier,
        "token-classifier": albert_tf.AlbertTokenClassifier,
        "span-labeler": albert_tf.AlbertSpanLabeler,
        "multiple-choice": albert_tf.AlbertMultipleChoice,
    }
    checkpoint = read(*checkpoint_path())
    if _TASK.value is None:
        model_class = task_model_class(checkpoint) or albert_tf.AlbertEncoder
    else:
        model_class = models[_TASK.value]
    model = model_class.from_checkpoint(checkpoint)
    restored = model if hasattr(model, "restore_report") else model.encoder
    print(restored.restore_report)
    return model


def start(argv=None):
    run(main, argv)
