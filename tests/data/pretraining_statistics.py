"""Statistics of pre-training records, as tests/goldens/pretrain_data/stats.json has them."""

import numpy as np

MASK_ID = 4


def stack(records):
    """dict of arrays [records, n] of an iterable of dicts of arrays [n]."""
    records = list(records)
    return {name: np.stack([record[name] for record in records]) for name in records[0]}


def masked_positions(features):
    """bool [records, length], where something is to be predicted."""
    weights = features["masked_lm_weights"] > 0
    chosen = np.zeros(features["input_ids"].shape, bool)
    rows, slots = np.nonzero(weights)
    chosen[rows, features["masked_lm_positions"][rows, slots]] = True
    return chosen


def run_lengths(features):
    """Masked runs: (pieces of each, word starts in each)."""
    chosen = np.pad(masked_positions(features), ((0, 0), (1, 1))).astype(np.int64)
    edges = np.diff(chosen, axis=1)
    rows, begins = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    starts = np.pad(np.cumsum(features["token_boundary"], axis=1), ((0, 0), (1, 0)))
    return ends - begins, starts[rows, ends] - starts[rows, begins]


def replaced(features):
    """What became of the masked tokens: dict of counts."""
    weights = features["masked_lm_weights"] > 0
    ids = np.take_along_axis(features["input_ids"], features["masked_lm_positions"], axis=1)
    ids, labels = ids[weights], features["masked_lm_ids"][weights]
    mask, kept = int((ids == MASK_ID).sum()), int((ids == labels).sum())
    return {"[MASK]": mask, "kept": kept, "other": len(ids) - mask - kept}


def same_proportion(count, total, other_count, other_total, sigmas=4.5):
    """Whether two observed proportions agree within the sampling error of both."""
    pooled = (count + other_count) / (total + other_total)
    deviation = np.sqrt(max(pooled * (1 - pooled), 1e-9) * (1 / total + 1 / other_total))
    return abs(count / total - other_count / other_total) <= sigmas * deviation
