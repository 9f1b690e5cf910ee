"""Which operations of a SavedModel have a custom gradient."""

import pathlib

from tensorflow.core.protobuf import saved_model_pb2


def custom_gradients(path):
    """Names of the operations with one, and of the functions that are one."""
    proto = saved_model_pb2.SavedModel()
    proto.ParseFromString((pathlib.Path(path) / "saved_model.pb").read_bytes())
    graphs = [meta_graph.graph_def for meta_graph in proto.meta_graphs]
    functions = [function for graph in graphs for function in graph.library.function]
    nodes = [node for graph in graphs for node in graph.node]
    nodes += [node for function in functions for node in function.node_def]
    assert nodes
    found = [node.name for node in nodes if "_gradient_op_type" in node.attr]
    return found + [g.gradient_func for graph in graphs for g in graph.library.registered_gradients]
