"""Expected calibration error over bins of equal weight."""

import numpy as np

from mtlx.components.slice_evaluation.metrics.metric import RowMetric
from mtlx.components.slice_evaluation.metrics.score_bins import ScoreBins
from mtlx.components.slice_evaluation.metrics.task_rows import TaskRows
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals


class Ece(RowMetric):
    """How far predictions are off their bin's rate, on average over rows.

    Rows are put in `BINS` bins of equal weight by the model's score (equal scores share a bin);
    the error is the sum over bins of their share of the weight times the distance between their
    mean prediction and their mean label (Naeini et al. 2015, with bins of equal counts as Nguyen
    and O'Connor 2015). Of a perfectly calibrated model it is above 0 too: by what the bins' rates
    are off by chance. The interval's lower end is lower by that much (`ScoreBins.chance`), and its
    ends hold whatever the bins' true distances are: the error changes by no more than they do.
    """

    title = "ECE"
    scale = "linear"
    better = "lower"

    def prepare(self, totals: SliceTotals) -> ScoreBins:
        """Returns the bins of every slice, model and task."""
        return ScoreBins(totals)

    def values(self, totals: SliceTotals, prepared: ScoreBins) -> np.ndarray:
        """See `RowMetric`."""
        return prepared.error / totals.weight[:, None]

    def influence(
        self, rows: TaskRows, model: int, value: np.ndarray, prepared: ScoreBins
    ) -> np.ndarray:
        """See `RowMetric`."""
        if not len(prepared.direction):
            return np.zeros(len(rows.slices))
        groups = rows.totals.groups(rows.slices, model, rows.task)
        index = prepared.index(groups, rows.scores[model], rows.index[model])
        off = prepared.direction[index] * (rows.scores[model] - rows.targets)
        return rows.weights * (off - value) / rows.total_weight
