"""Exports the preprocessor as a SavedModel for hub.KerasLayer, Keras and TensorFlow Serving."""

from absl import flags

from albert_tf.commands.run import run
from albert_tf.commands.table import print_checks
from albert_tf.commands.vocabulary_flags import wordpiece_arguments

_SP_MODEL = flags.DEFINE_string(
    "sp_model", None, "SentencePiece model of the checkpoint: 30k-clean.model; or --vocab_file."
)
_OUTPUT = flags.DEFINE_string("output", None, "Directory to write.", required=True)
_RULES = flags.DEFINE_enum(
    "rules",
    None,
    ["tfhub", "original"],
    "Text rules that the model behind it was trained with. original: those of Google's Python "
    "tokenizer, with which ALBERT and all that albert-tf trains was trained. tfhub: those of "
    "tensorflow/albert_en_preprocess/3. Default: what task.json beside --sp_model says, or else "
    "tfhub, since the output takes the place of that SavedModel. Not with --vocab_file.",
)
_SEQ_LENGTH = flags.DEFINE_integer("seq_length", 128, "Length of the encoder inputs.")
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace what is at --output.")


def main():
    from albert_tf.saved_model.preprocessor import export_preprocessor

    checks = export_preprocessor(
        _SP_MODEL.value,
        _OUTPUT.value,
        rules=_RULES.value,
        seq_length=_SEQ_LENGTH.value,
        overwrite=_OVERWRITE.value,
        **wordpiece_arguments(),
    )
    print_checks(checks)
    print(f"Wrote {_OUTPUT.value}")


def start(argv=None):
    run(main, argv)
