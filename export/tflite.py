"""`python -m export.tflite --help`: see albert_tf/commands/export_tflite.py."""

from albert_tf.commands.export_tflite import start

if __name__ == "__main__":
    start()
