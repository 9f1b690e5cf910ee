"""The warm-up file, read by a parser that knows the messages' declarations."""

import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tensorflow.core.framework.tensor_pb2 import TensorProto

from albert_tf.saved_model.warmup import FILE, write_warmup


def prediction_log():
    """TensorFlow Serving's PredictionLog, as far as warm-up uses it."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="warmup.proto", package="w", syntax="proto3")

    def message(name, *fields):
        added = file.message_type.add(name=name)
        for number, called, kind in fields:
            one = added.field.add(name=called, number=number, label=field.LABEL_OPTIONAL)
            if kind in ("TYPE_STRING", "TYPE_BYTES"):
                one.type = getattr(field, kind)
            else:
                one.type, one.type_name = field.TYPE_MESSAGE, f".w.{kind}"
            if called == "inputs":
                one.label = field.LABEL_REPEATED

    message("ModelSpec", (1, "name", "TYPE_STRING"), (3, "signature_name", "TYPE_STRING"))
    message("Entry", (1, "key", "TYPE_STRING"), (2, "value", "TYPE_BYTES"))
    message("PredictRequest", (1, "model_spec", "ModelSpec"), (2, "inputs", "Entry"))
    message("PredictLog", (1, "request", "PredictRequest"))
    message("PredictionLog", (6, "predict_log", "PredictLog"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("w.PredictionLog"))


def test_requests(tmp_path):
    requests = [
        {"text": tf.constant(["a short text"])},
        {"question": tf.constant(["q" * 300]), "context": tf.constant(["c" * 20000])},
    ]
    write_warmup(tmp_path, requests)
    records = list(tf.data.TFRecordDataset(str(tmp_path / FILE)).as_numpy_iterator())
    assert len(records) == 2
    for record, expected in zip(records, requests):
        request = prediction_log().FromString(record).predict_log.request
        assert request.model_spec.signature_name == "serving_default"
        found = {
            entry.key: tf.make_ndarray(TensorProto.FromString(entry.value)).tolist()
            for entry in request.inputs
        }
        assert found == {name: tensor.numpy().tolist() for name, tensor in expected.items()}
