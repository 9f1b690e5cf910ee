import time

import pytest
import tensorflow as tf
from tensorflow.core.framework.function_pb2 import FunctionDef

from albert_tf.checkpoints.names.architecture import fields_from_graph
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
    with pytest.raises(ValueError, match="more than 100000 operations"):
        flatten(library, "level0", [])


# === Graphs that are made to take long: as many steps as operations, not their square ===

N = 10_000


def made_of(operations):
    """A library of one function "f" of (name, op, inputs)."""
    function = FunctionDef()
    function.signature.name = "f"
    function.signature.input_arg.add().name = "x"
    for name, op, inputs in operations:
        function.node_def.add(name=name, op=op, input=inputs)
    return {"f": function}


def chain(op, count=N):
    yield "n0", op, ["x"]
    for number in range(1, count):
        yield f"n{number}", op, [f"n{number - 1}"]


LONG = {
    "identities": [*chain("Identity")],
    "softmaxes": [*chain("Softmax")],
    "products": [*chain("MatMul")],
    "a rate behind a chain": [
        *chain("Mul"),
        *((f"g{i}", "GreaterEqual", [f"n{N - 1}"] * 2) for i in range(N)),
    ],
    "a wide sum under many roots": [
        ("sum", "AddN", ["x"] * N),
        *((f"r{i}", "Rsqrt", ["sum"]) for i in range(N)),
    ],
    "one comparison, many users": [
        ("r", "RandomUniform", ["x"]),
        *((f"g{i}", "GreaterEqual", ["r", "x"]) for i in range(2000)),
        *((f"u{i}", "AddN", [f"g{j}" for j in range(2000)]) for i in range(50)),
    ],
}


@pytest.mark.parametrize("operations", LONG.values(), ids=LONG)
def test_long_graphs(operations):
    start = time.process_time()
    nodes = flatten(made_of(operations), "f", [])
    fields_from_graph("tf2_hub", nodes, nodes, 1)
    assert time.process_time() - start < 8  # Some tenths; the square would be minutes.


def test_constants_that_are_none():
    for change in ("dimensions", "dtype", "content"):
        library = made_of([("c", "Const", [])])
        tensor = library["f"].node_def[0].attr["value"].tensor
        tensor.dtype = 99 if change == "dtype" else 1
        if change == "dimensions":
            for _ in range(100_000):
                tensor.tensor_shape.dim.add().size = 2**62
            assert [node.value for node in flatten(library, "f", [])] == [None]
            continue
        tensor.tensor_content = b"abc"
        with pytest.raises(ValueError, match="must be sound. Received: .* or a value that is none"):
            flatten(library, "f", [])
