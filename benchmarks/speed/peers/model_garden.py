"""The Model Garden's AlbertEncoder, as a tf.function of tf_keras."""

import functools
import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import tensorflow as tf
from official.nlp.modeling.networks.albert_encoder import AlbertEncoder
from serve import BOTH, serve_encoder

encoder = AlbertEncoder(vocab_size=30000, type_vocab_size=2)
# Shapes as its own exporter for TF Hub declares them.
ids = tf.TensorSpec([None, None], tf.int32)


@functools.cache
def function(names):
    @tf.function(input_signature=[ids, ids, ids])
    def call(*inputs):
        outputs = dict(zip(BOTH, encoder(list(inputs), training=False)))
        return [outputs[name] for name in names]

    return call


def forward(names, *inputs):
    return [output.numpy() for output in function(names)(*map(tf.constant, inputs))]


serve_encoder(forward)
