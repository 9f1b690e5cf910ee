import dataclasses
import random

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.data.pretraining.dynamic_masking import DynamicMasking
from albert_tf.data.pretraining.features import make_features
from albert_tf.data.pretraining.options import PretrainingOptions
from albert_tf.data.pretraining.segments import draw_segments, truncate_segments
from albert_tf.data.pretraining.token_block import BlockEncoder
from tests.conftest import FIXTURES
from tests.data.pretraining_statistics import (
    masked_positions,
    replaced,
    run_lengths,
    same_proportion,
)

OPTIONS = {
    "paper": PretrainingOptions(max_seq_length=64),
    "pieces": PretrainingOptions(max_seq_length=64, do_whole_word_mask=False, ngram=1),
    "longer": PretrainingOptions(max_seq_length=64, favor_shorter_ngram=False, ngram=2),
    "original": PretrainingOptions(recipe="original", max_seq_length=64, max_predictions_per_seq=8),
}


@pytest.fixture(scope="module")
def make(sp_model):
    """Function of options: (function that makes unmasked or masked features, encoder)."""
    encoder = BlockEncoder(sp_model)
    documents = (FIXTURES / "pretrain_corpus.txt").read_text(encoding="utf-8").split("\n\n")
    block = encoder.encode([document.split("\n") for document in documents[:120]])

    def features(options, generator):
        table = draw_segments(block, options, random.Random(1))
        table = truncate_segments(table, options, np.random.default_rng(1))
        return make_features(block, table, encoder, options, generator)

    return features


def unmasked(make, options):
    options = dataclasses.replace(options, static_masks=False)
    features = make(options, np.random.default_rng(1))
    return {name: values.astype(np.int64) for name, values in features.items()}


def stack(batches):
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


@pytest.mark.parametrize(("name", "xla"), [*((name, False) for name in OPTIONS), ("paper", True)])
def test_the_distribution_is_that_of_static_masks(make, sp_model, name, xla):
    options = OPTIONS[name]
    masking = tf.function(DynamicMasking(sp_model, options, seed=3), jit_compile=xla)
    source = {k: tf.constant(v) for k, v in unmasked(make, options).items()}
    batches = [masking(tf.constant(step, tf.int64), source) for step in range(8)]
    dynamic = stack([{k: v.numpy() for k, v in batch.items()} for batch in batches])
    generator = np.random.default_rng(2)
    static = stack([make(options, generator) for _ in range(8)])
    # The budget of each sequence is spent; the last tokens may not fit in a few.
    spent = dynamic["masked_lm_weights"].sum(axis=1)
    expected = static["masked_lm_weights"].sum(axis=1)
    assert (spent == expected).mean() > 0.995
    total = spent.sum()
    for kind, count in replaced(dynamic).items():
        assert same_proportion(count, total, replaced(static)[kind], expected.sum()), kind
    where, other = (masked_positions(features).sum(axis=0) for features in (dynamic, static))
    for position in range(64):
        assert same_proportion(where[position], total, other[position], total), position
    for found, other in zip(run_lengths(dynamic), run_lengths(static)):
        for n in range(other.max() + 1):
            counts = (found == n).sum(), len(found), (other == n).sum(), len(other)
            assert same_proportion(*counts), n


def test_what_is_masked_can_be_put_back(make, sp_model):
    options = OPTIONS["paper"]
    source = unmasked(make, options)
    masked = DynamicMasking(sp_model, options)(0, source)
    masked = {name: np.array(values) for name, values in masked.items()}
    chosen = masked_positions(masked)
    ids = masked["input_ids"].copy()
    assert (ids != source["input_ids"]).any()
    np.testing.assert_array_equal(ids[~chosen], source["input_ids"][~chosen])
    weights = masked["masked_lm_weights"] > 0
    ids[chosen] = masked["masked_lm_ids"][weights]
    np.testing.assert_array_equal(ids, source["input_ids"])
    assert not np.isin(source["input_ids"][chosen], [0, 2, 3]).any()
    assert (masked["masked_lm_ids"][~weights] == 0).all()
    assert (masked["masked_lm_positions"][~weights] == 0).all()
    for name in ("segment_ids", "token_boundary", "next_sentence_labels"):
        np.testing.assert_array_equal(masked[name], source[name])


def test_in_a_dataset_with_static_shapes(make, sp_model):
    options = OPTIONS["paper"]
    source = unmasked(make, options)
    dataset = tf.data.Dataset.from_tensor_slices(source).batch(16, drop_remainder=True)
    dataset = dataset.enumerate().map(DynamicMasking(sp_model, options, seed=5))
    shapes = {name: spec.shape.as_list() for name, spec in dataset.element_spec.items()}
    assert shapes["input_ids"] == [16, 64]
    for name in ("positions", "ids", "weights"):
        assert shapes[f"masked_lm_{name}"] == [16, options.max_predictions_per_seq]
    first, second = ([batch["input_ids"] for batch in dataset.as_numpy_iterator()] for _ in "ab")
    np.testing.assert_array_equal(first, second)  # As training that goes on needs it.
    other = DynamicMasking(sp_model, options, seed=6)
    assert (other(0, {k: v[:16] for k, v in source.items()})["input_ids"] != first[0]).numpy().any()


def test_refuses_permutation(sp_model):
    options = PretrainingOptions(recipe="original", do_permutation=True)
    with pytest.raises(ValueError, match="do not permute. Received: do_permutation=True"):
        DynamicMasking(sp_model, options)
