"""`tf.train.Example` without TensorFlow."""

import functools

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_LISTS = {  # Field of Feature -> (number, message, type of its values).
    "bytes_list": (1, "BytesList", "TYPE_BYTES"),
    "float_list": (2, "FloatList", "TYPE_FLOAT"),
    "int64_list": (3, "Int64List", "TYPE_INT64"),
}


def parse_example(serialized):
    """Reads a serialized tf.train.Example.

    Returns:
      dict, feature name -> list of bytes, float or int.

    Raises:
      ValueError: If it is none.
    """
    example = _example_class()()
    try:
        example.ParseFromString(serialized)
    except Exception as error:  # Which class is raised depends on protobuf's version.
        raise ValueError("A record must be a serialized tf.train.Example.") from error
    features = {}
    for entry in example.features.feature:
        kind = entry.value.WhichOneof("kind")
        features[entry.key] = list(getattr(entry.value, kind).value) if kind else []
    return features


def serialize_example(features):
    """A serialized tf.train.Example of a dict of lists of bytes, float or int."""
    example = _example_class()()
    for name, values in features.items():
        entry = example.features.feature.add(key=name)
        first = values[0] if len(values) else b""
        kind = "bytes_list" if isinstance(first, bytes) else "int64_list"
        kind = "float_list" if isinstance(first, float) else kind
        getattr(entry.value, kind).value.extend(values)
    return example.SerializeToString()


@functools.cache
def _example_class():
    """The message class, in a pool of its own so that TensorFlow's can be loaded beside it."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="albert_tf/example.proto", package="albert_tf", syntax="proto3"
    )

    def add(name, *fields):
        message = file.message_type.add(name=name)
        for number, field_name, kind, repeated in fields:
            label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            added = message.field.add(name=field_name, number=number, label=label)
            if kind.startswith("TYPE_"):
                added.type = getattr(field, kind)
            else:
                added.type, added.type_name = field.TYPE_MESSAGE, f".albert_tf.{kind}"
        return message

    for _, message, kind in _LISTS.values():
        add(message, (1, "value", kind, True))
    feature = add("Feature", *((n, name, m, False) for name, (n, m, _) in _LISTS.items()))
    feature.oneof_decl.add(name="kind")
    for member in feature.field:
        member.oneof_index = 0
    # A map travels as repeated entries of key and value.
    add("Entry", (1, "key", "TYPE_STRING", False), (2, "value", "Feature", False))
    add("Features", (1, "feature", "Entry", True))
    add("Example", (1, "features", "Features", False))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("albert_tf.Example"))
