"""Second pass: placement values of every row for all models, summed to paired moments."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
from mtlx.components.slice_evaluation.statistics.cluster_sums import ClusterSums
from mtlx.components.slice_evaluation.statistics.paired_moments import PairedMoments, influences
from mtlx.components.slice_evaluation.statistics.placements import PlacementTable
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals
from mtlx.components.slice_evaluation.statistics.spread import Spread

_TaskRows = tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class PairedPass:
    """Turns batches into sums of placement values, given the totals of the first pass.

    Args:
        totals: of all rows.

    Attributes:
        auc: ``(S, M, T)`` float64; NaN where a slice lacks a class, or where a prediction of
            the model is no finite number.
    """

    def __init__(self, totals: SliceTotals):
        self.totals = totals
        self._placements = PlacementTable(totals.histogram)
        shape = (len(totals.keys), totals.models, totals.tasks)
        self.auc = np.where(totals.undefined == 0, self._placements.auc.reshape(shape), np.nan)
        self._measurable = np.isfinite(self.auc).any(axis=1)

    def moments(self, batch: EvaluationBatch) -> PairedMoments:
        """Returns the moments of a batch whose rows are independent, leading shape (S, T)."""
        totals = self.totals
        result = PairedMoments.zeros((len(totals.keys), totals.tasks), totals.models)
        for task, _, slices, labels, placements in self.rows(batch):
            classes = np.stack([labels, ~labels])
            counts = np.stack([totals.positives[slices, task], totals.negatives[slices, task]])
            shares = classes / counts.astype(np.float64)
            influence = influences(placements[:, None] * classes, shares, counts)
            found = PairedMoments.of_clusters(slices, influence, shares, len(totals.keys))
            for name, value in vars(found).items():
                getattr(result, name)[:, task] += value
        return result

    def cluster_sums(self, batch: EvaluationBatch) -> ClusterSums:
        """Returns the sums per user of a batch; group = slice · T + task."""
        if batch.users is None:
            raise ValueError("the batch does not tell the rows' users")
        sums = ClusterSums(self.totals.models)
        for task, rows, slices, labels, placements in self.rows(batch):
            groups = slices * self.totals.tasks + task
            sums.add(batch.users[rows], groups, placements, labels)
        return sums

    def moments_of_clusters(self, sums: ClusterSums) -> PairedMoments:
        """Returns the moments of complete users, leading shape (S, T)."""
        totals = self.totals
        moments = sums.moments(totals.positives.ravel(), totals.negatives.ravel())
        return moments.reshape(*totals.positives.shape)

    def spread(self, moments: PairedMoments, cluster: str | None = None) -> Spread:
        """Returns the spread, leading shape (S, T); NaN where an AUC is undefined.

        Args:
            moments: of all rows or users.
            cluster: the feature that names the users, None where rows are independent.
        """
        spread = Spread.of_moments(moments, cluster)
        defined = np.isfinite(np.swapaxes(self.auc, 1, 2))
        both = defined[..., :, None] & defined[..., None, :]
        return dataclasses.replace(spread, covariance=np.where(both, spread.covariance, np.nan))

    def rows(self, batch: EvaluationBatch) -> Iterator[_TaskRows]:
        """Yields task, rows, slices, labels (N,) and centred placements (M, N) per task.

        The placements of a model without AUC in the row's slice are 0.
        """
        totals = self.totals
        rows, slices = batch.entries([totals.ordinals(column.keys) for column in batch.slices])
        for task in range(totals.tasks):
            counts = batch.population[task, rows] & self._measurable[slices, task]
            members, places = rows[counts], slices[counts]
            labels = batch.labels[task, members]
            placements = np.zeros((totals.models, len(members)))
            for model in range(totals.models):
                auc = self.auc[places, model, task]
                known = np.isfinite(auc)
                groups = totals.groups(places[known], model, task)
                scores = batch.scores[model, task, members[known]]
                found = self._placements.lookup(groups, scores, labels[known])
                placements[model, known] = found - auc[known]
            yield task, members, places, labels, placements
