"""The course of a training run for TensorBoard."""

import tensorflow as tf

from albert_tf.training.engine.callbacks import Callback


class TensorBoard(Callback):
    """Writes the same numbers as TensorBoard events; works without TensorBoard being installed.

    Args:
      directory: Where to write.
      every: Write every so many steps only.
    """

    def __init__(self, directory, every=1):
        self.directory = str(directory)
        self.every = every
        self.writer = None

    def on_begin(self, run):
        self.writer = tf.summary.create_file_writer(self.directory)

    def on_steps(self, logs):
        for i, step in enumerate(logs["step"]):
            if step % self.every == 0:
                values = {name: values[i] for name, values in logs.items() if name != "step"}
                self._write("train", step, values)

    def on_evaluation(self, step, metrics):
        self._write("evaluation", step, metrics)

    def on_end(self):
        if self.writer is not None:
            self.writer.close()

    def _write(self, group, step, values):
        # tf.summary.scalar is this, in a package that TensorFlow no longer brings along.
        metadata = tf.compat.v1.SummaryMetadata(data_class="DATA_CLASS_SCALAR")
        metadata.plugin_data.plugin_name = "scalars"
        with self.writer.as_default():
            for name, value in values.items():
                value = tf.cast(value, tf.float32)
                tf.summary.write(f"{group}/{name}", value, step=int(step), metadata=metadata)
