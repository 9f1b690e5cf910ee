"""`python -m export.encoder --help`: see albert_tf/commands/export_encoder.py."""

from albert_tf.commands.export_encoder import start

if __name__ == "__main__":
    start()
