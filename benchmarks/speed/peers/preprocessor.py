"""albert_tf's exported preprocessor in tf.data, on batches: text in, ids of length 128 out."""

import sys

import tensorflow as tf
import tensorflow_text  # noqa: F401, the ops of the SavedModel
from serve import seconds, serve

preprocessor = tf.saved_model.load(sys.argv[1])


def run(texts, batch):
    data = tf.data.Dataset.from_tensor_slices(texts).batch(batch)
    data = data.map(preprocessor, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)
    return seconds(lambda: [None for _ in data])


serve({"run": run})
