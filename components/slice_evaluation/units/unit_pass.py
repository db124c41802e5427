"""Metrics of users, requests and pairs of rows: rows that have come together, then their sums."""

from collections.abc import Mapping

import numpy as np

from mtlx.components.slice_evaluation.metrics.metric import Metric, UnitMetric
from mtlx.components.slice_evaluation.metrics.xauc import Xauc
from mtlx.components.slice_evaluation.statistics.paired_moments import PairedMoments
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals
from mtlx.components.slice_evaluation.statistics.spread import Spread
from mtlx.components.slice_evaluation.units.cluster_terms import ClusterTerms, UnitTotals
from mtlx.components.slice_evaluation.units.ranked_units import RankedUnits
from mtlx.components.slice_evaluation.units.row_block import RowBlock

#: Rows, about, that one worker holds at once, in all their slices.
ROWS_OF_A_PARTITION = 250_000


class UnitPass:
    """Turns whole clusters into the sums of metrics that need several rows at once.

    Args:
        totals: of all rows, from the first pass.
        metrics: by name those that are means over units, and `Xauc` where a task is a regression.
    """

    def __init__(self, totals: SliceTotals, metrics: Mapping[str, Metric]):
        self.metrics = dict(metrics)
        self._applies = {name: one.applies(totals) for name, one in metrics.items()}
        self._models, self._tasks = totals.models, totals.tasks
        self._regressions, self._undefined = totals.regressions, totals.undefined > 0
        # The slice of all rows is the largest.
        self.partitions = max(1, -(-int(totals.examples.max(initial=0)) // ROWS_OF_A_PARTITION))
        self._groups = len(totals.keys) * totals.tasks

    def terms(self, block: RowBlock) -> dict[str, ClusterTerms]:
        """Returns the sums of whole clusters for each metric."""
        parts: dict[str, list[ClusterTerms]] = {name: [] for name in self.metrics}
        for task in range(self._tasks):
            units: dict[str, RankedUnits] = {}
            for name, metric in self.metrics.items():
                if not self._applies[name][task]:
                    continue
                if isinstance(metric, UnitMetric):
                    if metric.unit not in units:
                        units[metric.unit] = RankedUnits(block, task, metric.unit)
                    parts[name].append(self._of_units(metric, units[metric.unit], task))
                elif isinstance(metric, Xauc) and task in self._regressions:
                    parts[name].append(self._of_pairs(metric, block, task))
        return {name: ClusterTerms.joined(own) for name, own in parts.items() if own}

    def totals(self, terms: Mapping[str, ClusterTerms]) -> dict[str, UnitTotals]:
        """Returns the sums by group of each metric."""
        return {name: own.totals(self._groups) for name, own in terms.items()}

    def moments(
        self, terms: Mapping[str, ClusterTerms], totals: Mapping[str, UnitTotals]
    ) -> dict[str, PairedMoments]:
        """Returns the moments of each metric, leading shape (S, T).

        Args:
            terms: of some clusters.
            totals: of all.
        """
        shape = self._groups // self._tasks, self._tasks
        return {name: own.moments(totals[name]).reshape(*shape) for name, own in terms.items()}

    def values(self, totals: UnitTotals) -> np.ndarray:
        """Returns the metric ``(S, M, T)``; NaN where it is undefined."""
        found = totals.means.reshape(self._models, -1, self._tasks).swapaxes(0, 1)
        return np.where(self._undefined, np.nan, found)

    def left_out(self, totals: UnitTotals) -> np.ndarray:
        """Returns the units that were left out, ``(S, T)`` int64."""
        return totals.left_out.reshape(-1, self._tasks)

    def spread(self, name: str, moments: PairedMoments, cluster: str | None) -> Spread:
        """Returns the spread of a metric, leading shape (S, T).

        Args:
            name: of the metric.
            moments: of all clusters.
            cluster: the feature that names them, None without users.
        """
        counted = getattr(self.metrics[name], "counted", "rows")
        return Spread.of_means(moments, cluster, counted)

    def _of_units(self, metric: UnitMetric, units: RankedUnits, task: int) -> ClusterTerms:
        values, weights = metric.terms(units)
        groups = units.slices * self._tasks + task
        return ClusterTerms.of_units(groups, units.clusters, values * weights, weights)

    def _of_pairs(self, metric: Xauc, block: RowBlock, task: int) -> ClusterTerms:
        rows = np.flatnonzero(block.weights[task] > 0)
        members, slices = np.tile(rows, len(block.slices)), block.slices[:, rows].ravel()
        right, weights = metric.terms(
            slices,
            block.labels[task, members],
            block.weights[task, members],
            block.scores[:, task, members],
        )
        groups, clusters = slices * self._tasks + task, block.clusters[members]
        clusters = np.where(clusters == 0, members.astype(np.uint64), clusters)
        return ClusterTerms.of_units(groups, clusters, right, weights, degree=2)
