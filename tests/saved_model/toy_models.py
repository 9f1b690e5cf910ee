"""Small reusable SavedModels with the interface of the encoders and the preprocessor, and data."""

import os

import numpy as np
import tensorflow as tf

from albert_tf._keras import keras

KEYS = ("input_word_ids", "input_mask", "input_type_ids")
VOCAB, WIDTH = 20, 8


def build_encoder(path, dtypes=(tf.int32, tf.int64), forms=("dict", "list", "tuple")):
    """A SavedModel with the interface of the encoders: 3 trainable variables, 1 more in .mlm."""
    init = tf.random.Generator.from_seed(1)
    root, mlm = tf.train.Checkpoint(), tf.train.Checkpoint()
    table = tf.Variable(init.normal([VOCAB, WIDTH]), name="word_embeddings/embeddings")
    types = tf.Variable(init.normal([2, WIDTH]), name="type_embeddings/embeddings")
    kernel = tf.Variable(init.normal([WIDTH, WIDTH]), name="pooler_transform/kernel")
    scale = tf.Variable(1.0, trainable=False, name="scale")
    bias = tf.Variable(tf.zeros([VOCAB]), name="mlm/bias")

    def encode(ids, mask, type_ids, training):
        x = tf.gather(table, ids) + tf.gather(types, type_ids)
        if training:
            x = tf.nn.dropout(x, 0.5)
        weight = tf.cast(mask, tf.float32)[:, :, tf.newaxis]
        pooled = tf.tanh(tf.reduce_mean(x * weight, axis=1) @ kernel) * scale
        return pooled, x

    @tf.function(autograph=False)
    def call(inputs, training=False, mask=None):
        if isinstance(inputs, dict):
            pooled, sequence = encode(*(inputs[key] for key in KEYS), training)
            return {"default": pooled, "pooled_output": pooled, "sequence_output": sequence}
        return list(encode(*inputs, training))

    @tf.function(autograph=False)
    def call_mlm(inputs, training=False, mask=None):
        _, x = encode(*(inputs[key] for key in KEYS), training)
        x = tf.gather(x, inputs["masked_lm_positions"], batch_dims=1)
        return {"mlm_logits": tf.matmul(x, table, transpose_b=True) + bias}

    for dtype in dtypes:
        specs = {key: tf.TensorSpec([None, None], dtype, name=key) for key in KEYS}
        values = list(specs.values())
        traced = {"dict": specs, "list": values, "tuple": tuple(values)}
        for training in (True, False):
            for form in forms:
                call.get_concrete_function(traced[form], training, None)
            positions = tf.TensorSpec([None, None], dtype, name="masked_lm_positions")
            call_mlm.get_concrete_function(
                {**specs, "masked_lm_positions": positions}, training, None
            )

    signature = [tf.TensorSpec([None, None], tf.int32, name=key) for key in KEYS]

    @tf.function(input_signature=signature, autograph=False)
    def serving(input_word_ids, input_mask, input_type_ids):
        pooled, sequence = encode(input_word_ids, input_mask, input_type_ids, False)
        return {"pooled_output": pooled, "sequence_output": sequence}

    @tf.function(input_signature=[], autograph=False)
    def weight_decay():
        return 0.5 * tf.reduce_sum(kernel**2)

    root.__call__ = call
    root.variables = [table, types, kernel, scale]
    root.trainable_variables = [table, types, kernel]
    root.regularization_losses = [weight_decay]
    mlm.__call__ = call_mlm
    mlm.variables = [*root.variables, bias]
    mlm.trainable_variables = [*root.trainable_variables, bias]
    mlm.regularization_losses = [weight_decay]
    root.mlm = mlm
    asset = os.path.join(os.path.dirname(path), "spm.model")
    with open(asset, "w") as file:
        file.write("vocabulary")
    root.sp_model_file = tf.saved_model.Asset(asset)
    tf.saved_model.save(root, path, signatures=serving)
    os.remove(asset)
    return path


def build_preprocessor(path):
    """A SavedModel with the interface of the preprocessor: text to ids by hash."""
    root, tokenize = tf.train.Checkpoint(), tf.train.Checkpoint()

    def to_ids(text):
        return tf.strings.to_hash_bucket_fast(tf.strings.split(text), VOCAB - 1)

    def pack(segments, seq_length):
        ids = tf.cast(tf.concat(segments, axis=1) + 1, tf.int32)
        ids = ids.to_tensor()[:, :seq_length]
        ids = tf.pad(ids, [[0, 0], [0, seq_length - tf.shape(ids)[1]]])
        return {
            "input_word_ids": ids,
            "input_mask": tf.cast(ids > 0, tf.int32),
            "input_type_ids": ids * 0,
        }

    text = tf.TensorSpec([None], tf.string, name="text")
    root.__call__ = tf.function(lambda text: pack([to_ids(text)], 6), input_signature=[text])
    tokenize.__call__ = tf.function(
        lambda text: tf.cast(to_ids(text), tf.int32), input_signature=[text]
    )

    @tf.function
    def bert_pack_inputs(inputs, seq_length=6):
        return pack(inputs, seq_length)

    ragged = tf.RaggedTensorSpec([None, None], tf.int32)
    for count in (1, 2):
        bert_pack_inputs.get_concrete_function([ragged] * count, tf.TensorSpec([], tf.int32))
    root.tokenize, root.bert_pack_inputs = tokenize, bert_pack_inputs
    tf.saved_model.save(root, path)
    return path


def arrays(dtype="int32", batch=4, length=5):
    rng = np.random.default_rng(0)
    ids = rng.integers(1, VOCAB, (batch, length)).astype(dtype)
    return {"input_word_ids": ids, "input_mask": np.ones_like(ids), "input_type_ids": ids % 2}


def tensors(dtype="int32"):
    return {key: tf.constant(value) for key, value in arrays(dtype).items()}


def classifier(layer, as_list=False):
    inputs = {key: keras.Input((5,), dtype="int32", name=key) for key in KEYS}
    if as_list:
        pooled = layer(list(inputs.values()))[0]
    else:
        pooled = layer(inputs)["pooled_output"]
    return keras.Model(inputs, keras.layers.Dense(2, name="head")(pooled))


def compiled(model, optimizer="adam", **kwargs):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, **kwargs)
    return model


def values(variables):
    return [v.numpy().copy() for v in variables]


def changed(before, variables):
    return [bool((a != v.numpy()).any()) for a, v in zip(before, variables, strict=True)]


def output(result):
    return np.array(result["pooled_output"] if isinstance(result, dict) else result[0])
