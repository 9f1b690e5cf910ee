"""`python -m export.inspect --help`: see albert_tf/commands/inspect_checkpoint.py."""

from absl import flags

from albert_tf.commands import inspect_checkpoint

if __name__ == "__main__":
    flags.adopt_module_key_flags(inspect_checkpoint)  # --help lists those of this file only.
    inspect_checkpoint.start()
