"""Pairs of rows that the scores put in the order of the labels, counted without forming pairs."""

import numpy as np


def concordance(
    groups: np.ndarray, labels: np.ndarray, scores: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Weight of the rows of the same group with another label that each row is in order with.

    Equal scores count half. O(N log² N), by merging halves of the rows in order of their labels.

    Args:
        groups: ``(N,)`` int64.
        labels: ``(N,)``.
        scores: ``(N,)``.
        weights: ``(N,)`` float64.

    Returns:
        ``(N,)`` float64. Summed with the weights, every pair is in it twice.
    """
    below = _dominated(groups, labels, scores, weights)
    return below + _dominated(groups, -labels, -scores, weights)


def comparable(groups: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weight of the rows of the same group with another label, ``(N,)`` float64.

    Args:
        groups: ``(N,)`` int64.
        labels: ``(N,)``.
        weights: ``(N,)`` float64.
    """
    if not len(groups):
        return np.zeros(0)
    order = np.lexsort((labels, groups))
    new_group = np.r_[True, groups[order][1:] != groups[order][:-1]]
    new_label = new_group | np.r_[True, labels[order][1:] != labels[order][:-1]]
    of_group, of_label = np.cumsum(new_group) - 1, np.cumsum(new_label) - 1
    others = (
        np.bincount(of_group, weights[order])[of_group]
        - np.bincount(of_label, weights[order])[of_label]
    )
    found = np.empty(len(order))
    found[order] = others
    return found


def _dominated(
    groups: np.ndarray, labels: np.ndarray, scores: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Weight of the rows of a group with a smaller label and score; equal scores count half."""
    # Among equal labels the larger score comes first, so that what stands before a row and has a
    # smaller score has a smaller label, too.
    order = np.lexsort((-scores, labels, groups))
    groups, labels, scores, weights = (a[order] for a in (groups, labels, scores, weights))
    size = len(order)
    rank = _ranks(groups, scores)
    smaller, as_large = np.zeros(size), np.zeros(size)
    place, length = np.arange(size), 1
    while length < size:
        pair, left = place // (2 * length), place // length % 2 == 0
        key = pair * np.int64(size) + rank
        by_key = np.argsort(key, kind="stable")
        first = _starts(key[by_key])
        # Ranks are ascending over groups: a group's own rows of a pair stand together.
        own = _starts(pair[by_key] * np.int64(size) + groups[by_key])
        weighed = np.r_[0.0, np.cumsum(np.where(left, weights, 0.0)[by_key])]
        last = _ends(first, size)
        strict = weighed[first] - weighed[own]
        through = weighed[last] - weighed[own]
        right = ~left[by_key]
        smaller[by_key[right]] += strict[right]
        as_large[by_key[right]] += through[right]
        length *= 2
    found = np.empty(size)
    found[order] = 0.5 * (smaller + as_large - _equals_before(groups, labels, scores, weights))
    return found


def _equals_before(
    groups: np.ndarray, labels: np.ndarray, scores: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Weight of the rows with the same label and score that stand before, of ordered rows."""
    if not len(groups):
        return np.zeros(0)
    new = np.r_[True, np.any([a[1:] != a[:-1] for a in (groups, labels, scores)], axis=0)]
    starts = np.maximum.accumulate(np.where(new, np.arange(len(new)), 0))
    summed = np.r_[0.0, np.cumsum(weights)]
    return summed[:-1] - summed[starts]


def _ranks(groups: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Dense ranks of the pairs of group and score, ascending, ``(N,)`` int64."""
    if not len(groups):
        return np.zeros(0, np.int64)
    order = np.lexsort((scores, groups))
    new = (groups[order][1:] != groups[order][:-1]) | (scores[order][1:] != scores[order][:-1])
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.cumsum(np.r_[False, new])
    return ranks


def _starts(keys: np.ndarray) -> np.ndarray:
    """Where the run of equal keys that each stands in begins, of ordered keys."""
    new = np.r_[True, keys[1:] != keys[:-1]]
    return np.maximum.accumulate(np.where(new, np.arange(len(keys)), 0))


def _ends(starts: np.ndarray, size: int) -> np.ndarray:
    """Where the runs that begin at `starts` end, exclusive."""
    lengths = np.bincount(starts, minlength=size)
    return starts + lengths[starts]
