import itertools

import pytest
import tensorflow as tf

from albert_tf.text.packing import pack

IDS = {"padding_id": 0, "start_of_sequence_id": 2, "end_of_segment_id": 3}
LENGTHS = range(7)


def ragged(rows):
    return tf.ragged.constant(rows, dtype=tf.int32, row_splits_dtype=tf.int64)


def truncated_in_turns(a, b, budget):
    """The published preprocessor's way: tokens are handed out in turns, the first segment first."""
    keep = [0, 0]
    for _ in range(budget):
        for i, segment in enumerate((a, b)):
            if keep[i] < len(segment) and sum(keep) < budget:
                keep[i] += 1
    return a[: keep[0]], b[: keep[1]]


def truncated_from_the_end(a, b, budget):
    """The original's way: tokens are popped from the longer segment, the second one on ties."""
    a, b = list(a), list(b)
    while len(a) + len(b) > budget:
        (a if len(a) > len(b) else b).pop()
    return a, b


@pytest.mark.parametrize("seq_length", [3, 4, 7, 10, 16])
@pytest.mark.parametrize("truncated", [truncated_in_turns, truncated_from_the_end])
def test_pairs_as_both_truncations_have_it(seq_length, truncated):
    pairs = [
        (list(range(10, 10 + n)), list(range(20, 20 + m)))
        for n, m in itertools.product(LENGTHS, LENGTHS)
    ]
    outputs = pack([ragged([p[i] for p in pairs]) for i in (0, 1)], seq_length, IDS)
    for i, (a, b) in enumerate(pairs):
        a, b = truncated(a, b, seq_length - 3)
        ids = [2, *a, 3, *b, 3]
        padding = [0] * (seq_length - len(ids))
        types = [0] * (len(a) + 2) + [1] * (len(b) + 1)
        assert outputs["input_word_ids"][i].numpy().tolist() == ids + padding
        assert outputs["input_mask"][i].numpy().tolist() == [1] * len(ids) + padding
        assert outputs["input_type_ids"][i].numpy().tolist() == types + padding


@pytest.mark.parametrize("seq_length", [2, 3, 5, 9])
def test_single(seq_length):
    rows = [list(range(10, 10 + n)) for n in LENGTHS]
    outputs = pack([ragged(rows)], seq_length, IDS)
    empty = pack([ragged(rows), ragged([[]] * len(rows))], 3 + seq_length, IDS, True)
    for i, row in enumerate(rows):
        ids = [2, *row[: seq_length - 2], 3]
        padding = [0] * (seq_length - len(ids))
        assert outputs["input_word_ids"][i].numpy().tolist() == ids + padding
        assert outputs["input_mask"][i].numpy().tolist() == [1] * len(ids) + padding
    assert not outputs["input_type_ids"].numpy().any()
    # With skip_empty_second a pair with nothing behind is a single text.
    for name, value in pack([ragged(rows)], 3 + seq_length, IDS).items():
        assert (empty[name].numpy() == value.numpy()).all()


def test_words():
    words = tf.ragged.constant([[[11], [12, 13]], [[14]]], dtype=tf.int32)
    outputs = pack([words], 6, IDS)
    assert outputs["input_word_ids"].numpy().tolist() == [
        [2, 11, 12, 13, 3, 0],
        [2, 14, 3, 0, 0, 0],
    ]


def test_static_shape_and_batch_0():
    @tf.function(input_signature=[tf.RaggedTensorSpec([None, None], tf.int32)])
    def function(tokens):
        outputs = pack([tokens, tokens], 16, IDS)
        assert all(v.shape.as_list() == [None, 16] for v in outputs.values())
        outputs = pack([tokens], 16, IDS)
        assert all(v.shape.as_list() == [None, 16] for v in outputs.values())
        return outputs

    empty = ragged([[1]])[:0]
    assert function(empty)["input_mask"].shape == (0, 16)


@pytest.mark.parametrize(
    "segments, received",
    [
        (lambda: ragged([[1]]), "Received: RaggedTensor."),
        (list, "of length 0"),
        (lambda: [ragged([[1]])] * 3, "of length 3"),
        (lambda: [tf.constant([[1]])], "EagerTensor of shape"),
        (lambda: [tf.ragged.constant([[1.0]])], "dtype float32"),
    ],
)
def test_wrong_segments(segments, received):
    with pytest.raises(ValueError, match=f"a list of 1 or 2 RaggedTensors.*{received}"):
        pack(segments(), 16, IDS)


def test_segments_of_different_batches():
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many rows"):
        pack([ragged([[1]]), ragged([[1], [2]])], 16, IDS)


@pytest.mark.parametrize("seq_length", [0, -1, 2, 3.0, True, "16", None])
def test_wrong_length(seq_length):
    with pytest.raises(ValueError, match="seq_length must be an integer of at least 2 .* and 3"):
        pack([ragged([[1]])] * 2, seq_length, IDS)


def test_wrong_length_known_only_in_the_graph():
    @tf.function
    def function(seq_length):
        return pack([ragged([[1]])] * 2, seq_length, IDS)

    assert function(tf.constant(3))["input_mask"].shape == (1, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="seq_length must be an integer"):
        function(tf.constant(2))
