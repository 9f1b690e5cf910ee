"""A SavedModel's function as one flat graph, to be looked at and never run."""

import collections
import dataclasses

import tensorflow as tf

from albert_tf.messages import brief

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
# Far more than ALBERT xxlarge has; a file that unfolds to more is no ALBERT.
_MOST_NODES = 100_000
_MOST_CALLS = 100

# What hands a tensor on with its values as they are.
_TRANSPARENT = frozenset(
    "Identity ReadVariableOp Cast Reshape Transpose ExpandDims Squeeze StopGradient".split()
)


@dataclasses.dataclass(eq=False)
class Node:
    """An operation of a flat graph; made after those that it takes tensors from.

    Attributes:
      op: TensorFlow's name of the operation; "Variable" or "Input" for what a function is given.
      name: Its own name; a variable's is that of the SavedModel.
      inputs: The nodes that it takes tensors from.
      value: The number of a scalar constant, else None.
      source: Where its values come from as they are; mostly itself.
    """

    op: str
    name: str
    inputs: list
    value: float | None = None
    source: "Node" = dataclasses.field(init=False, repr=False)

    def __post_init__(self):
        # Known for the inputs already: a walk from each node would be quadratic.
        handed_on = self.op in _TRANSPARENT and self.inputs
        self.source = self.inputs[0].source if handed_on else self

    def variable(self):
        """The name of the variable whose values this node hands on, or None."""
        return self.source.name if self.source.op == "Variable" else None


def ancestors(nodes, stop):
    """All nodes that some depend on; goes on beyond those only where not `stop(node)`.

    Args:
      nodes: List of `Node`.
      stop: Function from a `Node` to a bool.

    Returns:
      A list of `Node`, each once.
    """
    seen, waiting = {}, [source for node in nodes for source in node.inputs]
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen[id(node)] = node
            if not stop(node):
                # Beside the values there are shapes, which are of no interest.
                waiting.extend(node.inputs[:1] if node.op in _TRANSPARENT else node.inputs)
    return list(seen.values())


def flatten(library, function, variables):
    """All operations of a function and of those that it calls, in the order of the data.

    Control flow (If, While) stays one operation.

    Args:
      library: {name: FunctionDef} of the SavedModel.
      function: Name of the function.
      variables: Names of the variables that are its last arguments.

    Returns:
      A list of `Node`.

    Raises:
      ValueError: The functions are not those of a sound graph, or too many.
    """
    nodes = []
    signature = _get(library, function).signature
    inputs = [arg.name for arg in signature.input_arg]
    kinds = ["Input"] * (len(inputs) - len(variables)) + ["Variable"] * len(variables)
    names = inputs[: len(inputs) - len(variables)] + list(variables)
    arguments = [Node(kind, name, []) for kind, name in zip(kinds, names)]
    try:
        _inline(library, function, arguments, nodes, depth=0)
    except _Unsound:
        raise
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise _unsound(f"a reference to nothing, or a value that is none ({error})") from error
    return nodes


def _inline(library, function, arguments, nodes, depth):
    """Appends the function's nodes; returns those that its outputs come from."""
    definition = _get(library, function)
    signature = definition.signature
    if depth > _MOST_CALLS or len(arguments) < len(signature.input_arg):
        raise _unsound(f"function {brief(function)} is called in no sound way")
    # {name of a node or argument: [nodes of its outputs] or {name of an output: node}}
    made = {arg.name: [node] for arg, node in zip(signature.input_arg, arguments)}

    def resolve(reference):
        name, *place = reference.split(":")
        outputs = made[name]
        if isinstance(outputs, dict):
            return outputs[place[0]]
        return outputs[int(place[-1])] if place and len(outputs) > 1 else outputs[0]

    for node_def in _in_order(definition, made):
        if len(nodes) >= _MOST_NODES:
            raise _unsound(f"more than {_MOST_NODES} operations")
        inputs = [resolve(name) for name in node_def.input if not name.startswith("^")]
        if node_def.op in _CALLS:
            nodes.append(Node(node_def.op, node_def.name, inputs))
            called = node_def.attr["f"].func.name
            made[node_def.name] = _inline(library, called, inputs, nodes, depth + 1)
        elif node_def.op in library:
            nodes.append(Node(node_def.op, node_def.name, inputs))
            outputs = _inline(library, node_def.op, inputs, nodes, depth + 1)
            names = [arg.name for arg in library[node_def.op].signature.output_arg]
            made[node_def.name] = dict(zip(names, outputs))
        else:
            node = Node(node_def.op, node_def.name, inputs, _scalar(node_def))
            nodes.append(node)
            made[node_def.name] = [node]
    return [resolve(definition.ret[arg.name]) for arg in signature.output_arg]


def _in_order(definition, arguments):
    """The function's nodes, each after those that it takes tensors from."""
    by_name = {node.name: node for node in definition.node_def}
    waits, waited_for = {}, collections.defaultdict(list)
    for node in definition.node_def:
        names = {name.split(":")[0] for name in node.input if not name.startswith("^")}
        names -= arguments.keys()
        if not names <= by_name.keys():
            raise _unsound(f"operation {brief(node.name)} takes a tensor that does not exist")
        waits[node.name] = len(names)
        for name in names:
            waited_for[name].append(node.name)
    ready = [name for name in by_name if waits[name] == 0]
    for name in ready:  # Grows.
        for other in waited_for[name]:
            waits[other] -= 1
            if waits[other] == 0:
                ready.append(other)
    if len(ready) < len(by_name):
        raise _unsound(f"function {brief(definition.signature.name)} goes round in a circle")
    return [by_name[name] for name in ready]


def _scalar(node_def):
    if node_def.op != "Const":
        return None
    tensor = node_def.attr["value"].tensor
    dtype = tf.as_dtype(tensor.dtype)
    # A product of a million numbers takes minutes.
    if any(dim.size != 1 for dim in tensor.tensor_shape.dim) or not dtype.is_floating:
        return None
    return float(tf.make_ndarray(tensor).reshape(()))


def _get(library, function):
    if function not in library:
        raise _unsound(f"there is no function {brief(function)}")
    return library[function]


class _Unsound(ValueError):
    pass


def _unsound(what):
    return _Unsound(
        f"The graph of a SavedModel must be sound. Received: {what}. The file is damaged, or no "
        "encoder: download it again."
    )
