"""A training step of KerasHub: python train_keras_hub.py fine-tuning|pre-training

For pre-training KerasHub has a masked LM and no sentence order.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
from keras_hub.models import AlbertBackbone, AlbertMaskedLM, AlbertTextClassifier
from serve import batch as make_batch
from serve import seconds, serve

PREDICTIONS = 20
pretraining = sys.argv[1] == "pre-training"
backbone = AlbertBackbone(30000, 12, 12, 128, 768, 3072)
if pretraining:
    model = AlbertMaskedLM(backbone)
else:
    model = AlbertTextClassifier(backbone, num_classes=2, dropout=0.0)
model.compile(
    optimizer=keras.optimizers.AdamW(1e-5, weight_decay=0.01, global_clipnorm=1.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    jit_compile=False,  # XLA keeps all activations of the step: slower here, with more memory.
)


def step(rows, length):
    ids, mask, types = make_batch(rows, length)
    inputs = {"token_ids": ids, "padding_mask": mask, "segment_ids": types}
    labels = np.zeros([len(rows)], np.int32)
    if pretraining:
        labels = np.tile(np.arange(PREDICTIONS, dtype=np.int32), [len(rows), 1])
        inputs["mask_positions"] = labels
    return seconds(model.train_on_batch, inputs, labels)


serve({"step": step})
