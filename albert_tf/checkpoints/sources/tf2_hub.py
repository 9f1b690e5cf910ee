"""Reads TF2 SavedModels of encoders: TF Hub /1, /2, /3 and our own; runs nothing of them."""

import json

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from albert_tf.checkpoints.names.architecture import fields_from_graph
from albert_tf.checkpoints.names.geometry import fields_from_shapes
from albert_tf.checkpoints.names.graph import flatten
from albert_tf.checkpoints.names.table import task_heads
from albert_tf.checkpoints.sources.object_graph import open_variables
from albert_tf.config import AlbertConfig
from albert_tf.messages import brief, listed

_LANDMARK = "word_embeddings/embeddings"
LOWER_CASE = "do_lower_case"  # A variable of models with a WordPiece vocabulary.
# Google's have some megabytes; weights are in other files.
_MOST_GRAPH_BYTES = 256 << 20
_GENERATION_1 = "transformer/self_attention_output/kernel"


def read_graph(directory):
    """The graph of a SavedModel.

    Args:
      directory: pathlib.Path of a directory with `saved_model.pb`.

    Returns:
      A MetaGraphDef, the first. One without objects is TensorFlow 1's.

    Raises:
      ValueError: The file is damaged.
    """
    path = directory / "saved_model.pb"
    if path.stat().st_size > _MOST_GRAPH_BYTES:
        raise ValueError(
            f"The graph of an encoder must be of some megabytes. Received: {str(path)!r} of "
            f"{path.stat().st_size} bytes. Pass the SavedModel of an ALBERT encoder."
        )
    try:
        return SavedModel.FromString(path.read_bytes()).meta_graphs[0]
    except (DecodeError, IndexError) as error:
        raise ValueError(
            f"A SavedModel must be readable. Received: {str(path)!r} ({error}). Copy or download "
            "it again, and compare its size with the source's."
        ) from error


def open_saved_model(directory, meta_graph):
    """Opens a TF2 SavedModel.

    What the published SavedModels do not state is recovered from their shapes and their graph; the
    initializer's range is in none of them, and has no effect on restored weights.

    Args:
      directory: pathlib.Path.
      meta_graph: What `read_graph` returns for it.

    Returns:
      (flavor, {name: TensorSpec}, {name: reason to ignore it}, function from a name to its array,
      configuration or None, {field of AlbertConfig: (value, the evidence in words)})

    Raises:
      FileNotFoundError: A file of the SavedModel is missing.
      ValueError: A file is damaged, or it is not an ALBERT encoder's.
    """
    prefix = directory / "variables" / "variables"
    if not prefix.with_name("variables.index").is_file():
        raise FileNotFoundError(
            f"A SavedModel of an encoder needs its variables. Received: {str(directory)!r} without "
            "variables/variables.index. Copy the whole directory."
        )
    tensors, ignored, get = open_variables(prefix)
    spec = tensors.get(LOWER_CASE)
    if spec is not None and (spec.dtype, spec.shape) == ("bool", ()):
        ignored = {**ignored, LOWER_CASE: "whether the tokenizer lower-cases, no weight"}
    if _LANDMARK not in tensors:
        raise ValueError(
            f"A SavedModel of an encoder must hold variables such as {_LANDMARK!r}. Received: "
            f"{str(directory)!r} with {len(tensors)} variables: {listed(tensors) or 'none'}. Pass "
            "the SavedModel of an ALBERT encoder, not one of a preprocessor or of a larger model."
        )
    library = {f.signature.name: f for f in meta_graph.graph_def.library.function}
    objects = meta_graph.object_graph_def
    if (config := _stated_config(objects, library)) is not None:
        return "saved_model", tensors, {**ignored, **task_heads(tensors)}, get, config, {}

    flavor = "tf2_hub_1" if _GENERATION_1 in tensors else "tf2_hub"
    known = fields_from_shapes(flavor, tensors)
    functions = _functions(objects)
    if False in functions:
        inference = _flatten(library, objects, functions[False])
        training = _flatten(library, objects, functions[True]) if True in functions else None
        inner_group_num = known.get("inner_group_num", (1, ""))[0]
        known.update(fields_from_graph(flavor, inference, training, inner_group_num))
    return flavor, tensors, ignored, get, None, known


def stated_task(meta_graph):
    """What our exporters put into a SavedModel about its training: `task`, `labels`, `rules`.

    Args:
      meta_graph: What `read_graph` returns.

    Returns:
      dict with the keys of `albert_tf.task_record`; {} for other SavedModels.

    Raises:
      ValueError: It is no JSON object.
    """
    library = {f.signature.name: f for f in meta_graph.graph_def.library.function}
    objects = meta_graph.object_graph_def
    task = _stated_object(objects, library, "task") or {}
    if rules := _stated(objects, library, "rules"):
        task["rules"] = rules[0].decode(errors="replace")
    if labels := _stated(objects, library, "labels"):
        task["labels"] = [label.decode(errors="replace") for label in labels]
    return task


def _stated_config(objects, library):
    """The configuration that our exporter puts into a SavedModel, as its function `config`."""
    values = _stated_object(objects, library, "config")
    return None if values is None else AlbertConfig.from_dict(values)


def _stated_object(objects, library, name):
    """The JSON object that a function of the root returns, or None without such a function."""
    for string in _stated(objects, library, name)[:1]:
        try:
            return dict(json.loads(string))
        except (ValueError, TypeError, RecursionError) as error:
            raise ValueError(
                f"The `{name}` of a SavedModel must be a JSON object. Received: "
                f"{string[:80]!r} ({error}). Export it anew."
            ) from error
    return None


def _stated(objects, library, name):
    """The strings, a list of bytes, that a function of the root returns as a constant."""
    node = _child(objects, objects.nodes[0], name) if objects.nodes else None
    if node is None or not node.function.concrete_functions:
        return []
    function = library.get(node.function.concrete_functions[0])
    for node_def in function.node_def if function else ():
        if node_def.op == "Const" and node_def.attr["value"].tensor.string_val:
            return list(node_def.attr["value"].tensor.string_val)
    return []


def _functions(objects):
    """{training: name of a function of the encoder}; False is also one that does not say."""
    if not objects.nodes:
        return {}
    root = objects.nodes[0]
    call = _child(objects, root, "__call__")
    names = list(call.function.concrete_functions) if call is not None else []
    functions = {}
    for name in dict.fromkeys(names):
        signature = objects.concrete_functions[name].canonicalized_input_signature
        functions.setdefault(_has_true(signature), name)
    if not functions:
        signatures = _child(objects, root, "signatures")
        for child in signatures.children if signatures is not None else ():
            if not 0 <= child.node_id < len(objects.nodes):
                continue
            name = objects.nodes[child.node_id].bare_concrete_function.concrete_function_name
            functions.setdefault(False, name)
    return {training: name for training, name in functions.items() if name}


def _flatten(library, objects, name):
    def name_of(number):
        node = objects.nodes[number]
        return node.variable.name if node.WhichOneof("kind") == "variable" else ""

    bound = objects.concrete_functions[name].bound_inputs
    if any(not 0 <= number < len(objects.nodes) for number in bound):
        raise ValueError(
            f"The objects of a SavedModel must exist. Received: function {brief(name)}, which "
            "takes one that does not. The file is damaged: download it again."
        )
    return flatten(library, name, [name_of(number) for number in bound])


def _child(objects, node, name):
    for child in node.children:
        if child.local_name == name and 0 <= child.node_id < len(objects.nodes):
            return objects.nodes[child.node_id]
    return None


def _has_true(value):
    """Whether a StructuredValue holds a True: the argument `training`."""
    kind = value.WhichOneof("kind")
    if kind == "bool_value":
        return value.bool_value
    if kind in ("tuple_value", "list_value"):
        return any(_has_true(item) for item in getattr(value, kind).values)
    if kind == "dict_value":
        return any(_has_true(item) for item in value.dict_value.fields.values())
    return False
