"""`python -m export.inspect --help`: see albert_tf/commands/inspect_checkpoint.py."""

from albert_tf.commands.inspect_checkpoint import start

if __name__ == "__main__":
    start()
