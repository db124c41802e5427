"""The rows of one task in all their slices, as the second pass looks at them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals, log_losses


@dataclass(frozen=True)
class TaskRows:
    """Memberships of rows in slices; N of them.

    Attributes:
        task: number.
        members: ``(N,)`` int64, row of the batch.
        slices: ``(N,)`` int64.
        targets: ``(N,)``, labels as they are.
        weights: ``(N,)`` float64.
        scores: ``(M, N)`` float64; 0 where the model served no finite number.
        index: ``(M, N)`` int64, place in the histogram; -1 where the slice has no AUC of the model.
        placements: ``(M, N)`` float64, minus the model's AUC; 0 where the slice has none.
        totals: of all rows.
    """

    task: int
    members: np.ndarray
    slices: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    scores: np.ndarray
    index: np.ndarray
    placements: np.ndarray
    totals: SliceTotals

    @cached_property
    def labels(self) -> np.ndarray:
        """``(N,)`` bool, where the label is above 0."""
        return self.targets > 0

    @cached_property
    def losses(self) -> np.ndarray:
        """``(M, N)`` float64, binary cross-entropy of each row."""
        return np.stack([log_losses(self.labels, scores) for scores in self.scores])

    @cached_property
    def total_weight(self) -> np.ndarray:
        """``(N,)`` float64, weight of all rows of the row's slice."""
        return self.totals.weight[self.slices, self.task]

    @cached_property
    def total_targets(self) -> np.ndarray:
        """``(N,)`` float64, weighted sum of the labels of the row's slice."""
        return self.totals.targets[self.slices, self.task]
