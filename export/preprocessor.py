"""`python -m export.preprocessor --help`: see albert_tf/commands/export_preprocessor.py."""

from albert_tf.commands.export_preprocessor import start

if __name__ == "__main__":
    start()
