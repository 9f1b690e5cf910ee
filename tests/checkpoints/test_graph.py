import pytest
import tensorflow as tf

from albert_tf.checkpoints.names.graph import ancestors, flatten


def library_of(function, *specs):
    concrete = tf.function(function).get_concrete_function(*specs)
    graph = concrete.graph.as_graph_def(add_shapes=False)
    library = {f.signature.name: f for f in graph.library.function}
    definition = concrete.function_def
    library[definition.signature.name] = definition
    return library, definition.signature.name


SPEC = tf.TensorSpec([None], tf.float32)


def test_functions_are_unfolded():
    inner = tf.function(lambda x: (tf.tanh(x), x * 2.5))

    def outer(x):
        first, second = inner(x)
        return inner(first)[1] + second

    nodes = flatten(*library_of(outer, SPEC), variables=[])
    ops = [node.op for node in nodes]
    assert ops.count("Tanh") == 2 and ops.count("Mul") == 2
    total = next(node for node in nodes if node.op == "AddV2")
    assert [n.value for n in ancestors([total], lambda n: False) if n.op == "Const"] == [2.5, 2.5]
    ops = {node.op for node in ancestors([total], lambda node: node.op == "Mul")}
    assert "Tanh" not in ops and "Mul" in ops


def test_variables_are_named():
    variable = tf.Variable([[1.0]], name="kernel")
    library, name = library_of(lambda x: tf.matmul(x[tf.newaxis], variable), SPEC)
    nodes = flatten(library, name, ["my/kernel"])
    product = next(node for node in nodes if node.op == "MatMul")
    assert [source.variable() for source in product.inputs] == [None, "my/kernel"]


def test_unsound_graphs():
    library, name = library_of(lambda x: tf.tanh(tf.exp(x)), SPEC)
    with pytest.raises(ValueError, match="must be sound. Received: there is no function 'x'"):
        flatten(library, "x", [])

    exp, tanh = (next(n for n in library[name].node_def if n.op == op) for op in ("Exp", "Tanh"))
    exp.input[0] = "nowhere"
    with pytest.raises(ValueError, match="takes a tensor that does not exist"):
        flatten(library, name, [])
    exp.input[0] = f"{tanh.name}:y:0"
    with pytest.raises(ValueError, match="goes round in a circle"):
        flatten(library, name, [])


def test_function_that_calls_itself():
    inner = tf.function(tf.tanh)
    library, name = library_of(lambda x: inner(inner(x)), SPEC)
    for node in library[name].node_def:
        if node.op == "PartitionedCall":
            node.attr["f"].func.name = name
    with pytest.raises(ValueError, match="called in no sound way"):
        flatten(library, name, [])


def test_functions_that_unfold_to_too_much():
    # Each calls the next twice: 2^60 operations from 60 functions.
    library, name = library_of(lambda x: x * 2.0, SPEC)
    inner = tf.function(tf.tanh)
    pair, pair_name = library_of(lambda x: inner(inner(x)), SPEC)
    for level in range(60):
        copy = type(pair[pair_name])()
        copy.CopyFrom(pair[pair_name])
        copy.signature.name = f"level{level}"
        for node in copy.node_def:
            if node.op == "PartitionedCall":
                node.attr["f"].func.name = f"level{level + 1}" if level < 59 else name
        library[f"level{level}"] = copy
    with pytest.raises(ValueError, match="more than 500000 operations"):
        flatten(library, "level0", [])
