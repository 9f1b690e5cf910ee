"""Exports an ALBERT checkpoint as a SavedModel for hub.KerasLayer, Keras and TensorFlow Serving."""

from absl import flags

from albert_tf.commands.run import run
from albert_tf.commands.table import print_checks

_CHECKPOINT = flags.DEFINE_string(
    "checkpoint",
    None,
    "Checkpoint to export: the directory of Google's albert_*.tar.gz (model.ckpt-best.*, "
    "albert_config.json), or the prefix of its files.",
    required=True,
)
_SP_MODEL = flags.DEFINE_string(
    "sp_model", None, "SentencePiece model of the checkpoint: 30k-clean.model.", required=True
)
_OUTPUT = flags.DEFINE_string("output", None, "Directory to write.", required=True)
_CONFIG = flags.DEFINE_string(
    "config", None, "Configuration file. Default: albert_config.json beside the checkpoint."
)
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
    from albert_tf.pretrainer import AlbertPretrainer
    from albert_tf.saved_model.encoder import export_encoder

    refuse_existing(_OUTPUT.value, overwrite=_OVERWRITE.value)
    model = AlbertPretrainer.from_checkpoint(_CHECKPOINT.value, config=_CONFIG.value)
    print(model.restore_report)
    checks = export_encoder(
        model,
        _OUTPUT.value,
        sp_model=_SP_MODEL.value,
        overwrite=_OVERWRITE.value,
        skip_padding=_SKIP_PADDING.value,
        compute_dtype=_COMPUTE_DTYPE.value,
    )
    print_checks(checks)
    print(f"Wrote {_OUTPUT.value}")


def start(argv=None):
    run(main, argv)
