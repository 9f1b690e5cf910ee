"""Pre-training records: their features, and reading them."""

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


def read_pretraining_records(path):
    """Yields the records of a TFRecord file as dicts, feature name -> array; without TensorFlow."""
    with open(path, "rb") as file:
        for record in read_records(file, str(path)):
            features = parse_example(record)
            yield {
                name: np.array(values, np.float32 if name in _FLOATS else np.int64)
                for name, values in features.items()
            }
