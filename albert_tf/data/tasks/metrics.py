"""Scores of classifiers and regressors as GLUE defines them; fractions, not percent."""

import math

import numpy as np


def accuracy(labels, predictions):
    """Share of predictions that equal their labels, float in [0, 1].

    Args:
      labels: Sequence of ids, length N > 0.
      predictions: Sequence of ids, length N.
    """
    labels, predictions = _pair(labels, predictions)
    return float(np.mean(labels == predictions))


def f1(labels, predictions):
    """Harmonic mean of precision and recall of the class 1, float in [0, 1].

    0 where neither labels nor predictions have the class, as scikit-learn has it.
    """
    labels, predictions = _pair(labels, predictions)
    both = np.sum((labels == 1) & (predictions == 1))
    total = np.sum(labels == 1) + np.sum(predictions == 1)
    return float(2 * both / total) if total else 0.0


def matthews(labels, predictions):
    """Matthews correlation coefficient, float in [-1, 1]; of any number of classes.

    0 where labels or predictions are all of one class, as scikit-learn has it.

    Reference: J. Gorodkin, "Comparing two K-category assignments by a K-category correlation
    coefficient", 2004.
    """
    labels, predictions = _pair(labels, predictions)
    classes = np.union1d(labels, predictions)
    true = np.array([np.sum(labels == c) for c in classes], np.float64)
    predicted = np.array([np.sum(predictions == c) for c in classes], np.float64)
    count, right = len(labels), float(np.sum(labels == predictions))
    variances = (count**2 - predicted @ predicted) * (count**2 - true @ true)
    return float((right * count - true @ predicted) / math.sqrt(variances)) if variances else 0.0


def subset_accuracy(labels, predictions):
    """Share of texts all of whose labels are predicted and no others, float in [0, 1].

    Args:
      labels: Array [N, L], 1 for each of L labels that a text has, else 0; N > 0.
      predictions: Array [N, L] of the same kind.
    """
    labels, predictions = _indicators(labels, predictions)
    return float(np.mean(np.all(labels == predictions, axis=1)))


def f1_micro(labels, predictions):
    """F1 of all pairs of a text and a label together, float in [0, 1]; arguments as above.

    0 where there is none, neither right nor predicted, as scikit-learn has it.
    """
    return f1(*(x.reshape(-1).astype(int) for x in _indicators(labels, predictions)))


def f1_macro(labels, predictions):
    """Mean of the labels' F1, each counting alike, float in [0, 1]; arguments as above.

    A label that is neither right nor predicted anywhere counts as 0, as scikit-learn has it.
    """
    labels, predictions = (x.astype(int) for x in _indicators(labels, predictions))
    return float(np.mean([f1(a, b) for a, b in zip(labels.T, predictions.T)]))


def rmse(labels, predictions):
    """Root of the mean squared error, in the unit of the labels; the lower the better."""
    labels, predictions = (x.astype(np.float64) for x in _pair(labels, predictions))
    return float(np.sqrt(np.mean((labels - predictions) ** 2)))


def mae(labels, predictions):
    """Mean absolute error, in the unit of the labels; the lower the better."""
    labels, predictions = (x.astype(np.float64) for x in _pair(labels, predictions))
    return float(np.mean(np.abs(labels - predictions)))


def pearson(labels, predictions):
    """Pearson's correlation of two sequences of numbers, float in [-1, 1].

    NaN where either is constant: it is not defined there. Treat that as the worst score.
    """
    labels, predictions = (x.astype(np.float64) for x in _pair(labels, predictions))
    if np.ptp(labels) == 0 or np.ptp(predictions) == 0:
        return math.nan
    x, y = labels - labels.mean(), predictions - predictions.mean()
    return float(np.clip((x @ y) / math.sqrt((x @ x) * (y @ y)), -1, 1))


def spearman(labels, predictions):
    """Spearman's rank correlation, ties at their mean rank, in [-1, 1]; NaN like `pearson`."""
    labels, predictions = _pair(labels, predictions)
    return pearson(_ranks(labels), _ranks(predictions))


def recall_at(vectors, text_ids, ks):
    """How often a text's partner is among the k nearest, {"recall_at_1": float in [0, 1], ...}.

    It is looked for by the cosine among all different texts of the columns from 1 on, without the
    text itself. A text with several partners has found one when any of them is near. Others that
    are just as near count as nearer.

    Args:
      vectors: float array [N, T, H] of length 1: a text, its partner, and further texts.
      text_ids: int array [N, T], the same for the same text.
      ks: Sequence of int.
    """
    ids, first = np.unique(text_ids[:, 1:], return_index=True)
    others = vectors[:, 1:].reshape(-1, vectors.shape[-1])[first]
    partners = {}
    for text, partner in zip(text_ids[:, 0], np.searchsorted(ids, text_ids[:, 1])):
        partners.setdefault(text, set()).add(partner)
    nearer = []
    for start in range(0, len(vectors), 1024):
        cosines = vectors[start : start + 1024, 0] @ others.T
        for text, row in zip(text_ids[start : start + 1024, 0], cosines):
            own = list(partners[text])
            itself = (ids == text) & ~np.isin(np.arange(len(ids)), own)
            row = np.where(itself, -np.inf, row)
            nearer.append(np.sum(row >= row[own].max()) - np.sum(row[own] >= row[own].max()))
    return {f"recall_at_{k}": float(np.mean(np.array(nearer) < k)) for k in ks}


# Of texts that have one class, or a number.
METRICS = {
    metric.__name__: metric for metric in (accuracy, f1, matthews, pearson, spearman, rmse, mae)
}
LOWER_IS_BETTER = ("rmse", "mae", "loss")


def _ranks(values):
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse.reshape(-1)]


def _indicators(labels, predictions):
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.ndim != 2 or labels.shape != predictions.shape or not labels.size:
        raise ValueError(
            "labels and predictions must be matrices of one shape, with a row for each text and a "
            f"column for each label. Received: shapes {labels.shape} and {predictions.shape}."
        )
    return labels.astype(bool), predictions.astype(bool)


def _pair(labels, predictions):
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.ndim != 1 or labels.shape != predictions.shape or not len(labels):
        raise ValueError(
            "labels and predictions must be sequences of one length, at least 1. "
            f"Received: shapes {labels.shape} and {predictions.shape}."
        )
    if not (np.all(np.isfinite(labels)) and np.all(np.isfinite(predictions))):
        raise ValueError(
            "labels and predictions must be finite. Received: NaN or infinity. "
            "The model has probably diverged: lower the learning rate."
        )
    return labels, predictions
