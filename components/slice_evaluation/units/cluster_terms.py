"""What clusters add to means over units: summed by cluster, then to totals and moments."""

from dataclasses import dataclass

import numpy as np

from mtlx.components.slice_evaluation.statistics.paired_moments import PairedMoments


@dataclass
class UnitTotals:
    """Sums over all units by group (slice and task), mergeable in any order.

    Attributes:
        values: ``(M, G)`` float64, of weight times value.
        weights: ``(G,)`` float64.
        used: ``(G,)`` int64, units.
        left_out: ``(G,)`` int64, units in which the metric is undefined.
    """

    values: np.ndarray
    weights: np.ndarray
    used: np.ndarray
    left_out: np.ndarray

    @classmethod
    def zeros(cls, models: int, groups: int) -> "UnitTotals":
        """Returns empty sums."""
        counts = [np.zeros(groups, np.int64) for _ in range(2)]
        return cls(np.zeros((models, groups)), np.zeros(groups), *counts)

    def add(self, other: "UnitTotals") -> None:
        """Adds sums over other units."""
        for name, value in vars(other).items():
            getattr(self, name).__iadd__(value)

    @property
    def means(self) -> np.ndarray:
        """``(M, G)`` float64; NaN where no unit counts."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.weights > 0, self.values / self.weights, np.nan)


@dataclass(frozen=True)
class ClusterTerms:
    """Sums by (cluster, group); N of them, of complete clusters.

    Attributes:
        groups: ``(N,)`` int64.
        values: ``(M, N)`` float64, of weight times value.
        weights: ``(N,)`` float64.
        used: ``(N,)`` int64.
        left_out: ``(N,)`` int64.
        degree: how many rows a term is of: a pair's deviation is that of both its rows.
    """

    groups: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    used: np.ndarray
    left_out: np.ndarray
    degree: int = 1

    @classmethod
    def of_units(
        cls,
        groups: np.ndarray,
        clusters: np.ndarray,
        values: np.ndarray,
        weights: np.ndarray,
        degree: int = 1,
    ) -> "ClusterTerms":
        """Sums units.

        Args:
            groups: ``(U,)`` int64.
            clusters: ``(U,)`` uint64.
            values: ``(M, U)`` float64, times the weight.
            weights: ``(U,)`` float64; 0 leaves a unit out.
            degree: as in the attributes.
        """
        order = np.lexsort((clusters, groups))
        groups, clusters, weights = groups[order], clusters[order], weights[order]
        if not len(order):
            return cls(groups, values, weights, groups, groups, degree)
        new = (groups[1:] != groups[:-1]) | (clusters[1:] != clusters[:-1])
        starts = np.flatnonzero(np.r_[True, new])
        used = (weights > 0).astype(np.int64)
        return cls(
            groups[starts],
            np.add.reduceat(values[:, order], starts, axis=1),
            np.add.reduceat(weights, starts),
            np.add.reduceat(used, starts),
            np.add.reduceat(1 - used, starts),
            degree,
        )

    @classmethod
    def joined(cls, parts: list["ClusterTerms"]) -> "ClusterTerms":
        """Puts terms of different groups together; at least one part."""
        names = ("groups", "values", "weights", "used", "left_out")
        columns = {n: np.concatenate([getattr(p, n) for p in parts], axis=-1) for n in names}
        return cls(**columns, degree=parts[0].degree)

    def totals(self, size: int) -> UnitTotals:
        """Sums by group, of `size` groups."""

        def total(values: np.ndarray) -> np.ndarray:
            return np.bincount(self.groups, values, minlength=size)

        counts = [total(c).astype(np.int64) for c in (self.used, self.left_out)]
        values = np.stack([total(own) for own in self.values])
        return UnitTotals(values, total(self.weights), *counts)

    def moments(self, totals: UnitTotals) -> PairedMoments:
        """Sums over clusters, with leading shape ``(G,)``.

        Args:
            totals: of all clusters, those of other partitions too.
        """
        kept = self.weights > 0
        groups, weights = self.groups[kept], self.weights[kept]
        total, means = totals.weights[groups], totals.means[:, groups]
        influence = self.degree * (self.values[:, kept] - means * weights) / total
        return PairedMoments.of_means(groups, influence, weights / total, len(totals.weights))
