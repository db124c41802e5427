"""Scores in bins of equal weight, and how far each bin's predictions are off."""

from dataclasses import dataclass

import numpy as np

from mtlx.components.slice_evaluation.statistics.score_histogram import ordered_keys
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals

#: Of one model, task and slice.
BINS = 15


@dataclass(frozen=True)
class ReliabilityCurve:
    """Bins of equal weight, by score, of one model, task and slice; those without rows left out.

    Attributes:
        prediction: mean of each bin, ascending.
        rate: mean label of each.
        weight: sum of the rows' weights.
    """

    prediction: list[float]
    rate: list[float]
    weight: list[float]


class ScoreBins:
    """Bins of every (slice, model, task), of the first pass's histogram.

    A score belongs to the bin in which the middle of its rows' weight lies. Sums over a bin take
    the histogram's scores, which are exact up to as many distinct ones as it holds, and the
    middle of what has become one score above it.

    Args:
        totals: of all rows; its histogram is compacted.

    Attributes:
        direction: ``(K,)`` int8 by entry of the histogram: 1 where the bin's predictions are
            too high, -1 where they are too low.
        error: ``(S, M, T)`` float64, sum over bins of the absolute sums of prediction - label.
        chance: ``(S, M, T)`` float64, what `error` over the weight is expected to be of a model
            whose bins are calibrated and rows independent.
        row_variance: ``(S, M, T)`` float64, its variance there.
    """

    def __init__(self, totals: SliceTotals):
        histogram = totals.histogram
        histogram.compact()
        self._histogram = histogram
        groups, size = histogram.groups(), len(histogram.dropped_bits)
        scores, weights = histogram.scores(), histogram.positives + histogram.negatives
        total = np.bincount(groups, weights, minlength=size)
        before = np.cumsum(weights) - weights - (np.cumsum(total) - total)[groups]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (before + 0.5 * weights) / total[groups]
        bins = groups * BINS + np.clip((share * BINS).astype(np.int64), 0, BINS - 1)

        def summed(values: np.ndarray) -> np.ndarray:
            return np.bincount(bins, values, minlength=size * BINS)

        off = summed(scores * weights - histogram.positives)
        squares = summed(histogram.positives * (1 - scores) ** 2 + histogram.negatives * scores**2)
        self._weight, self._predictions = summed(weights), summed(scores * weights)
        self._positives = summed(histogram.positives)
        self.direction = np.sign(off).astype(np.int8)[bins]
        shape = (len(totals.keys), totals.models, totals.tasks)
        self.error = np.abs(off).reshape(-1, BINS).sum(axis=1).reshape(shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            within = np.where(self._weight > 0, squares - off**2 / self._weight, 0.0)
            # The rows' weights are as unequal in every bin.
            unequal = (totals.weight_squares / totals.weight)[:, None]
            variance = np.maximum(within, 0.0).reshape(*shape, BINS) * unequal[..., None]
            weight = totals.weight[:, None]
            self.chance = np.sqrt(2 / np.pi * variance).sum(axis=-1) / weight
            self.row_variance = variance.sum(axis=-1) / weight**2

    def index(self, groups: np.ndarray, scores: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Completes places in the histogram.

        Args:
            groups: ``(N,)`` int64.
            scores: ``(N,)`` float64, of the histogram's scores.
            index: ``(N,)`` int64, negative where the place is to be looked up.
        """
        keys, other = self._histogram.keys, np.flatnonzero(index < 0)
        if not len(other):
            return index
        wanted = groups[other].astype(np.uint64) << np.uint64(32)
        wanted |= ordered_keys(scores[other].astype(np.float32)).astype(np.uint64)
        found = np.searchsorted(keys, self._histogram.mask(wanted))
        index = index.copy()
        index[other] = np.minimum(found, len(keys) - 1)
        return index

    def reliability(self, group: int) -> ReliabilityCurve:
        """The bins of a group of the histogram."""
        own = slice(group * BINS, (group + 1) * BINS)
        weight = self._weight[own]
        kept = weight > 0
        return ReliabilityCurve(
            (self._predictions[own][kept] / weight[kept]).tolist(),
            (self._positives[own][kept] / weight[kept]).tolist(),
            weight[kept].tolist(),
        )
