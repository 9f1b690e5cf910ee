import pytest

from albert_tf.checkpoints.names.architecture import fields_from_graph
from albert_tf.checkpoints.names.graph import Node


def constant(value):
    return Node("Const", "c", [], value)


def product(x, name):
    return Node("MatMul", "product", [x, Node("ReadVariableOp", "r", [Node("Variable", name, [])])])


def feed_forward(*ops):
    """The nodes of a feed-forward layer with these operations as its activation."""
    first = product(Node("Input", "x", []), "transformer/intermediate/kernel")
    nodes = [first, Node("BiasAdd", "b", [first])]
    for op in ops:
        nodes.append(Node(op, op, [nodes[-1], *([constant(0.044715)] if op == "Mul" else [])]))
    return [*nodes, product(nodes[-1], "transformer/output/kernel")]


@pytest.mark.parametrize(
    "ops, expected",
    [
        (("Mul", "Tanh", "AddV2"), "gelu"),
        (("Erf", "AddV2"), "gelu_erf"),
        (("Erfc",), "gelu_erf"),
        (("Relu",), "relu"),
        (("Tanh",), "tanh"),
        ((), "linear"),
        (("Sigmoid", "Mul"), None),
        (("Pow", "Tanh"), None),
        (("SomethingNew",), None),
    ],
)
def test_activation(ops, expected):
    fields = fields_from_graph("tf2_hub", feed_forward(*ops), None, 1)
    assert fields.get("hidden_act", (None,))[0] == expected


def attention(mask_value):
    masked = Node("Mul", "m", [Node("Input", "mask", []), constant(mask_value)])
    return [masked, Node("Softmax", "s", [Node("AddV2", "a", [Node("Input", "x", []), masked])])]


def test_layers_and_mask():
    fields = fields_from_graph("tf2_hub", attention(-10000.0) * 4, None, 2)
    assert fields["num_hidden_layers"][0] == 2
    assert fields["attention_mask_value"][0] == -10000.0
    two = fields_from_graph("tf2_hub", attention(-10000.0) + attention(-1e9), None, 1)
    assert "attention_mask_value" not in two
    assert "num_hidden_layers" not in fields_from_graph("tf2_hub", attention(-1e9), None, 2)
    loop = [*attention(-1e9), Node("While", "w", [])]
    assert "num_hidden_layers" not in fields_from_graph("tf2_hub", loop, None, 1)


def dropout(x, rate):
    random = Node("RandomUniform", "r", [])
    keep = Node("GreaterEqual", "g", [random, rate])
    cast = Node("Cast", "c", [keep])
    return [x, random, keep, cast, Node("Mul", "d", [Node("Mul", "e", [x, constant(1.1)]), cast])]


def test_dropout():
    probabilities, hidden = Node("Softmax", "s", []), Node("AddV2", "a", [])
    training = dropout(probabilities, constant(0.2)) + dropout(hidden, constant(0.1)) * 2
    fields = fields_from_graph("tf2_hub", [], training, 1)
    assert fields["attention_probs_dropout_prob"][0] == 0.2
    assert fields["hidden_dropout_prob"][0] == 0.1
    fields = fields_from_graph("tf2_hub", [], [hidden], 1)
    assert fields["hidden_dropout_prob"][0] == 0.0
    unknown = dropout(hidden, Node("Sub", "x", []))
    assert "hidden_dropout_prob" not in fields_from_graph("tf2_hub", [], unknown, 1)
    several = dropout(hidden, constant(0.1)) + dropout(hidden, constant(0.3))
    assert "hidden_dropout_prob" not in fields_from_graph("tf2_hub", [], several, 1)
    assert "hidden_dropout_prob" not in fields_from_graph("tf2_hub", [], None, 1)


def test_epsilon():
    def norm(epsilon):
        return [Node("Rsqrt", "norm/Rsqrt", [Node("AddV2", "a", [Node("Mean", "m", []), epsilon])])]

    fields_from_graph("tf2_hub", norm(constant(9.99999996e-13)), None, 1)
    with pytest.raises(ValueError, match="epsilon 1e-12. Received: 1e-05 in 'norm/Rsqrt'"):
        fields_from_graph("tf2_hub", norm(constant(1e-5)), None, 1)
