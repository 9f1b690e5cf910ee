"""KerasHub's AlbertBackbone on TensorFlow, in a tf.function, with XLA on --jit."""

import functools
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"

import tensorflow as tf
from keras_hub.models import AlbertBackbone
from serve import serve_encoder

encoder = AlbertBackbone(30000, 12, 12, 128, 768, 3072)


@functools.cache
def function(names):
    @tf.function(jit_compile="--jit" in sys.argv, reduce_retracing="--jit" not in sys.argv)
    def call(ids, mask, types):
        inputs = {"token_ids": ids, "padding_mask": mask, "segment_ids": types}
        outputs = encoder(inputs, training=False)
        return [outputs[name] for name in names]

    return call


def forward(names, *inputs):
    return [output.numpy() for output in function(names)(*map(tf.constant, inputs))]


serve_encoder(forward)
