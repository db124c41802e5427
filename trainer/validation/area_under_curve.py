"""Exact AUC of scores in memory, for selection on the validation split."""

import numpy as np


def area_under_curve(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """Area under the ROC curve; ties count half.

    Args:
        labels: ``(n,)``, 0 or 1.
        scores: ``(n,)``, higher for more likely.

    Returns:
        The AUC, or None where one of the classes has no row: it is then undefined.
    """
    positive = labels > 0.5
    positives = int(positive.sum())
    negatives = positive.size - positives
    if positives == 0 or negatives == 0:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = ranks[inverse][positive].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))
