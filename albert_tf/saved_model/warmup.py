"""Requests that TensorFlow Serving computes before it lets others at a SavedModel."""

import pathlib

import tensorflow as tf

FILE = "assets.extra/tf_serving_warmup_requests"


def write_warmup(directory, requests):
    """Writes the file that TensorFlow Serving looks for in a SavedModel.

    Args:
      directory: Path of the SavedModel.
      requests: Iterable of dicts {name: tensor}, the inputs of `serving_default`.

    Reference: https://www.tensorflow.org/tfx/serving/saved_model_warmup; the messages are those of
    TensorFlow Serving's prediction_log.proto, predict.proto and model.proto.
    """
    path = pathlib.Path(directory, FILE)
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests:
            writer.write(_prediction_log(request))


def _prediction_log(inputs):
    """PredictionLog{predict_log{request{model_spec{signature_name}, inputs}}}, serialized.

    Every field in it holds bytes, so that these few lines do without tensorflow-serving-api, which
    has the generated classes, and without the gRPC that it brings.
    """
    request = _field(1, _field(3, b"serving_default"))
    for name, tensor in sorted(inputs.items()):
        value = tf.make_tensor_proto(tensor).SerializeToString()
        request += _field(2, _field(1, name.encode()) + _field(2, value))
    return _field(6, _field(1, request))


def _field(number, content):
    """A field of bytes, a string or a message; its number is at most 15."""
    size, length = len(content), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content
