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


def batch(labels, scores, population=None, users=None, groupings=None, **features):
    """A batch with the overall slice and one column of slices for each feature.

    Args:
        labels: ``(T, B)``.
        scores: ``(M, T, B)``.
        population: ``(T, B)``; all rows if None.
        users: ``(B,)``, or None.
        groupings: by feature ``(B,)``.
        features: by name, values ``(B,)``.
    """
    labels = np.asarray(labels, bool)
    rows = labels.shape[1]
    overall = SliceColumn(np.zeros(rows, np.int64), ((),))
    return EvaluationBatch(
        [overall, *(column(name, values) for name, values in features.items())],
        labels,
        np.ones_like(labels) if population is None else np.asarray(population, bool),
        np.asarray(scores, np.float32),
        None if users is None else np.asarray(users, np.uint64),
        groupings or {},
    )


def direct_auc(labels, scores):
    """Share of pairs of a positive and a negative that are in order, ties counted half."""
    labels, scores = np.asarray(labels, bool), np.asarray(scores, np.float64)
    gaps = scores[labels][:, None] - scores[~labels][None, :]
    return ((gaps > 0) + 0.5 * (gaps == 0)).mean()
