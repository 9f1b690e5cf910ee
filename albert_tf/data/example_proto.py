"""`tf.train.Example` without TensorFlow."""

import functools

import numpy as np
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


def serialize_examples(features):
    """Serializes a table as tf.train.Examples, as `tf.io.parse_example` reads them.

    By columns, many examples at once, in half the time of protobuf's own classes.

    Args:
      features: dict, name -> values of all examples: an array of integers or floats [examples, ...]
        whose rows are flattened, or a list with a list of bytes for each example.

    Returns:
      list of bytes.

    Example:

    >>> import numpy as np
    >>> from albert_tf.data.example_proto import parse_example, serialize_examples
    >>> first, second = serialize_examples({"id": np.array([3, 4]), "text": [[b"a"], [b"b"]]})
    >>> parse_example(second)
    {'id': [4], 'text': [b'b']}
    """
    columns = [_entries(name, values) for name, values in features.items()]
    return [_field(1, b"".join(entries)) for entries in zip(*columns)]


def _entries(name, values):
    """One feature of each example, as an entry of the map in `tf.train.Features`."""
    if isinstance(values, np.ndarray):
        values = values.reshape(len(values), -1)
        if values.dtype.kind == "f":
            number, sizes = _LISTS["float_list"][0], [values.shape[1] * 4] * len(values)
            payload = values.astype("<f4").tobytes()
        else:
            number, (payload, sizes) = _LISTS["int64_list"][0], _packed_varints(values)
    else:
        number = _LISTS["bytes_list"][0]
        rows = [b"".join(_field(1, value) for value in row) for row in values]
        payload, sizes = b"".join(rows), list(map(len, rows))
    key, heads, start, entries = _field(1, name.encode()), {}, 0, []
    for size in sizes:
        if size not in heads:  # Few sizes occur, so each head is made once.
            packed = b"" if number == _LISTS["bytes_list"][0] else _head(1, size)
            listed = _head(number, len(packed) + size) + packed
            value = _head(2, len(listed) + size) + listed
            heads[size] = _head(1, len(key) + len(value) + size) + key + value
        entries.append(heads[size] + payload[start : start + size])
        start += size
    return entries


def _packed_varints(values):
    """-> the varints of all values in a row (bytes), and how many bytes each row takes."""
    if values.size == 0:
        return b"", [0] * len(values)
    flat = values.ravel()
    if flat.min() < 0:
        flat = flat.astype(np.int64).view(np.uint64)  # Negative numbers take ten bytes.
    largest = int(flat.max())
    if largest < 128:
        return flat.astype(np.uint8).tobytes(), [values.shape[1]] * len(values)
    widths = np.ones(len(flat), np.int32)
    bits = 7
    while largest >> bits:
        widths += flat >= 1 << bits
        bits += 7
    ends = np.cumsum(widths)
    packed = np.empty(ends[-1], np.uint8)
    places = ends - widths
    for byte in range(widths.max()):
        longer = widths > byte + 1
        packed[places] = flat.astype(np.uint8) & 127 | longer.view(np.uint8) << 7
        flat, places, widths = flat[longer] >> 7, places[longer] + 1, widths[longer]
    row_ends = ends[values.shape[1] - 1 :: values.shape[1]]
    return packed.tobytes(), np.diff(row_ends, prepend=0).tolist()


def _field(number, data):
    return _head(number, len(data)) + data


def _head(number, size):
    """What comes before a field of so many bytes."""
    return bytes([number << 3 | 2]) + _varint(size)


def _varint(value):
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)


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
