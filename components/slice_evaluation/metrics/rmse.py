"""Root mean squared error."""

from typing import Any

import numpy as np

from mtlx.components.slice_evaluation.metrics.metric import RowMetric
from mtlx.components.slice_evaluation.metrics.task_rows import TaskRows
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals


class Rmse(RowMetric):
    """Root of the weighted mean of (prediction - label)².

    Of a task with labels 0 and 1 it is the root of the Brier score.
    """

    title = "RMSE"
    scale = "log"
    better = "lower"
    regression = True

    def values(self, totals: SliceTotals, prepared: Any) -> np.ndarray:
        """See `RowMetric`."""
        return np.sqrt(totals.squared_error / totals.weight[:, None])

    def influence(self, rows: TaskRows, model: int, value: np.ndarray, prepared: Any) -> np.ndarray:
        """See `RowMetric`."""
        square = (rows.scores[model] - rows.targets) ** 2
        return rows.weights * (square - value**2) / (2 * value * rows.total_weight)
