"""One version of a model in memory: its signatures, and what it tells about itself."""

import dataclasses
import json
import pathlib

import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from albert_tf.prediction.loading import load_text_function
from albert_tf.serving.signature import read_signature
from albert_tf.text.tensorflow_text import import_tensorflow_text


@dataclasses.dataclass(frozen=True)
class ServedVersion:
    """A loaded model.

    Attributes:
      version: int.
      source: Where it lies, str.
      signatures: {name: `Signature`}.
      signature_defs: {name: `SignatureDef`} of all signatures that its file lists.
      record: What `task()` tells, and `labels` where there are some; {} of other models.
      keep: What must stay in memory.
    """

    version: int
    source: str
    signatures: dict
    signature_defs: dict
    record: dict
    keep: object

    def metadata(self, name):
        """What TensorFlow Serving answers to `/metadata`, a dict for JSON."""
        defs = {
            key: json_format.MessageToDict(
                value, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )
            for key, value in sorted(self.signature_defs.items())
        }
        return {
            "model_spec": {"name": name, "signature_name": "", "version": str(self.version)},
            "metadata": {"signature_def": {"signature_def": defs}},
        }


def load_saved_model(path, version):
    """Loads a SavedModel, and computes each signature once, which takes longest the first time.

    Args:
      path: Its directory.
      version: int.

    Returns:
      A `ServedVersion`.

    Raises:
      OSError, ValueError: It is damaged, or has no signature.
    """
    path = pathlib.Path(path)
    import_tensorflow_text()  # Text needs its operations.
    loaded = tf.saved_model.load(str(path))
    if not loaded.signatures:
        raise ValueError(
            f"A model that is served must have a signature. Received: {path} without one."
        )
    file = SavedModel.FromString((path / "saved_model.pb").read_bytes())
    return ServedVersion(
        version,
        str(path),
        {name: read_signature(name, function) for name, function in loaded.signatures.items()},
        dict(file.meta_graphs[0].signature_def),
        _record(loaded),
        loaded,
    )


def load_checkpoint(path, task, version=1):
    """A checkpoint as if its SavedModel for a task had been exported and loaded.

    Args:
      path, task: As for `Predictor`.
      version: int.

    Returns:
      A `ServedVersion` with the signature `serving_default` alone.
    """
    model = load_text_function(path, task)
    signature = read_signature("serving_default", model.function)
    definition = SignatureDef(method_name="tensorflow/serving/predict")
    for infos, forms, prefix in (
        (definition.inputs, signature.inputs, "serving_default_"),
        (definition.outputs, signature.outputs, "StatefulPartitionedCall_"),
    ):
        for name, form in forms.items():
            dtype = tf.string if form.is_text else tf.as_dtype(form.dtype)
            infos[name].name = f"{prefix}{name}:0"
            infos[name].dtype = dtype.as_datatype_enum
            infos[name].tensor_shape.CopyFrom(tf.TensorShape(form.shape).as_proto())
    return ServedVersion(
        version,
        model.source,
        {"serving_default": signature},
        {"serving_default": definition},
        model.record,
        model,
    )


def _record(loaded):
    """What a model of this package tells about itself."""
    if not isinstance(getattr(loaded, "task", None), tf.types.experimental.GenericFunction):
        return {}
    record = json.loads(loaded.task().numpy())
    if hasattr(loaded, "labels"):
        record["labels"] = [label.decode() for label in loaded.labels().numpy().tolist()]
    return record
