"""Batches as the evaluation reads them, without models and without a pipeline."""

import numpy as np

from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
from mtlx.components.slice_evaluation.slices import SliceColumn


def key(feature, value):
    """A slice of one feature."""
    return ((feature, value),)


def column(feature, values):
    """The slices of one feature, by row."""
    names, codes = np.unique(values, return_inverse=True)
    return SliceColumn(codes.astype(np.int64), tuple(key(feature, str(name)) for name in names))


def batch(labels, scores, population=None, users=None, groupings=None, requests=None, **features):
    """A batch with the overall slice and one column of slices for each feature.

    Args:
        labels: ``(T, B)``; numbers other than 0 and 1 stay what they are.
        scores: ``(M, T, B)``.
        population: ``(T, B)``; all rows if None; weights, if they are floats.
        users: ``(B,)``, or None.
        groupings: by feature ``(B,)``.
        requests: ``(B,)``, or None.
        features: by name, values ``(B,)``.
    """
    labels = np.asarray(labels)
    if np.isin(labels, (0, 1)).all():
        labels = labels.astype(bool)
    weights = np.ones(labels.shape, bool) if population is None else np.asarray(population)
    if weights.dtype != np.float64:
        weights = weights.astype(bool)
    rows = labels.shape[1]
    overall = SliceColumn(np.zeros(rows, np.int64), ((),))
    return EvaluationBatch(
        [overall, *(column(name, values) for name, values in features.items())],
        labels,
        weights,
        np.asarray(scores, np.float32),
        None if users is None else np.asarray(users, np.uint64),
        groupings or {},
        None if requests is None else np.asarray(requests, np.uint64),
    )


def direct_auc(labels, scores):
    """Share of pairs of a positive and a negative that are in order, ties counted half."""
    labels, scores = np.asarray(labels, bool), np.asarray(scores, np.float64)
    gaps = scores[labels][:, None] - scores[~labels][None, :]
    return ((gaps > 0) + 0.5 * (gaps == 0)).mean()
