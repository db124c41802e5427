"""Mean binary cross-entropy."""

from typing import Any

import numpy as np

from mtlx.components.slice_evaluation.metrics.metric import RowMetric
from mtlx.components.slice_evaluation.metrics.task_rows import TaskRows
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals


class LogLoss(RowMetric):
    """Weighted mean of -log of the probability that was given to what happened.

    Probabilities are clipped to [1e-7, 1 - 1e-7], as Keras does.
    """

    title = "log loss"
    scale = "log"
    better = "lower"

    def values(self, totals: SliceTotals, prepared: Any) -> np.ndarray:
        """See `RowMetric`."""
        return totals.log_loss / totals.weight[:, None]

    def influence(self, rows: TaskRows, model: int, value: np.ndarray, prepared: Any) -> np.ndarray:
        """See `RowMetric`."""
        return rows.weights * (rows.losses[model] - value) / rows.total_weight
