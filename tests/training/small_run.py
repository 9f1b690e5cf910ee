"""A small classifier and its data, for runs that are started in this process and in others."""

import numpy as np
import tensorflow as tf

from albert_tf._keras import keras
from albert_tf.encoder import AlbertEncoder
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.training.engine.losses import Accuracy, SparseCrossEntropy
from albert_tf.training.engine.train_step import TrainStep
from albert_tf.training.optimizers.adamw_lamb import Lamb
from albert_tf.training.optimizers.schedules import WarmupPolynomialDecay

VOCAB, LENGTH, BATCH, EXAMPLES = 50, 8, 8, 40


def mirrored():
    """Two devices. Not the default reduction: TensorFlow confuses the collective operations of
    several MirroredStrategy objects in one process."""
    reduction = tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=reduction)


def make_model(dropout=0.0, dtype="float32", num_layers=2):
    keras.utils.set_random_seed(7)
    encoder = AlbertEncoder(
        VOCAB, 8, 16, num_layers, 2, LENGTH, intermediate_size=24, dropout_rate=dropout,
        attention_dropout_rate=dropout, initializer=0.1, dtype=dtype,
    )  # fmt: skip
    return AlbertClassifier(encoder, num_classes=2, dropout_rate=dropout)


def make_step(
    strategy=None,
    dropout=0.0,
    dtype="float32",
    num_layers=2,
    num_steps=20,
    learning_rate=0.02,
    **options,
):
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        model = make_model(dropout, dtype, num_layers)
        optimizer = Lamb(WarmupPolynomialDecay(learning_rate, num_steps, 2))
    losses = {"loss": SparseCrossEntropy(weights="weights", labels="labels", epsilon=1e-5)}
    metrics = {"accuracy": Accuracy(labels="labels")}
    return TrainStep(model, losses, optimizer, strategy, metrics, **options)


def make_data(seed, epoch):
    """Label 1 if token 7 occurs; weights differ, so that means of means would be wrong."""
    random = np.random.RandomState(3)
    ids = random.randint(8, VOCAB, [EXAMPLES, LENGTH]).astype(np.int32)
    labels = random.randint(0, 2, EXAMPLES).astype(np.int32)
    ids[labels == 1, 3] = 7
    inputs = {
        "input_word_ids": ids,
        "input_mask": (np.arange(LENGTH) < random.randint(4, 9, [EXAMPLES, 1])).astype(np.int32),
        "input_type_ids": np.zeros_like(ids),
    }
    weights = random.choice([0.0, 0.5, 1.0], EXAMPLES).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices((inputs, {"labels": labels, "weights": weights}))
    dataset = dataset.shuffle(EXAMPLES, seed=1000 * seed + epoch)
    return dataset.batch(BATCH, drop_remainder=True)


def weights_of(model):
    return np.concatenate([np.asarray(w).ravel() for w in model.get_weights()])
