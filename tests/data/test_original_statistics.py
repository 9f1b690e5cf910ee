"""The recipe "original" at full speed against the statistics of Google's program."""

import json
import random

import numpy as np
import pytest

from albert_tf.data.pretraining.document_format import DocumentFormat
from albert_tf.data.pretraining.features import make_features
from albert_tf.data.pretraining.segments import draw_segments, truncate_segments
from albert_tf.data.pretraining.token_block import BlockEncoder
from tests.conftest import FIXTURES, GOLDENS
from tests.data.pretraining_statistics import replaced, run_lengths, same_proportion
from tests.data.test_original_replay import RUNS, options_of

STATISTICS = json.loads((GOLDENS / "pretrain_data" / "stats.json").read_text())


@pytest.fixture(scope="module")
def encoder():
    return BlockEncoder(FIXTURES / "tiny.model")


@pytest.fixture(scope="module")
def block(encoder):
    with open(FIXTURES / "pretrain_corpus.txt", "rb") as file:
        return encoder.encode(list(DocumentFormat().read(file, "pretrain_corpus.txt")))


@pytest.fixture(scope="module", params=RUNS)
def made(request, block, encoder):
    """(recorded statistics, options, segment pairs, truncated, features)."""
    options = options_of(request.param)
    generator, chunks = np.random.default_rng(7), random.Random(7)
    table = [draw_segments(block, options, chunks) for _ in range(options.dupe_factor)]
    table = np.concatenate(table)
    truncated = truncate_segments(table, options, generator)
    features = make_features(block, truncated, encoder, options, generator)
    return STATISTICS[request.param], options, table, truncated, features


def test_number_of_records(made):
    recorded, _, table, _, _ = made
    # A chunk's length is random: with random_next_sentence half of them give sentences back.
    assert len(table) == pytest.approx(recorded["records"], rel=0.03)


def test_lengths(made):
    recorded, options, _, _, features = made
    lengths = features["input_mask"].sum(axis=1)
    error = lengths.std() * np.sqrt(1 / len(lengths) + 1 / recorded["records"])
    assert abs(lengths.mean() - recorded["mean_length"]) < 4.5 * error
    full = (lengths == options.max_seq_length).sum()
    full_recorded = recorded["full_length_fraction"] * recorded["records"]
    assert same_proportion(full, len(lengths), full_recorded, recorded["records"])


def test_labels_and_what_segments_are(made):
    recorded, _, table, truncated, features = made
    pairs, records = recorded["segment_pairs"], recorded["records"]
    a_begin, a_end, b_begin, b_end, label, _ = table.T
    kinds = {
        "label0_in_order": (label == 0) & (a_end == b_begin),
        "label1_swapped": (label == 1) & (b_end == a_begin),
    }
    kinds["label1_different_documents"] = (label == 1) & ~kinds["label1_swapped"]
    for kind, found in kinds.items():
        assert same_proportion(found.sum(), len(table), pairs.get(kind, 0) * records, records), kind
    np.testing.assert_array_equal(features["next_sentence_labels"][:, 0], label)
    for name, (begin, end) in {"seg_a_len": (0, 1), "seg_b_len": (2, 3)}.items():
        lengths = truncated[:, end] - truncated[:, begin]
        error = lengths.std() * np.sqrt(1 / len(table) + 1 / records)
        assert abs(lengths.mean() - pairs[name]) < 4.5 * error, name


def test_masks(made):
    recorded, options, _, _, features = made
    weights = features["masked_lm_weights"]
    lengths = features["input_mask"].sum(axis=1)
    wanted = np.clip(np.rint(lengths * 0.15), 1, options.max_predictions_per_seq)
    factor = recorded["masked_over_num_to_predict"]
    np.testing.assert_array_equal(weights.sum(axis=1), wanted * factor)
    of_text = weights.sum() / (lengths.sum() - 3 * len(lengths))
    assert of_text == pytest.approx(recorded["masked_fraction_of_nonspecial"], rel=0.01)
    for kind, count in replaced(features).items():
        total = recorded["masked_total"]
        expected = recorded["replaced"][kind] * total
        assert same_proportion(count, weights.sum(), expected, total), kind


@pytest.mark.parametrize("unit", ["pieces", "words"])
def test_lengths_of_masked_runs(made, unit):
    recorded, _, _, _, features = made
    lengths = run_lengths(features)[unit == "words"]
    expected = {int(n): count for n, count in recorded[f"run_length_{unit}"].items()}
    total = sum(expected.values())
    for n in range(max(expected) + 1):
        found = (lengths == n).sum()
        assert same_proportion(found, len(lengths), expected.get(n, 0), total), n


def test_word_starts(made):
    recorded, _, _, _, features = made
    fraction = features["token_boundary"].sum() / features["input_mask"].sum()
    assert fraction == pytest.approx(recorded["token_boundary_1_fraction"], abs=0.005)
