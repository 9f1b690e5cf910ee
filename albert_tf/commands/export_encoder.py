"""Exports an ALBERT checkpoint as a SavedModel for hub.KerasLayer, Keras and TensorFlow Serving."""

from absl import flags

from albert_tf.commands.checkpoint_flags import checkpoint_path
from albert_tf.commands.run import run
from albert_tf.commands.table import print_checks
from albert_tf.commands.vocabulary_flags import chosen_vocabulary, told

_SP_MODEL = flags.DEFINE_string(
    "sp_model",
    None,
    "SentencePiece model to attach. Default: the vocabulary that lies with the checkpoint, if any.",
)
_OUTPUT = flags.DEFINE_string("output", None, "Directory to write.", required=True)
_SKIP_PADDING = flags.DEFINE_bool(
    "skip_padding",
    False,
    "Compute tokens only, not padding: the time goes with the number of tokens. sequence_output is "
    "zero at padding then, and XLA cannot compile the SavedModel.",
)
_COMPUTE_DTYPE = flags.DEFINE_enum(
    "compute_dtype",
    "float32",
    ["float32", "bfloat16", "float16"],
    "What blocks and pooler compute in. Variables and outputs are float32 in any case.",
)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace what is at --output.")


def main():
    from albert_tf.atomic import refuse_existing

    refuse_existing(_OUTPUT.value, overwrite=_OVERWRITE.value)  # Before TensorFlow starts.
    from albert_tf.checkpoints.read import read
    from albert_tf.pretrainer import AlbertPretrainer
    from albert_tf.saved_model.encoder import export_encoder

    checkpoint = read(*checkpoint_path())
    vocabulary = chosen_vocabulary(_SP_MODEL.value, checkpoint)
    model = AlbertPretrainer.from_checkpoint(checkpoint)
    print(model.restore_report)
    print(told(vocabulary))
    checks = export_encoder(
        model,
        _OUTPUT.value,
        sp_model=vocabulary,
        overwrite=_OVERWRITE.value,
        skip_padding=_SKIP_PADDING.value,
        compute_dtype=_COMPUTE_DTYPE.value,
    )
    print_checks(checks)
    print(f"Wrote {_OUTPUT.value}")


def start(argv=None):
    run(main, argv)
