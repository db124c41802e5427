"""Share of a request's positives among its first rows."""

import numpy as np

from mtlx.components.slice_evaluation.metrics.request_metric import RequestMetric
from mtlx.components.slice_evaluation.units.ranked_units import RankedUnits


class Recall(RequestMetric):
    """Positives among the first k rows over all positives of the request.

    Of rows with the same score, of which some are within the first k, each is so with the same
    probability: the expected share over all orders. With more positives than k, 1 is out of
    reach.
    """

    title = "recall"

    def value(self, units: RankedUnits, model: int, cutoff: int) -> np.ndarray:
        """See `RequestMetric`."""
        blocks = units.blocks(model)
        within = np.clip(cutoff - blocks.first, 0, blocks.size)
        found = units.sums(blocks, blocks.relevant * within / blocks.size)
        return found / np.maximum(units.relevant, 1)
