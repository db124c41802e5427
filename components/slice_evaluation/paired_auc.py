"""Variances and intervals of AUCs, their differences and RelaImp, from summed placements."""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

#: RelaImp is undefined where the baseline's AUC is under 0.5 plus so many standard errors.
STANDARD_ERRORS_ABOVE_CHANCE = 2.0


class Estimate(NamedTuple):
    """A value and its interval; None where it is undefined."""

    value: float | None = None
    lower: float | None = None
    upper: float | None = None


@dataclass
class PairedMoments:
    """Sums of products of centred placement values, for M models on the same rows.

    A cluster is a row, or all rows of one user. All leading shapes ``(...)`` are the same, say
    ``(slices, tasks)``.

    Attributes:
        positive: ``(..., M, M)``, over clusters, of the sums of the positives' placements.
        negative: ``(..., M, M)``, the same of the negatives.
        cross: ``(..., M, M)``, sum of positives of the first times negatives of the second
            model; 0 where clusters are rows.
        positive_clusters: ``(...)`` int64, clusters with at least one positive.
        negative_clusters: ``(...)`` int64, with at least one negative.
        clusters: ``(...)`` int64.
    """

    positive: np.ndarray
    negative: np.ndarray
    cross: np.ndarray
    positive_clusters: np.ndarray
    negative_clusters: np.ndarray
    clusters: np.ndarray

    @classmethod
    def zeros(cls, shape: tuple[int, ...], models: int) -> "PairedMoments":
        """Returns empty sums with leading shape `shape`."""
        products = [np.zeros((*shape, models, models)) for _ in range(3)]
        counts = [np.zeros(shape, np.int64) for _ in range(3)]
        return cls(*products, *counts)

    def add(self, other: "PairedMoments") -> None:
        """Adds sums over other clusters."""
        for name, value in vars(other).items():
            getattr(self, name).__iadd__(value)

    def covariance(self, positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
        """Covariance of the models' AUCs.

        Obuchowski (1997, Biometrics 53, 567-578); where clusters are rows it is DeLong's
        (1988), unbiased with n - 1.

        Args:
            positives: ``(...)``, rows with label 1.
            negatives: ``(...)``, rows with label 0.

        Returns:
            ``(..., M, M)`` float64; NaN where a class has fewer than two clusters.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            of_positives = _unbiased(self.positive_clusters) / np.square(positives.astype(float))
            of_negatives = _unbiased(self.negative_clusters) / np.square(negatives.astype(float))
            of_both = _unbiased(self.clusters) / (positives.astype(float) * negatives)
            crossed = self.cross + np.swapaxes(self.cross, -1, -2)
            return (
                of_positives[..., None, None] * self.positive
                + of_negatives[..., None, None] * self.negative
                + of_both[..., None, None] * crossed
            )


def _unbiased(clusters: np.ndarray) -> np.ndarray:
    """n / (n - 1), NaN where n is less than two."""
    return np.where(clusters > 1, clusters / (clusters - 1.0), np.nan)


@functools.lru_cache
def quantile(confidence: float) -> float:
    """Normal quantile of a two-sided interval: 1.96 for 0.95."""
    return float(stats.norm.ppf(0.5 + confidence / 2))


def auc_estimate(auc: float, variance: float, confidence: float) -> Estimate:
    """AUC with its normal interval, cut to [0, 1].

    Without interval where the variance is unknown, or 0: perfectly separated classes tell
    nothing of the spread.
    """
    if not np.isfinite(auc):
        return Estimate()
    if not variance > 0:
        return Estimate(auc)
    half = quantile(confidence) * np.sqrt(variance)
    return Estimate(auc, max(auc - half, 0.0), min(auc + half, 1.0))


def auc_difference(aucs: np.ndarray, covariance: np.ndarray, confidence: float) -> Estimate:
    """AUC of the candidate minus that of the baseline, with DeLong's paired interval.

    Args:
        aucs: ``(2,)``, candidate and baseline.
        covariance: ``(2, 2)`` of them.
        confidence: of the interval.
    """
    if not np.isfinite(aucs).all():
        return Estimate()
    value = float(aucs[0] - aucs[1])
    if not (np.diagonal(covariance) > 0).all():
        return Estimate(value)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    # Rounding alone can make the variance of two equal models slightly negative.
    half = quantile(confidence) * np.sqrt(max(variance, 0.0))
    return Estimate(value, value - half, value + half)


def relative_improvement(auc_candidate: float, auc_baseline: float) -> float:
    """RelaImp in percent, without regard to its precision (DTN Eq. 8)."""
    return ((auc_candidate - 0.5) / (auc_baseline - 0.5) - 1) * 100


def relaimp(aucs: np.ndarray, covariance: np.ndarray, confidence: float) -> Estimate:
    """RelaImp in percent, with Fieller's interval for the ratio of two correlated means.

    Undefined where the baseline's AUC is not at least `STANDARD_ERRORS_ABOVE_CHANCE` standard
    errors above 0.5, or where that standard error is unknown. Fieller's interval can be
    unbounded (then it is left out) when `confidence` asks for more standard errors than that.

    Args:
        aucs: ``(2,)``, candidate and baseline.
        covariance: ``(2, 2)`` of them.
        confidence: of the interval.
    """
    if not np.isfinite(aucs).all() or not covariance[1, 1] >= 0:
        return Estimate()
    if aucs[1] - 0.5 <= STANDARD_ERRORS_ABOVE_CHANCE * np.sqrt(covariance[1, 1]):
        return Estimate()
    value = relative_improvement(float(aucs[0]), float(aucs[1]))
    if not (np.diagonal(covariance) > 0).all():
        return Estimate(value)
    x, y = aucs - 0.5
    squared = quantile(confidence) ** 2
    middle = x * y - squared * covariance[0, 1]
    below = y * y - squared * covariance[1, 1]
    above = x * x - squared * covariance[0, 0]
    if below <= 0:
        return Estimate(value)
    half = np.sqrt(max(middle * middle - below * above, 0.0))
    lower, upper = ((middle + sign * half) / below for sign in (-1, 1))
    return Estimate(value, float((lower - 1) * 100), float((upper - 1) * 100))
