"""Exports the preprocessor as a SavedModel for hub.KerasLayer, Keras and TensorFlow Serving.

It needs --sp_model or --vocab_file.
"""

from absl import flags

from albert_tf.commands.output_flags import OUTPUT, OVERWRITE
from albert_tf.commands.run import run
from albert_tf.commands.table import print_checks
from albert_tf.commands.vocabulary_flags import vocabulary_arguments

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


def main():
    from albert_tf.saved_model.preprocessor import export_preprocessor

    checks = export_preprocessor(
        path=OUTPUT.value,
        rules=_RULES.value,
        seq_length=_SEQ_LENGTH.value,
        overwrite=OVERWRITE.value,
        **vocabulary_arguments(),
    )
    print_checks(checks)
    print(f"Wrote {OUTPUT.value}")


def start(argv=None):
    run(main, argv)
