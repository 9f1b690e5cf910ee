"""A training step of albert_tf: python train_albert_tf.py [--bfloat16] TASK

TASK: fine-tuning, pre-training, or "fine-tuning on sentences", in which padding is skipped.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))

import numpy as np
import tensorflow as tf
from serve import batch as make_batch
from serve import seconds, serve

import albert_tf
from albert_tf.training.engine import losses
from albert_tf.training.engine.train_step import TrainStep
from albert_tf.training.optimizers import adamw_lamb as optimizers
from benchmarks.speed.programs import SENTENCES

PREDICTIONS = 20
task = sys.argv[-1]
pretraining = task == "pre-training"
config = albert_tf.AlbertConfig.from_preset("albert_base_v2")
encoder = albert_tf.AlbertEncoder.from_albert_config(
    config,
    skip_padding=task == SENTENCES,
    dtype="mixed_bfloat16" if "--bfloat16" in sys.argv else "float32",
)
if pretraining:
    model = albert_tf.AlbertPretrainer(encoder)
    terms = {
        "masked_lm": losses.masked_lm_loss(),
        "sentence_order": losses.sentence_order_loss(),
    }
else:
    model = albert_tf.AlbertClassifier(encoder, dropout_rate=0.0)
    terms = {"labels": losses.SparseCrossEntropy()}
train = TrainStep(model, terms, optimizers.AdamW(1e-5))


def iterator(rows, length):
    ids, mask, types = make_batch(rows, length)
    inputs = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": types}
    targets = np.zeros([len(rows)], np.int32)
    if pretraining:
        positions = np.tile(np.arange(PREDICTIONS, dtype=np.int32), [len(rows), 1])
        inputs["masked_lm_positions"] = positions
        targets = {
            "masked_lm_ids": positions + 5,
            "masked_lm_weights": np.ones(positions.shape, np.float32),
            "sentence_order_labels": np.zeros([len(rows)], np.int32),
        }
    return iter(tf.data.Dataset.from_tensors((inputs, targets)).repeat())


iterators = {}


def step(rows, length):
    key = (*rows, length)
    if key not in iterators:
        iterators[key] = iterator(rows, length)
    return seconds(train, iterators[key], 1, 0)


serve({"step": step})
