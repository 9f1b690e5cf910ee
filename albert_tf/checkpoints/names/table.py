"""THE table of names: ours <-> original TF1 <-> Hugging Face <-> TF2 Hub, with each tensor's shape.

`rules(config, flavor)` expands it for a configuration. One rule says how one variable of ours is
called and laid out in a flavor, and converts its values both ways: readers, writers and reports all
come from here.

A row is a layer; its kind says which variables it has (`_LEAVES`). Axes are written with the
symbols of `SYMBOLS`: "H>A,D" is a kernel from H inputs to A x D outputs. Our variables keep A and
D apart, as the TF Hub models do; other flavors store matrices, Hugging Face as [output, input].
"""

import dataclasses
import math
import re

from albert_tf.config import transformer_name

PARTS = {
    "encoder": "encoder",
    "masked_lm": "masked LM head",
    "sentence_order": "sentence-order head",
}

# Symbol of an axis -> field of AlbertConfig. D is hidden_size / num_attention_heads.
SYMBOLS = {
    "V": "vocab_size",
    "E": "embedding_size",
    "P": "max_position_embeddings",
    "T": "type_vocab_size",
    "H": "hidden_size",
    "A": "num_attention_heads",
    "I": "intermediate_size",
}


@dataclasses.dataclass(frozen=True)
class _Flavor:
    description: str
    column: int  # of the sections below
    matrices: bool  # Whether A and D are stored as one axis.


FLAVORS = {
    # TF Hub /2 and /3 have our names and shapes; /1 differs in one name.
    "tf2_hub": _Flavor("TF2 Hub SavedModel", column=0, matrices=False),
    "tf2_hub_1": _Flavor("TF2 Hub SavedModel of generation 1", column=0, matrices=False),
    "tf1": _Flavor("original TF1 checkpoint", column=1, matrices=True),
    # Classes with a head call the encoder "albert."; AlbertModel itself does not.
    "hugging_face": _Flavor("Hugging Face checkpoint", column=2, matrices=True),
    "hugging_face_model": _Flavor("Hugging Face AlbertModel", column=2, matrices=True),
}

# Kind of a layer -> its variables: names after the layer's (ours, TF1, Hugging Face).
# "^T" marks a matrix stored as [output, input].
_LEAVES = {
    "table": [("/embeddings", "", ".weight")],
    "dense": [("/kernel", "/kernel", ".weight^T"), ("/bias", "/bias", ".bias")],
    "norm": [("/gamma", "/gamma", ".weight"), ("/beta", "/beta", ".bias")],
    "bias": [("/bias", "", "")],
    "logits": [("/kernel", "/output_weights^T", ".weight^T"), ("/bias", "/output_bias", ".bias")],
}

# In the order of the published SavedModels. Prefixes and columns: ours, TF1, Hugging Face.
_EMBEDDINGS = (
    ("", "bert/embeddings/", "albert.embeddings."),
    """
    table V>E   word_embeddings       word_embeddings        word_embeddings
    table P>E   position_embedding    position_embeddings    position_embeddings
    table T>E   type_embeddings       token_type_embeddings  token_type_embeddings
    norm  E     embeddings/layer_norm LayerNorm              LayerNorm
    """,
)
_PROJECTION = (
    ("", "bert/encoder/", "albert.encoder."),
    "dense E>H embedding_projection embedding_hidden_mapping_in embedding_hidden_mapping_in",
)
_BLOCK = (
    (
        "{block}/",
        "bert/encoder/transformer/group_{group}/inner_group_{inner}/",
        "albert.encoder.albert_layer_groups.{group}.albert_layers.{inner}.",
    ),
    """
    dense H>A,D self_attention/query            attention_1/self/query          attention.query
    dense H>A,D self_attention/key              attention_1/self/key            attention.key
    dense H>A,D self_attention/value            attention_1/self/value          attention.value
    dense A,D>H self_attention/attention_output attention_1/output/dense        attention.dense
    norm  H     self_attention_layer_norm       LayerNorm                       attention.LayerNorm
    dense H>I   intermediate                    ffn_1/intermediate/dense        ffn
    dense I>H   output                          ffn_1/intermediate/output/dense ffn_output
    norm  H     output_layer_norm               LayerNorm_1           full_layer_layer_norm
    """,
)
_POOLER = (
    ("", "bert/", "albert."),
    "dense H>H pooler_transform pooler/dense pooler",
)
_MASKED_LM = (
    ("bert/cls/predictions/", "cls/predictions/", "predictions."),
    """
    bias  V     output_bias          output_bias          bias
    dense H>E   transform/dense      transform/dense      dense
    norm  E     transform/LayerNorm  transform/LayerNorm  LayerNorm
    """,
)
_SENTENCE_ORDER = (
    ("bert/cls/", "cls/", "sop_classifier."),
    "logits H>2 seq_relationship seq_relationship classifier",
)

# All of albert_tf/tasks/head_names.py.
_TASK_HEADS = re.compile(
    r"(classifier|span)/(kernel|bias)|(start_logits|end_logits|answer_class)/.+/\w+"
)

_TF2_HUB_1_RENAMED = ("/self_attention/attention_output/", "/self_attention_output/")


@dataclasses.dataclass(frozen=True)
class Rule:
    """How one variable is stored in a flavor.

    Attributes:
      part: "encoder", "masked_lm" or "sentence_order".
      name: Our name, as in `weights_by_name()`.
      shape: Our shape.
      stored_name: The flavor's name.
      stored_shape: The flavor's shape.
      stored_axes: For each axis of `stored_shape`, its symbols, such as ("A", "D").
      transposed: Whether the flavor stores the matrix as [output, input].
    """

    part: str
    name: str
    shape: tuple
    stored_name: str
    stored_shape: tuple
    stored_axes: tuple
    transposed: bool

    def load(self, stored):
        """Our values, from the flavor's array of `stored_shape`."""
        return (stored.T if self.transposed else stored).reshape(self.shape)

    def store(self, values):
        """The flavor's array, from our values of `shape`; the inverse of `load`."""
        if self.transposed:
            return values.reshape(self.stored_shape[::-1]).T
        return values.reshape(self.stored_shape)


def rules(config, flavor):
    """The table for one configuration and flavor.

    Args:
      config: An `AlbertConfig`.
      flavor: A key of `FLAVORS`.

    Returns:
      A list of `Rule`, in the order of our variables: encoder, masked LM, sentence order.

    Example:

    >>> from albert_tf.checkpoints.names.table import rules
    >>> from albert_tf.config import AlbertConfig
    >>> rule = rules(AlbertConfig.from_preset("albert_base_v2"), "tf1")[7]
    >>> rule.name, rule.shape
    ('transformer/self_attention/query/kernel', (768, 12, 64))
    >>> rule.stored_name, rule.stored_shape
    ('bert/encoder/transformer/group_0/inner_group_0/attention_1/self/query/kernel', (768, 768))
    """
    sizes = {symbol: getattr(config, field) for symbol, field in SYMBOLS.items()}
    sizes.update({"D": config.attention_head_size, "2": 2})
    return [
        rule
        for part, section, numbers in _sections(config)
        for rule in _section_rules(part, section, numbers, sizes, flavor)
    ]


def block_prefix(flavor, group, inner):
    """What the names of a transformer block's variables start with."""
    prefix = _BLOCK[0][FLAVORS[flavor].column]
    prefix = prefix.format(block=transformer_name(group, inner), group=group, inner=inner)
    return _renamed(prefix, flavor)


def task_heads(names):
    """{name: why an encoder ignores it} of those that are variables of our task models' heads."""
    return {name: "head of a task" for name in names if _TASK_HEADS.fullmatch(name)}


def _sections(config):
    """Yields (part, section of the table, numbers for its prefixes)."""
    yield "encoder", _EMBEDDINGS, {}
    if config.has_embedding_projection:
        yield "encoder", _PROJECTION, {}
    for group in range(config.num_hidden_groups):
        for inner in range(config.inner_group_num):
            block = transformer_name(group, inner)
            yield "encoder", _BLOCK, {"block": block, "group": group, "inner": inner}
    yield "encoder", _POOLER, {}
    yield "masked_lm", _MASKED_LM, {}
    yield "sentence_order", _SENTENCE_ORDER, {}


def _section_rules(part, section, numbers, sizes, flavor):
    prefixes, rows = section
    prefixes = [prefix.format(**numbers) for prefix in prefixes]
    for row in rows.strip().splitlines():
        kind, axes, *names = row.split()
        layers = [prefix + name for prefix, name in zip(prefixes, names)]
        for leaves in _LEAVES[kind]:
            # The first variable has all axes, a bias only those of the output.
            first = leaves is _LEAVES[kind][0]
            sides = [side.split(",") for side in axes.split(">")]
            yield _rule(part, layers, leaves, sides if first else sides[-1:], sizes, flavor)


def _rule(part, layers, leaves, sides, sizes, flavor):
    column, matrices = FLAVORS[flavor].column, FLAVORS[flavor].matrices
    name = layers[0] + leaves[0]
    leaf = leaves[column].removesuffix("^T")
    stored_name = _renamed(layers[column] + leaf, flavor)

    transposed = leaf != leaves[column]
    axes = [(symbol,) for side in sides for symbol in side]
    stored_axes = [tuple(side) for side in sides] if matrices else axes
    if transposed:
        stored_axes = stored_axes[::-1]

    def shape(axes):
        return tuple(math.prod(sizes[symbol] for symbol in symbols) for symbols in axes)

    return Rule(
        part=part,
        name=name,
        shape=shape(axes),
        stored_name=stored_name,
        stored_shape=shape(stored_axes),
        stored_axes=tuple(stored_axes),
        transposed=transposed,
    )


def _renamed(stored_name, flavor):
    if flavor == "tf2_hub_1":
        return stored_name.replace(*_TF2_HUB_1_RENAMED)
    if flavor == "hugging_face_model":
        return stored_name.removeprefix("albert.")
    return stored_name
