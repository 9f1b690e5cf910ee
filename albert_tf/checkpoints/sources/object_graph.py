"""TensorFlow 2's checkpoints, whose tensors are found through a graph of objects."""

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from albert_tf.checkpoints.files.bundle import open_bundle

GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def open_variables(prefix):
    """Opens an object-based checkpoint by the names that its variables had in the program.

    Args:
      prefix: pathlib.Path, the prefix of its files; a SavedModel's is `variables/variables`.

    Returns:
      ({name: TensorSpec}, {name: reason to ignore it}, function from a name to its numpy array)

    Raises:
      FileNotFoundError: A data file is missing.
      ValueError: A file is damaged.
    """
    stored, get = open_bundle(prefix)
    try:
        if (stored[GRAPH].dtype, stored[GRAPH].shape) != ("string", ()):
            raise TypeError(f"{stored[GRAPH]} is no graph")
        nodes = TrackableObjectGraph.FromString(get(GRAPH)).nodes
    except (DecodeError, TypeError) as error:
        raise ValueError(
            f"A checkpoint's graph of objects must be readable. Received: {str(prefix)!r}. Copy or "
            "download it again."
        ) from error
    slots = {slot.slot_variable_node_id for node in nodes for slot in node.slot_variables}
    keys, ignored = {}, {}
    for number, node in enumerate(nodes):
        for attribute in node.attributes:
            key = attribute.checkpoint_key
            if key not in stored:
                continue  # A Python object's state.
            # Two variables of one name cannot be told apart by it.
            name = attribute.full_name or key
            name = key if name in keys else name
            keys[name] = key
            if number in slots or "/optimizer/" in f"/{key}":
                ignored[name] = "optimizer slot"
            elif "/save_counter/" in f"/{key}":
                ignored[name] = "step counter"
    tensors = {name: stored[key] for name, key in keys.items()}
    return tensors, ignored, lambda name: get(keys[name])
