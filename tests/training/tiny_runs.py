"""The original's recorded training runs, as our models and batches."""

import numpy as np
import tensorflow as tf

from albert_tf.checkpoints.names.table import rules
from albert_tf.encoder import AlbertEncoder
from albert_tf.layers.embeddings import Embeddings
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.training.engine.losses import SparseCrossEntropy, masked_lm_loss, sentence_order_loss
from albert_tf.training.optimizers.base import raw_variable
from tests.conftest import GOLDENS

INPUTS = {
    "input_ids": "input_word_ids",
    "input_mask": "input_mask",
    "segment_ids": "input_type_ids",
}


class LookupEmbeddings(Embeddings):
    """Looks segment types up, as the original does on CPU and GPU: their gradient is sparse."""

    def type_vectors(self, type_ids, mark):
        return tf.gather(raw_variable(self.type_embeddings.embeddings), type_ids) + mark


def classifier(run, lookup=False):
    """The recorded classifier: dropout 0, three classes, `init/*` as its head."""
    encoder = AlbertEncoder.from_checkpoint(GOLDENS / "tiny")
    model = AlbertClassifier(encoder, num_classes=3, dropout_rate=0.0)
    kernel, bias = list(model.weights_by_name().values())[-2:]
    kernel.assign(run["init/output_weights"].T)
    bias.assign(run["init/output_bias"])
    if lookup:
        encoder.embeddings.__class__ = LookupEmbeddings
    return model


def pretrainer(lookup=False):
    model = AlbertPretrainer.from_checkpoint(GOLDENS / "tiny")
    if lookup:
        model.encoder.embeddings.__class__ = LookupEmbeddings
    return model


def classifier_batches(run):
    inputs = {ours: run[f"batch/{key}"] for key, ours in INPUTS.items()}
    return inputs, run["batch/label_ids"]


def pretraining_batches(run):
    inputs = {ours: run[f"batch/{key}"] for key, ours in INPUTS.items()}
    inputs["masked_lm_positions"] = run["batch/masked_lm_positions"]
    targets = {key: run[f"batch/{key}"] for key in ("masked_lm_ids", "masked_lm_weights")}
    targets["sentence_order_labels"] = run["batch/next_sentence_labels"][..., 0]
    return inputs, targets


def losses(task):
    if task == "classifier":
        return {"loss": SparseCrossEntropy()}
    return {"mlm_loss": masked_lm_loss(), "sop_loss": sentence_order_loss()}


def by_original_name(model):
    """{the original's name: (our Keras weight, our values -> the original's)}."""
    weights = model.weights_by_name()
    config = getattr(model, "encoder", model).albert_config
    table = {
        rule.stored_name: (weights[rule.name], rule.store)
        for rule in rules(config, "tf1")
        if rule.name in weights
    }
    if isinstance(model, AlbertClassifier):
        kernel, bias = list(weights.values())[-2:]
        table["output_weights"] = (kernel, np.transpose)
        table["output_bias"] = (bias, np.asarray)
    assert len(table) == len(weights)
    return table


def values(entry):
    weight, store = entry
    return store(np.asarray(weight))
