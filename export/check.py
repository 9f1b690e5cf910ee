"""`python -m export.check --help`: see albert_tf/commands/check.py."""

from albert_tf.commands.check import start

if __name__ == "__main__":
    start()
