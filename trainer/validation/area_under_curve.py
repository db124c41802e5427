"""Exact AUC of scores in memory, for selection on the validation split."""

import numpy as np


def area_under_curve(
    labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None
) -> float | None:
    """Area under the ROC curve; ties count half.

    Args:
        labels: ``(n,)``, 0 or 1.
        scores: ``(n,)``, higher for more likely.
        weights: what rows count for, ``(n,)``, above 0; a pair counts as the product. None for 1.

    Returns:
        The AUC, or None where one of the classes has no row: it is then undefined.
    """
    positive = labels > 0.5
    positives = int(positive.sum())
    negatives = positive.size - positives
    if positives == 0 or negatives == 0:
        return None
    if weights is not None:
        _, places = np.unique(scores, return_inverse=True)
        of_positives = np.bincount(places[positive], weights[positive], minlength=places.max() + 1)
        of_negatives = np.bincount(
            places[~positive], weights[~positive], minlength=places.max() + 1
        )
        below = np.cumsum(of_negatives) - of_negatives / 2
        pairs = of_positives.sum() * of_negatives.sum()
        return float((of_positives * below).sum() / pairs)
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = ranks[inverse][positive].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))
