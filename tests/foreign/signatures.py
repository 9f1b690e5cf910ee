"""What a client that knows no Python reads of a SavedModel: the tensors behind a signature."""

import pathlib


def tensors(path, name="serving_default"):
    """The inputs and the outputs of a signature, each as {key: (operation, index)}."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    model = SavedModel.FromString(pathlib.Path(path, "saved_model.pb").read_bytes())
    signature = model.meta_graphs[0].signature_def[name]

    def operations(infos):
        found = {key: info.name.split(":") for key, info in sorted(infos.items())}
        return {key: (operation, int(index)) for key, (operation, index) in found.items()}

    return operations(signature.inputs), operations(signature.outputs)
