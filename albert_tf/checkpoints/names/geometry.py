"""What the shapes of a checkpoint's tensors tell about its configuration."""

import bisect
import itertools

from albert_tf.checkpoints.names.flavors import block_prefix, rules
from albert_tf.checkpoints.names.table import SYMBOLS
from albert_tf.config import AlbertConfig

_PROJECTION = "embedding_projection/kernel"


def fields_from_shapes(flavor, tensors):
    """The configuration fields that follow from names and shapes.

    Not visible anywhere: num_hidden_layers, hidden_act and the dropout rates; in flavors that
    store matrices also num_attention_heads.

    Args:
      flavor: One of `flavors.FLAVORS`.
      tensors: {name: TensorSpec} of a checkpoint.

    Returns:
      {field of AlbertConfig: (value, the evidence in words)}.

    Example:

    >>> from albert_tf.checkpoints.names.geometry import fields_from_shapes
    >>> from albert_tf.checkpoints.checkpoint import TensorSpec
    >>> tensors = {"bert/pooler/dense/bias": TensorSpec((64,), "float32")}
    >>> fields_from_shapes("tf1", tensors)
    {'hidden_size': (64, 'bert/pooler/dense/bias is [64]')}
    """
    fields = {}
    # Names and axes are the same in every configuration with a projection.
    table = rules(AlbertConfig(vocab_size=1), flavor)
    for rule in table:
        spec = tensors.get(rule.stored_name)
        if spec is None or len(spec.shape) != len(rule.stored_axes):
            continue
        for size, symbols in zip(spec.shape, rule.stored_axes):
            if len(symbols) == 1 and symbols[0] in SYMBOLS:
                evidence = f"{rule.stored_name} is {list(spec.shape)}"
                fields.setdefault(SYMBOLS[symbols[0]], (size, evidence))

    projection = next(rule.stored_name for rule in table if rule.name == _PROJECTION)
    if {"embedding_size", "hidden_size"} <= fields.keys():
        same_width = fields["embedding_size"][0] == fields["hidden_size"][0]
        there = projection in tensors
        evidence = f"there is {'a tensor' if there else 'no'} {projection}"
        fields["project_same_width"] = (same_width and there, evidence)

    groups = _count(tensors, lambda number: block_prefix(flavor, number, 0))
    inner = _count(tensors, lambda number: block_prefix(flavor, 0, number))
    if groups and inner:
        evidence = f"the last block is {block_prefix(flavor, groups - 1, inner - 1)}"
        fields["num_hidden_groups"] = (groups, evidence)
        fields["inner_group_num"] = (inner, evidence)
    return fields


def _count(tensors, prefix):
    names = sorted(tensors)

    def present(number):
        place = bisect.bisect_left(names, prefix(number))
        return place < len(names) and names[place].startswith(prefix(number))

    return len(list(itertools.takewhile(present, itertools.count())))
