"""brightmart/albert_zh's variant of ALBERT, of which albert_tiny_zh is the best known.

It has names of its own (`bert/encoder/layer_shared/...`), positions, segments and the embeddings'
layer normalization have the encoder's width, and the word embeddings are a product of two matrices:
word_embeddings [V, E] @ word_embeddings_2 [E, H]. The masked LM head multiplies with both, too, so
their product is its tied table. The product is taken here, once: an ordinary ALBERT whose
embeddings are as wide as its encoder computes the same, encoder and heads. Fine-tuning then trains
V x H numbers instead of V x E + E x H.

Reference: brightmart/albert_zh, modeling.py, `embedding_lookup_factorized`, and the graph that
comes with albert_tiny_zh.
"""

import dataclasses

import numpy as np

from albert_tf.checkpoints.checkpoint import TensorSpec
from albert_tf.checkpoints.names.flavors import BRIGHTMART_TABLE

_FACTORS = BRIGHTMART_TABLE.split(" @ ")


def is_brightmart(tensors):
    """Whether these are names of brightmart's."""
    return any(name.startswith("bert/encoder/layer_shared/") for name in tensors)


def fold(prefix, tensors, get, config):
    """Presents brightmart's tensors as those of an ALBERT without factorized embeddings.

    Args:
      prefix: pathlib.Path, the prefix of its files.
      tensors: {name: TensorSpec} as stored.
      get: Function from a stored name to its numpy array.
      config: The `AlbertConfig` that goes with the checkpoint, or None.

    Returns:
      ({name: TensorSpec}, function from a name to its array, configuration or None) where
      `flavors.BRIGHTMART_TABLE` is the product of the two matrices.

    Raises:
      ValueError: The matrices cannot be multiplied.
    """
    specs = [tensors.get(name) for name in _FACTORS]
    if not all(spec and len(spec.shape) == 2 for spec in specs) or (
        specs[0].shape[1] != specs[1].shape[0]
    ):
        received = ", ".join(f"{name}: {spec}" for name, spec in zip(_FACTORS, specs))
        raise ValueError(
            "The word embeddings of brightmart's ALBERT must be two matrices that can be "
            f"multiplied. Received: {str(prefix)!r} with {received}."
        )
    shape = (specs[0].shape[0], specs[1].shape[1])
    folded = {BRIGHTMART_TABLE: TensorSpec(shape, "float32")}
    folded.update((name, spec) for name, spec in tensors.items() if name not in _FACTORS)

    def get_folded(name):
        if name != BRIGHTMART_TABLE:
            return get(name)
        table, projection = (get(factor).astype(np.float64) for factor in _FACTORS)
        return (table @ projection).astype(np.float32)

    if config is not None:
        config = dataclasses.replace(config, embedding_size=config.hidden_size)
    return folded, get_folded, config
