"""Converts a checkpoint of any flavor: to a SavedModel, TF1, Hugging Face or Keras."""

from absl import flags

from albert_tf.commands.conversion_flags import run_conversion
from albert_tf.commands.run import run

_TO = flags.DEFINE_enum(
    "to",
    None,
    ["savedmodel", "tf1", "huggingface", "keras"],
    "savedmodel: for hub.KerasLayer, Keras and TensorFlow Serving. tf1: for Google's original "
    "code. huggingface: for transformers. keras: a .keras file.",
    required=True,
)
_LOWER = flags.DEFINE_bool("lower", True, "Whether Hugging Face's tokenizer lower-cases.")
_DTYPE = flags.DEFINE_enum(
    "dtype", "float32", ["float32", "float16"], "Of the weights written for Hugging Face."
)
_ENCODER_ONLY = flags.DEFINE_bool(
    "encoder_only",
    False,
    "Leave out the head of a fine-tuned checkpoint, which only --to=huggingface can write.",
)


def main():
    run_conversion(
        _TO.value, encoder_only=_ENCODER_ONLY.value, lower=_LOWER.value, dtype=_DTYPE.value
    )


def start(argv=None):
    run(main, argv)
