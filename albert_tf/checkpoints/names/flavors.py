"""All flavors: the columns of the table in `names.py`, and those that only call things otherwise.

A variant has the tensors of a column, with the same shapes, under other names. What it renames is a
list of regular expressions, applied in order to the column's name.
"""

import dataclasses
import re

from albert_tf.checkpoints.names import table as names


@dataclasses.dataclass(frozen=True)
class _Variant:
    description: str
    column: str  # Key of names.FLAVORS.
    renamed: tuple = ()


# KerasHub's layers, and where they are in its .h5 files.
_KERAS_HUB = (
    (r"^transformer/", "group_0_inner_layer_0/"),
    (r"^transformer_group_(\d+)_inner_group_(\d+)/", r"group_\1_inner_layer_\2/"),
    (r"/self_attention/attention_output/", "/_self_attention_layer/output_dense/"),
    (r"/self_attention/(query|key|value)/", r"/_self_attention_layer/\1_dense/"),
    (r"/self_attention_layer_norm/", "/_self_attention_layer_norm/"),
    (r"/intermediate/", "/_feedforward_intermediate_dense/"),
    (r"/output/", "/_feedforward_output_dense/"),
    (r"/output_layer_norm/", "/_feedforward_layer_norm/"),
    (r"^word_embeddings/", "token_embedding/"),
    (r"^type_embeddings/", "segment_embedding/"),
    (r"^embeddings/layer_norm/", "embeddings_layer_norm/"),
    (r"^pooler_transform/", "pooled_dense/"),
    (r"/(kernel|gamma|embeddings)$", "/vars/0"),
    (r"/(bias|beta)$", "/vars/1"),
)

# brightmart/albert_zh has two matrices, which are multiplied into one.
BRIGHTMART_TABLE = "bert/embeddings/word_embeddings @ bert/embeddings/word_embeddings_2"
_BRIGHTMART = (
    (r"/transformer/group_0/inner_group_0/", "/layer_shared/"),
    (r"/layer_shared/attention_1/", "/layer_shared/attention/"),
    (r"/layer_shared/LayerNorm/", "/layer_shared/attention/output/LayerNorm/"),
    (r"/layer_shared/LayerNorm_1/", "/layer_shared/output/LayerNorm/"),
    (r"/layer_shared/ffn_1/intermediate/output/", "/layer_shared/output/"),
    (r"/layer_shared/ffn_1/intermediate/", "/layer_shared/intermediate/"),
    (r"^bert/embeddings/word_embeddings$", BRIGHTMART_TABLE),
)

_VARIANTS = {
    "tf1_hub": _Variant("TF1 Hub module", "tf1"),
    "brightmart": _Variant("brightmart's TF1 checkpoint", "tf1", _BRIGHTMART),
    "saved_model": _Variant("albert_tf SavedModel", "tf2_hub"),
    "object_graph": _Variant("object-based TF2 checkpoint", "tf2_hub"),
    "keras": _Variant("albert_tf Keras file", "tf2_hub"),
    "training_state": _Variant("albert_tf training state", "tf2_hub"),
    "keras_hub": _Variant("KerasHub preset", "tf2_hub", _KERAS_HUB),
}

FLAVORS = (*names.FLAVORS, *_VARIANTS)


def describe(flavor):
    """What a flavor is, in words."""
    return _VARIANTS[flavor].description if flavor in _VARIANTS else _column(flavor).description


def stores_matrices(flavor):
    """Whether attention heads and their size are one axis, so that the shapes do not tell them."""
    return _column(flavor).matrices


def rules(config, flavor):
    """The table for one configuration and flavor; see `names.rules`.

    Args:
      config: An `AlbertConfig`.
      flavor: One of `FLAVORS`.

    Returns:
      A list of `names.Rule`.

    Example:

    >>> from albert_tf.checkpoints.names.flavors import rules
    >>> from albert_tf.config import AlbertConfig
    >>> rules(AlbertConfig.from_preset("albert_base_v2"), "keras_hub")[0].stored_name
    'token_embedding/vars/0'
    """
    if flavor not in _VARIANTS:
        return names.rules(config, flavor)
    return [
        dataclasses.replace(rule, stored_name=_rename(flavor, rule.stored_name))
        for rule in names.rules(config, _VARIANTS[flavor].column)
    ]


def block_prefix(flavor, group, inner):
    """What the names of a transformer block's variables start with."""
    if flavor not in _VARIANTS:
        return names.block_prefix(flavor, group, inner)
    return _rename(flavor, names.block_prefix(_VARIANTS[flavor].column, group, inner))


def _column(flavor):
    return names.FLAVORS[_VARIANTS[flavor].column if flavor in _VARIANTS else flavor]


def _rename(flavor, name):
    for pattern, replacement in _VARIANTS[flavor].renamed:
        name = re.sub(pattern, replacement, name)
    return name
