"""Pre-training records: their features, writing and reading them."""

import numpy as np

from albert_tf.data.example_proto import parse_example
from albert_tf.data.tfrecord import read_records

_FLOATS = ("masked_lm_weights", "next_sentence_weights")


def feature_lengths(options):
    """The features of a record and the number of values of each.

    Records of the recipe "original" have exactly those of Google's create_pretraining_data.py:

    | feature | values | |
    |---|---|---|
    | input_ids | length | masked, padded with id 0 |
    | input_mask | length | 1 for tokens, 0 for padding |
    | segment_ids | length | 0 for [CLS] a [SEP], 1 for b [SEP] |
    | token_boundary | length | 1 where a word starts, and for [CLS] and [SEP] |
    | masked_lm_positions | predictions | ascending, padded with 0 |
    | masked_lm_ids | predictions | what was there, padded with 0 |
    | masked_lm_weights | predictions | float, 1 or for padding 0 |
    | next_sentence_labels | 1 | 0: in order; 1: swapped (or b from another document) |

    Those of the recipe "paper" have also `next_sentence_weights`, 1 float: 0 for records of one
    segment, whose label says nothing. With `static_masks=False` there are no masked_lm_* features.

    Args:
      options: `PretrainingOptions`.

    Returns:
      dict, name -> int.
    """
    length, predictions = options.max_seq_length, options.predictions
    lengths = dict.fromkeys(("input_ids", "input_mask", "segment_ids", "token_boundary"), length)
    if options.static_masks:
        names = ("masked_lm_positions", "masked_lm_ids", "masked_lm_weights")
        lengths.update(dict.fromkeys(names, predictions))
    lengths["next_sentence_labels"] = 1
    if options.recipe == "paper":
        lengths["next_sentence_weights"] = 1
    return lengths


def feature_spec(options):
    """What `tf.io.parse_single_example` needs to read records of ours and of Google's.

    The weight of the sentence order is 1 where a record has none.

    Args:
      options: `PretrainingOptions`.

    Returns:
      dict, name -> `tf.io.FixedLenFeature`, int64 or float32.
    """
    import tensorflow as tf

    spec = {}
    for name, length in {**feature_lengths(options), "next_sentence_weights": 1}.items():
        default = [1.0] if name == "next_sentence_weights" else None
        dtype = tf.float32 if name in _FLOATS else tf.int64
        spec[name] = tf.io.FixedLenFeature([length], dtype, default)
    return spec


def serialize_features(features):
    """Serializes a batch of features as tf.train.Example.

    Args:
      features: dict, name -> array [batch, n] of non-negative integers or of float32.

    Returns:
      list of bytes, as `tf.io.parse_single_example` reads them.
    """
    columns = [_entries(name, values) for name, values in features.items()]
    examples = map(b"".join, zip(*columns))
    return [b"\x0a" + _varint(len(example)) + example for example in examples]


def read_pretraining_records(path):
    """Yields the records of a TFRecord file as dicts, feature name -> array; without TensorFlow."""
    with open(path, "rb") as file:
        for record in read_records(file, str(path)):
            features = parse_example(record)
            yield {
                name: np.array(values, np.float32 if name in _FLOATS else np.int64)
                for name, values in features.items()
            }


def _entries(name, values):
    """One feature of each example, as an entry of the map in `tf.train.Features`."""
    key = _field(1, name.encode())
    if values.dtype == np.float32:
        size, list_field = values.shape[1] * 4, 2
        payload = np.ascontiguousarray(values, "<f4").tobytes()
        sizes = [size] * len(values)
    else:
        list_field = 3
        payload, sizes = _packed_varints(values)
    heads, start, entries = {}, 0, []
    for size in sizes:
        if size not in heads:  # Few sizes occur, so each head is made once.
            packed = b"\x0a" + _varint(size)
            listed = bytes([list_field << 3 | 2]) + _varint(len(packed) + size) + packed
            value = b"\x12" + _varint(len(listed) + size) + listed
            heads[size] = b"\x0a" + _varint(len(key) + len(value) + size) + key + value
        entries.append(heads[size] + payload[start : start + size])
        start += size
    return entries


def _packed_varints(values):
    """-> the varints of all values in a row (bytes), and how many bytes each row takes."""
    flat = values.ravel()
    largest = int(flat.max(initial=0))
    if largest < 128:
        return flat.astype(np.uint8).tobytes(), [values.shape[1]] * len(values)
    widths = np.ones(len(flat), np.int32)
    bits = 7
    while largest >> bits:
        widths += flat >= 1 << bits
        bits += 7
    ends = np.cumsum(widths)
    packed = np.empty(ends[-1], np.uint8)
    offsets = ends - widths
    for byte in range(widths.max()):
        longer = widths > byte + 1
        packed[offsets] = (flat & 127) | (longer << 7)
        flat, offsets, widths = flat[longer] >> 7, offsets[longer] + 1, widths[longer]
    row_ends = ends[values.shape[1] - 1 :: values.shape[1]]
    return packed.tobytes(), np.diff(row_ends, prepend=0).tolist()


def _field(number, data):
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _varint(value):
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)
