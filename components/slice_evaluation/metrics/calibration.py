"""Mean prediction over mean label."""

from typing import Any

import numpy as np

from mtlx.components.slice_evaluation.metrics.metric import RowMetric
from mtlx.components.slice_evaluation.metrics.task_rows import TaskRows
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals


class Calibration(RowMetric):
    """Weighted sum of the predictions over that of the labels; 1 is perfect.

    Undefined without positives. The interval is that of a ratio of two correlated means, by the
    delta method on the log scale.
    """

    title = "calibration"
    scale = "log"
    better = "one"
    regression = True
    digits = 3

    def values(self, totals: SliceTotals, prepared: Any) -> np.ndarray:
        """See `RowMetric`."""
        return totals.predictions / totals.targets[:, None]

    def influence(self, rows: TaskRows, model: int, value: np.ndarray, prepared: Any) -> np.ndarray:
        """See `RowMetric`."""
        return rows.weights * (rows.scores[model] - value * rows.targets) / rows.total_targets
