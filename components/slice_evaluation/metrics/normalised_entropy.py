"""Log loss over that of the base rate."""

from typing import Any

import numpy as np

from mtlx.components.slice_evaluation.metrics.metric import RowMetric
from mtlx.components.slice_evaluation.metrics.task_rows import TaskRows
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals


class NormalisedEntropy(RowMetric):
    """Log loss divided by the log loss of predicting the slice's rate of positives for every row.

    (He et al. 2014, Practical Lessons from Predicting Clicks on Ads at Facebook, 3.1.) Below 1 is
    better than the base rate, which makes slices with different rates comparable. Undefined where
    a class is absent. The base rate is estimated from the same rows, and the interval knows it.
    """

    title = "normalised entropy"
    scale = "log"
    better = "lower"

    def values(self, totals: SliceTotals, prepared: Any) -> np.ndarray:
        """See `RowMetric`."""
        entropy = _entropy(totals.targets / totals.weight)
        return totals.log_loss / totals.weight[:, None] / entropy[:, None]

    def influence(self, rows: TaskRows, model: int, value: np.ndarray, prepared: Any) -> np.ndarray:
        """See `RowMetric`."""
        rate = rows.total_targets / rows.total_weight
        entropy, slope = _entropy(rate), np.log((1 - rate) / rate)
        # The loss over the entropy, by the quotient rule; the mean loss is value · entropy.
        of_loss = rows.losses[model] - value * entropy
        of_entropy = value * slope * (rows.targets - rate)
        return rows.weights * (of_loss - of_entropy) / (entropy * rows.total_weight)


def _entropy(rate: np.ndarray) -> np.ndarray:
    """Log loss of predicting the rate; NaN at 0 and 1."""
    return -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
