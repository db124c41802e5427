"""Placement values: the share of the other class that a row's score outranks."""

import numpy as np

from mtlx.components.slice_evaluation.statistics.score_histogram import ScoreHistogram, ordered_keys


class PlacementTable:
    """Looks up the placement value of any row of the histogram it was built from.

    The placement of a positive is the share of negatives with a smaller score, of a negative the
    share of positives with a larger one, ties counted half (DeLong, DeLong and Clarke-Pearson
    1988, Eqs. 4, 5), each row of the other class by its weight. The weighted mean over either
    class is the AUC.

    Args:
        histogram: of all rows; is compacted.

    Attributes:
        auc: ``(G,)`` float64; NaN where a group lacks one of the classes.
    """

    def __init__(self, histogram: ScoreHistogram):
        histogram.compact()
        self._histogram = histogram
        groups, size = histogram.groups(), len(histogram.dropped_bits)
        positives = _group_sums(groups, histogram.positives, size)
        negatives = _group_sums(groups, histogram.negatives, size)
        below = _sums_below(groups, histogram.negatives, negatives)
        above = positives[groups] - _sums_below(groups, histogram.positives, positives)
        with np.errstate(divide="ignore", invalid="ignore"):
            self._of_positives = (below + 0.5 * histogram.negatives) / negatives[groups]
            self._of_negatives = (above - 0.5 * histogram.positives) / positives[groups]
            weighted = np.where(histogram.positives > 0, self._of_positives, 0.0)
            total = np.bincount(groups, weighted * histogram.positives, minlength=size)
            self.auc = np.where((positives > 0) & (negatives > 0), total / positives, np.nan)

    def lookup(self, groups: np.ndarray, scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Returns placement values.

        Args:
            groups: ``(N,)`` int64.
            scores: ``(N,)`` float32, each one of the scores that the histogram has seen.
            labels: ``(N,)`` bool.

        Returns:
            ``(N,)`` float64 in [0, 1]; NaN where the group lacks the other class.
        """
        return self.at(self.index(groups, scores), labels)

    def index(self, groups: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Returns where rows stand in the histogram, ``(N,)`` int64; arguments as in `lookup`."""
        keys = groups.astype(np.uint64) << np.uint64(32) | ordered_keys(scores).astype(np.uint64)
        return np.searchsorted(self._histogram.keys, self._histogram.mask(keys))

    def at(self, index: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Returns the placement values of rows whose places are known, as `lookup` does."""
        return np.where(labels, self._of_positives[index], self._of_negatives[index])


def _group_sums(groups: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """Sums per group, ``(G,)`` float64; of counts they are exact."""
    return np.bincount(groups, values, minlength=size)


def _sums_below(groups: np.ndarray, values: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Sum of the values at smaller keys of the same group, ``(K,)`` int64."""
    before_group = np.cumsum(totals) - totals
    return np.cumsum(values) - values - before_group[groups]
