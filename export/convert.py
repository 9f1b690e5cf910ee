"""`python -m export.convert --help`: see albert_tf/commands/convert.py."""

from albert_tf.commands.convert import start

if __name__ == "__main__":
    start()
