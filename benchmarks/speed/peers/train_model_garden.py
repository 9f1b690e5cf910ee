"""A training step of the Model Garden: python train_model_garden.py fine-tuning|pre-training"""

import os
import sys

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow as tf
import tf_keras
from official.nlp.modeling.models import BertClassifier, BertPretrainer
from official.nlp.modeling.networks.albert_encoder import AlbertEncoder
from serve import batch as make_batch
from serve import seconds, serve

PREDICTIONS = 20
pretraining = sys.argv[1] == "pre-training"
encoder = AlbertEncoder(30000, type_vocab_size=2, dropout_rate=0.0, attention_dropout_rate=0.0)
if pretraining:
    model = BertPretrainer(encoder, num_classes=2, num_token_predictions=PREDICTIONS)
else:
    model = BertClassifier(encoder, num_classes=2, dropout_rate=0.0)
optimizer = tf_keras.optimizers.AdamW(1e-5, weight_decay=0.01, global_clipnorm=1.0)
cross_entropy = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def train(inputs, labels):
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=True)
        if pretraining:
            order = cross_entropy(tf.zeros_like(labels[:, 0]), outputs["classification"])
            loss = cross_entropy(labels, outputs["masked_lm"]) + order
        else:
            loss = cross_entropy(labels, outputs)
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


def step(rows, length):
    ids, mask, types = map(tf.constant, make_batch(rows, length))
    inputs = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": types}
    labels = np.zeros([len(rows)], np.int32)
    if pretraining:
        labels = np.tile(np.arange(PREDICTIONS, dtype=np.int32), [len(rows), 1])
        inputs["masked_lm_positions"] = tf.constant(labels)
    return seconds(lambda: train(inputs, tf.constant(labels)).numpy())


serve({"step": step})
