"""Second pass: what every row contributes to the metrics of all models, summed to moments."""

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
from mtlx.components.slice_evaluation.metrics.metric import RowMetric
from mtlx.components.slice_evaluation.metrics.task_rows import TaskRows
from mtlx.components.slice_evaluation.statistics.cluster_sums import ClusterSums
from mtlx.components.slice_evaluation.statistics.paired_moments import PairedMoments, influences
from mtlx.components.slice_evaluation.statistics.placements import PlacementTable
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals
from mtlx.components.slice_evaluation.statistics.spread import Spread

#: Under which the moments of the AUC stand among those of the metrics.
AUC_MOMENTS = "auc"


class PairedPass:
    """Turns batches into sums of placement values and influences, given the totals.

    Args:
        totals: of all rows, from the first pass.
        metrics: by name those whose value follows from the totals, beside the AUC.

    Attributes:
        auc: ``(S, M, T)`` float64; NaN where a slice lacks a class, or where a prediction of
            the model is no finite number.
        values: of each metric ``(S, M, T)`` float64, NaN where it is undefined.
        prepared: of each metric what it has prepared.
    """

    def __init__(self, totals: SliceTotals, metrics: Mapping[str, RowMetric] | None = None):
        self.totals, self.metrics = totals, dict(metrics or {})
        self._placements = PlacementTable(totals.histogram)
        shape = (len(totals.keys), totals.models, totals.tasks)
        served = totals.undefined == 0
        self.auc = np.where(served, self._placements.auc.reshape(shape), np.nan)
        self._measurable = np.isfinite(self.auc).any(axis=1)
        self.prepared = {name: one.prepare(totals) for name, one in self.metrics.items()}
        self.values: dict[str, np.ndarray] = {}
        for name, one in self.metrics.items():
            with np.errstate(divide="ignore", invalid="ignore"):
                found = one.values(totals, self.prepared[name])
            defined = served & one.applies(totals)[None, None] & np.isfinite(found)
            self.values[name] = np.where(defined, found, np.nan)

    def moments(self, batch: EvaluationBatch) -> PairedMoments:
        """Returns the AUC's moments of a batch of independent rows, leading shape (S, T)."""
        return self.all_moments(batch)[AUC_MOMENTS]

    def all_moments(self, batch: EvaluationBatch) -> dict[str, PairedMoments]:
        """Returns the moments of all metrics, as `moments`; the AUC's as `AUC_MOMENTS`."""
        shape = len(self.totals.keys), self.totals.tasks
        names = (AUC_MOMENTS, *self.metrics)
        sums = {name: PairedMoments.zeros(shape, self.totals.models) for name in names}
        for rows in self.rows(batch):
            found = {AUC_MOMENTS: self._auc_moments(rows)}
            shares = rows.weights / rows.total_weight
            for name, influence in zip(self.metrics, self._influences(rows), strict=True):
                found[name] = PairedMoments.of_means(rows.slices, influence, shares, shape[0])
            for name, own in found.items():
                for part, value in vars(own).items():
                    getattr(sums[name], part)[:, rows.task] += value
        return sums

    def cluster_sums(self, batch: EvaluationBatch) -> ClusterSums:
        """Returns the sums per user of a batch; group = slice · T + task."""
        if batch.users is None:
            raise ValueError("the batch does not tell the rows' users")
        sums = ClusterSums(self.totals.models, len(self.metrics))
        for rows in self.rows(batch):
            groups = rows.slices * self.totals.tasks + rows.task
            influence = self._influences(rows) if self.metrics else None
            users = batch.users[rows.members]
            sums.add(users, groups, rows.placements, rows.labels, rows.weights, influence)
        return sums

    def moments_of_clusters(self, sums: ClusterSums) -> PairedMoments:
        """Returns the AUC's moments of complete users, leading shape (S, T)."""
        positives, negatives = self.totals.class_weights
        moments = sums.moments(positives.ravel(), negatives.ravel())
        return moments.reshape(*positives.shape)

    def all_moments_of_clusters(self, sums: ClusterSums) -> dict[str, PairedMoments]:
        """Returns the moments of complete users for all metrics, as `all_moments`."""
        weight = self.totals.weight
        own = [one.reshape(*weight.shape) for one in sums.metric_moments(weight.ravel())]
        found = dict(zip(self.metrics, own, strict=True))
        return {AUC_MOMENTS: self.moments_of_clusters(sums)} | found

    def spread(self, moments: PairedMoments, cluster: str | None = None) -> Spread:
        """Returns the AUCs' spread, leading shape (S, T); NaN where an AUC is undefined.

        Args:
            moments: of all rows or users.
            cluster: the feature that names the users, None where rows are independent.
        """
        return _where_defined(Spread.of_moments(moments, cluster), self.auc)

    def spread_of(self, name: str, moments: PairedMoments, cluster: str | None = None) -> Spread:
        """Returns the spread of one of the metrics; arguments as of `spread`."""
        return _where_defined(Spread.of_means(moments, cluster), self.values[name])

    def rows(self, batch: EvaluationBatch) -> Iterator[TaskRows]:
        """Yields the rows of each task's population in all their slices."""
        totals = self.totals
        rows, slices = batch.entries([totals.ordinals(column.keys) for column in batch.slices])
        for task in range(totals.tasks):
            counts = batch.population[task, rows]
            if not self.metrics:
                counts = counts & self._measurable[slices, task]
            members, places = rows[counts], slices[counts]
            yield self._task_rows(batch, task, members, places)

    def _task_rows(
        self, batch: EvaluationBatch, task: int, members: np.ndarray, places: np.ndarray
    ) -> TaskRows:
        totals, shape = self.totals, (self.totals.models, len(members))
        targets = batch.labels[task, members]
        placements, index = np.zeros(shape), np.full(shape, -1)
        served = batch.scores[:, task, members]
        for model in range(totals.models):
            auc = self.auc[places, model, task]
            known = np.isfinite(auc)
            if known.all():
                known = slice(None)
            groups = totals.groups(places[known], model, task)
            own = self._placements.index(groups, served[model, known])
            index[model, known] = own
            placements[model, known] = self._placements.at(own, targets[known] > 0) - auc[known]
        scores = np.where(np.isfinite(served), served, 0.0).astype(np.float64)
        weights = batch.weights[task, members].astype(np.float64)
        return TaskRows(task, members, places, targets, weights, scores, index, placements, totals)

    def _auc_moments(self, rows: TaskRows) -> PairedMoments:
        totals, chosen = self.totals, self._measurable[rows.slices, rows.task]
        if chosen.all():
            chosen = slice(None)
        slices, labels = rows.slices[chosen], rows.labels[chosen]
        classes = np.stack([labels, ~labels]) * rows.weights[chosen]
        counts = totals.class_weights[:, slices, rows.task]
        shares = classes / counts
        influence = influences(rows.placements[:, None, chosen] * classes, shares, counts)
        return PairedMoments.of_clusters(slices, influence, shares, len(totals.keys))

    def _influences(self, rows: TaskRows) -> np.ndarray:
        """Of each metric, model and row: ``(Q, M, N)`` float64; 0 where it is undefined."""
        found = np.zeros((len(self.metrics), self.totals.models, len(rows.slices)))
        for place, (name, metric) in enumerate(self.metrics.items()):
            for model in range(self.totals.models):
                value = self.values[name][rows.slices, model, rows.task]
                with np.errstate(divide="ignore", invalid="ignore"):
                    own = metric.influence(rows, model, value, self.prepared[name])
                found[place, model] = np.where(np.isfinite(value), own, 0.0)
        return found


def _where_defined(spread: Spread, values: np.ndarray) -> Spread:
    """Hides covariances of metrics ``(S, M, T)`` that are undefined."""
    defined = np.isfinite(np.swapaxes(values, 1, 2))
    both = defined[..., :, None] & defined[..., None, :]
    return dataclasses.replace(spread, covariance=np.where(both, spread.covariance, np.nan))
