"""What the graph of a SavedModel tells about its configuration: all that shapes do not show."""

import collections

from albert_tf.checkpoints.names.flavors import block_prefix
from albert_tf.checkpoints.names.graph import ancestors
from albert_tf.messages import brief

_PRODUCTS = ("Einsum", "MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")
_CONTROL_FLOW = ("If", "StatelessIf", "While", "StatelessWhile", "Case", "StatelessCase")
_EPSILON = 1e-12
# Of the tanh approximation.
_GELU_COEFFICIENT = 0.044715
# Between two operations of a dropout there are one or two others.
_MOST_STEPS = 20
# Nothing else in an encoder is multiplied with so large a number.
_LEAST_MASK_VALUE = -1e3


def fields_from_graph(flavor, inference, training, inner_group_num):
    """The configuration fields that follow from how the tensors are used.

    Args:
      flavor: One of `flavors.FLAVORS`.
      inference: List of `graph.Node` of the encoder without dropout.
      training: The same with dropout, or None where the SavedModel has none.
      inner_group_num: Number of transformer blocks in a group.

    Returns:
      {field of AlbertConfig: (value, the evidence in words)}; a field that does not show is left
      out.

    Raises:
      ValueError: The encoder's layer normalization is not ALBERT's.
    """
    _check_epsilon(inference)
    fields = {}
    products = collections.defaultdict(list)
    for node in inference:
        if node.op in _PRODUCTS:
            for name in filter(None, (source.variable() for source in node.inputs)):
                products[name].append(node)

    # Every application of a block has one softmax, however it computes the rest. Our graphs for
    # inference apply the last block once more, for pooled_output.
    nodes = inference if training is None else training
    blocks = sum(node.op == "Softmax" for node in nodes)
    control_flow = any(node.op in _CONTROL_FLOW for node in nodes)
    if blocks and blocks % inner_group_num == 0 and not control_flow:
        layers = blocks // inner_group_num
        fields["num_hidden_layers"] = (layers, f"the graph has {blocks} attentions")

    outputs = products[block_prefix(flavor, 0, 0) + "output/kernel"]
    if outputs and (activation := _activation(outputs[0])):
        fields["hidden_act"] = (activation, "the operations of the feed-forward layer")

    if len(values := _mask_values(inference)) == 1:
        fields["attention_mask_value"] = (values.pop(), "a constant of the graph")

    if training is not None:
        rates = _dropout_rates(training)
        for field, found in rates.items():
            if len(found) <= 1:
                rate = found.pop() if found else 0.0
                fields[field] = (rate, "the graph for training")
    return fields


def _check_epsilon(nodes):
    for node in nodes:
        if node.op == "Rsqrt":
            # Of a sum of two; what has thousands of inputs, thousands of times, is no such sum.
            for constant in (source.value for source in node.inputs[0].inputs[:2]):
                if constant is not None and not 0.5 < constant / _EPSILON < 2:
                    raise ValueError(
                        f"An ALBERT's layer normalization has the epsilon {_EPSILON}. Received: "
                        f"{constant:g} in {brief(node.name)}. Another epsilon is not supported."
                    )


def _activation(product):
    """The activation before the feed-forward layer's second product, or None if unknown."""
    between = ancestors([product], stop=lambda node: node.op in _PRODUCTS or node.variable())
    ops = {node.op for node in between}
    coefficients = [n.value for n in between if n.value is not None]
    approximate = any(abs(value - _GELU_COEFFICIENT) < 1e-6 for value in coefficients)
    shaping = {"Tanh", "Erf", "Erfc", "Relu", "Sigmoid", "Elu", "Selu", "Relu6", "Softplus", "Exp"}
    found = ops & shaping
    if found == {"Tanh"}:
        if approximate:
            return "gelu"
        return None if ops & {"Mul", "Pow"} else "tanh"
    if found in ({"Erf"}, {"Erfc"}):
        return "gelu_erf"
    if found == {"Relu"}:
        return "relu"
    known = {"Identity", "Add", "AddV2", "BiasAdd", "Const", "ReadVariableOp", *_PRODUCTS}
    return "linear" if ops <= known | {"Variable", "Reshape", "Cast"} else None


def _mask_values(nodes):
    softmaxes = [node for node in nodes if node.op == "Softmax"]
    values = set()
    for node in ancestors(softmaxes, stop=lambda node: node.op in _PRODUCTS):
        if node.op == "Mul":
            constants = (source.value for source in node.inputs)
            values |= {c for c in constants if c is not None and c <= _LEAST_MASK_VALUE}
    return values


def _dropout_rates(nodes):
    """{field: the rates found}: random numbers are compared with a rate to keep or drop."""
    users = collections.defaultdict(list)
    for node in nodes:
        for source in node.inputs:
            users[id(source)].append(node)
    rates = {"hidden_dropout_prob": set(), "attention_probs_dropout_prob": set()}
    for node in nodes:
        if node.op == "GreaterEqual" and _is_random(node.inputs[0]):
            of_attention = any(
                _takes_softmax(user, users) for user in users[id(node)][:_MOST_STEPS]
            )
            field = "attention_probs_dropout_prob" if of_attention else "hidden_dropout_prob"
            rate = node.inputs[1].value
            rates[field].add(None if rate is None else round(rate, 6))
    # A rate that is no constant is a second, unknown one.
    return {field: found | {0.0} if None in found else found for field, found in rates.items()}


def _first_of(node, ops):
    """The first operation before `node` that is none of `ops`, which a few steps lead to."""
    for _ in range(_MOST_STEPS):
        if node.op not in ops or not node.inputs:
            break
        node = node.inputs[0]
    return node


def _is_random(node):
    return "RandomUniform" in _first_of(node, ("Identity", "Add", "AddV2", "Mul", "Cast")).op


def _takes_softmax(keep, users):
    """Whether what is kept or dropped by `keep` are attention probabilities."""
    choices = users[id(keep)] if keep.op == "Cast" else [keep]
    return any(
        _first_of(source, ("Mul", "Identity")).op == "Softmax"
        for choice in choices[:_MOST_STEPS]
        for source in choice.inputs[:3]  # Where keep, then this, else that.
    )
