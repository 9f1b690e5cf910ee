"""KerasHub's AlbertBackbone on TensorFlow, in a tf.function, with XLA on --jit."""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"

import tensorflow as tf
from keras_hub.models import AlbertBackbone
from serve import serve_encoder

encoder = AlbertBackbone(30000, 12, 12, 128, 768, 3072)


@tf.function(jit_compile="--jit" in sys.argv, reduce_retracing="--jit" not in sys.argv)
def call(ids, mask, types):
    inputs = {"token_ids": ids, "padding_mask": mask, "segment_ids": types}
    return encoder(inputs, training=False)


def forward(*inputs):
    outputs = call(*map(tf.constant, inputs))
    return outputs["pooled_output"].numpy(), outputs["sequence_output"].numpy()


serve_encoder(forward)
