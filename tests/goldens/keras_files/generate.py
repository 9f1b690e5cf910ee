"""Writes the .keras file of a small pretrainer with this Keras generation.

Run it in the project's root, once plainly and once with TF_USE_LEGACY_KERAS=1:
python -m tests.goldens.keras_files.generate. Variable i is full of i / 8.
"""

import pathlib

import tensorflow as tf

from albert_tf._keras import KERAS_3, tf_variable
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer

CONFIG = AlbertConfig(
    vocab_size=30,
    embedding_size=8,
    hidden_size=12,
    num_hidden_layers=4,
    num_attention_heads=3,
    intermediate_size=20,
    max_position_embeddings=16,
    attention_mask_value=-1e9,
    num_hidden_groups=2,
    inner_group_num=2,
)


def main():
    model = AlbertPretrainer(AlbertEncoder.from_albert_config(CONFIG))
    for number, weight in enumerate(model.weights_by_name().values()):
        tf_variable(weight).assign(tf.fill(weight.shape, number / 8))
    name = f"keras_{3 if KERAS_3 else 2}.keras"
    model.save(pathlib.Path(__file__).parent / name)


if __name__ == "__main__":
    main()
