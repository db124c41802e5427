"""Second pass: placement values of every row for all models, summed to paired moments."""

from collections.abc import Iterator

import numpy as np

from components.slice_evaluation.cluster_sums import ClusterSums
from components.slice_evaluation.evaluation_batch import EvaluationBatch
from components.slice_evaluation.paired_auc import PairedMoments
from components.slice_evaluation.placements import PlacementTable
from components.slice_evaluation.slice_totals import SliceTotals

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
        for task, _, slices, labels, placements in self._rows(batch):
            for products, chosen in ((result.positive, labels), (result.negative, ~labels)):
                places, values = slices[chosen], placements[:, chosen]
                for first in range(totals.models):
                    for second in range(first, totals.models):
                        total = np.bincount(
                            places, values[first] * values[second], minlength=len(totals.keys)
                        )
                        products[:, task, first, second] += total
                        if second > first:
                            products[:, task, second, first] += total
            positives = np.bincount(slices[labels], minlength=len(totals.keys))
            clusters = np.bincount(slices, minlength=len(totals.keys))
            result.positive_clusters[:, task] += positives
            result.negative_clusters[:, task] += clusters - positives
            result.clusters[:, task] += clusters
        return result

    def cluster_sums(self, batch: EvaluationBatch) -> ClusterSums:
        """Returns the sums per user of a batch; group = slice · T + task."""
        sums = ClusterSums(self.totals.models)
        for task, rows, slices, labels, placements in self._rows(batch):
            groups = slices * self.totals.tasks + task
            sums.add(batch.users[rows], groups, placements, labels)
        return sums

    def moments_of_clusters(self, sums: ClusterSums) -> PairedMoments:
        """Returns the moments of complete users, leading shape (S, T)."""
        shape = (len(self.totals.keys), self.totals.tasks)
        moments = sums.moments(shape[0] * shape[1])
        return PairedMoments(
            **{
                name: value.reshape(*shape, *value.shape[1:])
                for name, value in vars(moments).items()
            }
        )

    def covariance(self, moments: PairedMoments) -> np.ndarray:
        """Returns ``(S, T, M, M)``, NaN where an AUC or its variance is undefined."""
        covariance = moments.covariance(self.totals.positives, self.totals.negatives)
        defined = np.isfinite(np.swapaxes(self.auc, 1, 2))
        return np.where(defined[..., :, None] & defined[..., None, :], covariance, np.nan)

    def _rows(self, batch: EvaluationBatch) -> Iterator[_TaskRows]:
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
