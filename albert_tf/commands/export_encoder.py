"""Exports an ALBERT checkpoint as a SavedModel for hub.KerasLayer, Keras and TensorFlow Serving.

It is `albert-tf convert --to=savedmodel --encoder_only`.
"""

from albert_tf.commands.conversion_flags import run_conversion
from albert_tf.commands.run import run


def main():
    run_conversion("savedmodel", encoder_only=True)


def start(argv=None):
    run(main, argv)
