"""albert_tf as users have it: an exported SavedModel, loaded by TensorFlow alone.

    python saved_model.py DIRECTORY [--jit]

`albert_tf` is not imported. The loaded object is called in a tf.function that returns the outputs
which are asked for, as Keras models do; with --jit it is compiled by XLA.
"""

import functools
import sys

import tensorflow as tf
from serve import serve_encoder

KEYS = ("input_word_ids", "input_mask", "input_type_ids")
jit = "--jit" in sys.argv
loaded = tf.saved_model.load(sys.argv[1])


@functools.cache
def function(names):
    def call(*inputs):
        outputs = loaded(dict(zip(KEYS, inputs)))
        return [outputs[name] for name in names]

    ids = tf.TensorSpec([None, None], tf.int32)
    # XLA compiles for each shape.
    signature = None if jit else [ids, ids, ids]
    return tf.function(call, signature, autograph=False, jit_compile=jit)


def forward(names, *inputs):
    return [output.numpy() for output in function(names)(*map(tf.constant, inputs))]


serve_encoder(forward)
