"""Exports a checkpoint as a TensorFlow Lite file, in float32 or with int8 weights.

The encoder; with --task, a model of a task with its head, such as a run of `albert-tf finetune`.
Not for RACE, nor for SQuAD 2.0, whose model reads its own answers.
"""

from absl import flags

from albert_tf.commands.checkpoint_flags import checkpoint_path
from albert_tf.commands.run import run
from albert_tf.commands.table import print_checks

_OUTPUT = flags.DEFINE_string("output", None, "File to write.", required=True)
_TASK = flags.DEFINE_enum(
    "task",
    None,
    ["classifier", "token_classifier", "span_labeler"],
    "The head that the checkpoint has. Default: none, only the encoder is exported.",
)
_NUM_CLASSES = flags.DEFINE_integer(
    "num_classes", None, "Number of classes that the head must have. Default: as many as it has."
)
_SEQ_LENGTH = flags.DEFINE_integer("seq_length", 128, "Length of all rows in tokens.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 1, "Number of rows.")
_WEIGHTS = flags.DEFINE_enum(
    "weights",
    "float32",
    ["float32", "int8"],
    "int8: a quarter of the size, by dynamic range quantization.",
)
_UNROLL = flags.DEFINE_bool(
    "unroll", False, "Layer after layer instead of a loop, for delegates that run no loops."
)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace the earlier file at --output.")


def main():
    from albert_tf.tflite import export_tflite, refuse_existing

    refuse_existing(_OUTPUT.value, overwrite=_OVERWRITE.value)
    checks = export_tflite(
        _model(),
        _OUTPUT.value,
        seq_length=_SEQ_LENGTH.value,
        batch_size=_BATCH_SIZE.value,
        weights=_WEIGHTS.value,
        overwrite=_OVERWRITE.value,
        unroll=_UNROLL.value,
    )
    print_checks(checks)
    print(f"Wrote {_OUTPUT.value}")


def _model():
    from albert_tf.checkpoints.read import read
    from albert_tf.checkpoints.task_head import number_of_classes, restore_task_head
    from albert_tf.encoder import AlbertEncoder
    from albert_tf.tasks.classifier import AlbertClassifier
    from albert_tf.tasks.span_labeler import AlbertSpanLabeler
    from albert_tf.tasks.token_classifier import AlbertTokenClassifier

    checkpoint = read(*checkpoint_path())
    encoder = AlbertEncoder.from_checkpoint(checkpoint)
    print(encoder.restore_report)
    if _TASK.value is None:
        return encoder
    task = {
        "classifier": AlbertClassifier,
        "token_classifier": AlbertTokenClassifier,
        "span_labeler": AlbertSpanLabeler,
    }[_TASK.value]
    if task is AlbertSpanLabeler:
        model = task(encoder)
    else:
        stored = number_of_classes(checkpoint, task.head_weight_names)
        model = task(encoder, _NUM_CLASSES.value or stored)
    restore_task_head(model, checkpoint)
    return model


def start(argv=None):
    run(main, argv)
