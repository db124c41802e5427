"""Normalised discounted cumulative gain of requests."""

import numpy as np

from mtlx.components.slice_evaluation.metrics.request_metric import RequestMetric
from mtlx.components.slice_evaluation.units.ranked_units import RankedUnits


class Ndcg(RequestMetric):
    """Discounted gain of a request's first k rows over the largest possible (Järvelin, Kekäläinen
    2002).

    A positive has gain 1; position i, from 1, is discounted by 1 / log2(i + 1). Rows with the same
    score stand in any order with the same probability: the gain is the expected one (McSherry and
    Najork 2008, as scikit-learn's `ndcg_score`), so that a model that scores all rows alike gains
    nothing by the order of the logs.
    """

    title = "NDCG"

    def value(self, units: RankedUnits, model: int, cutoff: int) -> np.ndarray:
        """See `RequestMetric`."""
        discounts = np.r_[0.0, np.cumsum(1 / np.log2(np.arange(2, cutoff + 2)))]
        blocks = units.blocks(model)
        last = np.minimum(blocks.first + blocks.size, cutoff)
        within = discounts[last] - discounts[np.minimum(blocks.first, cutoff)]
        gain = units.sums(blocks, blocks.relevant / blocks.size * within)
        best = discounts[np.minimum(units.relevant, cutoff)]
        return np.where(units.relevant > 0, gain / np.where(best > 0, best, 1.0), 0.0)
