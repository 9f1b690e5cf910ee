"""`python -m export.convert --help`: see albert_tf/commands/convert.py."""

from absl import flags

from albert_tf.commands import convert

if __name__ == "__main__":
    flags.adopt_module_key_flags(convert)  # --help lists those of this file only.
    convert.start()
