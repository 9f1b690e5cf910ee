"""albert_tf as users have it: an exported SavedModel, loaded by TensorFlow alone.

    python saved_model.py DIRECTORY [--jit]

`albert_tf` is not imported. With --jit the loaded object is called in a function compiled by XLA.
"""

import sys

import tensorflow as tf
from serve import serve_encoder

loaded = tf.saved_model.load(sys.argv[1])
call = tf.function(lambda *inputs: loaded(list(inputs)), jit_compile=True, autograph=False)
if "--jit" not in sys.argv:

    def call(*inputs):
        return loaded(list(inputs))


def forward(*inputs):
    pooled_output, sequence_output = call(*map(tf.constant, inputs))
    return pooled_output.numpy(), sequence_output.numpy()


serve_encoder(forward)
