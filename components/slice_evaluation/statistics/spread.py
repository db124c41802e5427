"""How far the models' AUCs of a task and slice may be off, and how well that is known."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from mtlx.components.slice_evaluation.statistics.paired_moments import PairedMoments

#: With fewer effective clusters there is no interval. Simulated (benchmarks.gate_statistics):
#: with 6 and more its coverage is within 1.5 points of the nominal one, below it falls on.
MINIMUM_EFFECTIVE_CLUSTERS = 6.0
#: Degrees of freedom that one effective cluster, beyond the first, is worth at most: 1 where a
#: user's rows move together (contributions as the size), 2 where they are independent (as its
#: square root).
_DEGREES_PER_CLUSTER = 1.5


@dataclass(frozen=True)
class Spread:
    """Covariance of the AUCs and the degrees of freedom of combinations of them.

    Leading shapes ``(...)`` are the same; the methods are for one task and slice, without any.

    Attributes:
        covariance: ``(..., M, M)`` float64; NaN where a class has fewer than two clusters.
        fourth: ``(..., M)``, see `PairedMoments`.
        gap_fourth: ``(..., M - 1)``, likewise.
        clusters: ``(...)`` int64.
        effective: ``(...)`` float64, clusters of one size that would weigh as much as the
            existing ones (Kish's effective number, of the class where it is smaller).
        pairs: ``(...)`` float64, independent pairs of a positive and a negative that can be
            formed from as many effective clusters.
        cluster: what a cluster is called: a feature, or None where it is a row.
        counted: what there may be too few of where clusters have no name.
        of_ranks: whether it is that of AUCs, to whose difference few misranked rows contribute.
    """

    covariance: np.ndarray
    fourth: np.ndarray
    gap_fourth: np.ndarray
    clusters: np.ndarray
    effective: np.ndarray
    pairs: np.ndarray
    cluster: str | None = None
    counted: str = "rows of one class"
    of_ranks: bool = True

    @classmethod
    def of_means(
        cls, moments: PairedMoments, cluster: str | None = None, counted: str = "rows"
    ) -> "Spread":
        """Evaluates complete sums of `PairedMoments.of_means`.

        Args:
            moments: of all clusters.
            cluster: as in the attributes.
            counted: likewise.
        """
        spread = cls.of_moments(moments, cluster)
        return dataclasses.replace(spread, pairs=spread.effective, counted=counted, of_ranks=False)

    @classmethod
    def of_moments(cls, moments: PairedMoments, cluster: str | None = None) -> "Spread":
        """Evaluates complete sums."""
        enough = (moments.positive_clusters > 1) & (moments.negative_clusters > 1)
        of_positives, of_negatives, of_both = np.moveaxis(moments.shares, -1, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            # Rounded, so that six rows are six.
            effective = np.round(1 / np.maximum(of_positives, of_negatives), 6)
            effective = np.where(enough, effective, 0.0)
            # Each cluster of the union takes part in one pair, with half a pair's weight.
            union = 4 / (of_positives + of_negatives + 2 * of_both)
            pairs = np.where(enough, np.minimum(effective, union / 2), 0.0)
        covariance = np.where(enough[..., None, None], moments.products, np.nan)
        return cls(
            covariance,
            moments.fourth,
            moments.gap_fourth,
            moments.clusters,
            effective,
            pairs,
            cluster,
        )

    def __getitem__(self, index: tuple[int, ...]) -> "Spread":
        """Returns that of one task and slice."""
        kept = ("cluster", "counted", "of_ranks")
        values = {name: value[index] for name, value in vars(self).items() if name not in kept}
        return dataclasses.replace(self, **values)

    def obstacle(self) -> str | None:
        """Why there is no interval, or None."""
        if self.effective >= MINIMUM_EFFECTIVE_CLUSTERS:
            return None
        least = f"{MINIMUM_EFFECTIVE_CLUSTERS:.0f} are needed"
        if self.cluster is None:
            return f"too few {self.counted} ({self.effective:.0f}, {least})"
        return (
            f"too few values of {self.cluster} (the rows of {self.clusters} weigh as "
            f"{self.effective:.1f} of one size, {least})"
        )

    def variance(self, model: int) -> float:
        """Variance of a model's AUC."""
        return float(self.covariance[model, model])

    def degrees_of_auc(self, model: int) -> float:
        """Degrees of freedom of the variance of one AUC.

        Satterthwaite's for a variance that is a sum of squares of N contributions: 2 divided by
        the squared coefficient of variation of the sum, which follows from the fourth powers
        (N for normal ones). Where few contributions make up most of the sum, as near an AUC of
        1, their fourth powers are themselves underestimated, by about half: what exceeds that of
        normal contributions counts twice.
        """
        return self._degrees(self._share(self.fourth[model], self.variance(model)))

    def variance_of_difference(self, other: int) -> float:
        """Variance of AUC(candidate) - AUC(other), of paired contributions."""
        own = self.covariance[0, 0] + self.covariance[other, other]
        # Rounding alone can make that of two equal models slightly negative.
        return max(float(own - 2 * self.covariance[0, other]), 0.0)

    def share_of_difference(self, other: int) -> float:
        """1 divided by the effective number of contributions to the difference.

        1 where a single cluster makes all of it, 1 / N where all make as much.
        """
        return self._share(self.gap_fourth[other - 1], self.variance_of_difference(other))

    def degrees_of_gap(self, other: int) -> float:
        """Degrees of freedom of the variance of a difference, as `degrees_of_auc` has them."""
        return self._degrees(self.share_of_difference(other))

    @property
    def degrees_of_difference(self) -> float:
        """Degrees of freedom of the variance of a difference: what centring takes from it."""
        return float(self.effective) - 1.0

    @property
    def _most_degrees(self) -> float:
        return _DEGREES_PER_CLUSTER * (float(self.effective) - 1.0)

    def _degrees(self, share: float) -> float:
        least = 1.0 / self.clusters
        return min(1.0 / max(share - 2 * least, least), self._most_degrees)

    def _share(self, fourth: float, variance: float) -> float:
        """Share of the largest contributions, 1 / N to 1: sum of v² over the squared sum of v."""
        share = fourth / variance**2 if variance > 0 else 0.0
        return float(np.clip(share, 1.0 / self.clusters, 1.0))
