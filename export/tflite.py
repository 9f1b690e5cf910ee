"""`python -m export.tflite --help`: see albert_tf/commands/export_tflite.py."""

from absl import flags

from albert_tf.commands import export_tflite

if __name__ == "__main__":
    flags.adopt_module_key_flags(export_tflite)  # --help lists those of this file only.
    export_tflite.start()
