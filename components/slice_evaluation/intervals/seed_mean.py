"""A metric of one way of training: the mean over its seeds, and how far it may be off."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from mtlx.components.slice_evaluation.intervals.confidence_curve import (
    CURVE_CONFIDENCES,
    ConfidenceCurve,
)
from mtlx.components.slice_evaluation.metrics.metric import Scale
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate, quantile

#: Factors beyond the exponential of this say nothing.
_LARGEST_LOGARITHM = 20.0


@dataclass(frozen=True)
class SeedMean:
    """Mean over seeds; its variance is that of `SeedMeans`, of one way of training alone.

    Attributes:
        mean: of the seeds' values.
        of_seeds: the part S² / R of its variance.
        of_rows: the mean covariance of two seeds' values through the test rows.
        degrees: of freedom of the sum of both (Welch 1947; Satterthwaite 1946).
    """

    mean: float
    of_seeds: float
    of_rows: float
    degrees: float

    @classmethod
    def of_models(
        cls, values: np.ndarray, covariance: np.ndarray, degrees_of_rows: float
    ) -> "SeedMean":
        """Joins models that were evaluated on the same rows.

        Args:
            values: ``(R,)``, R at least 2.
            covariance: ``(R, R)`` through the test rows.
            degrees_of_rows: degrees of freedom of that covariance.
        """
        of_seeds, of_rows = variance_parts(values, covariance)
        spent = of_seeds**2 / (len(values) - 1) + of_rows**2 / degrees_of_rows
        degrees = (of_seeds + of_rows) ** 2 / spent if spent > 0 else degrees_of_rows
        return cls(float(values.mean()), of_seeds, of_rows, float(degrees))

    def estimate(self, confidence: float, scale: Scale, floor: float = 0.0) -> Estimate:
        """The mean with its t interval on the metric's scale.

        Args:
            confidence: of the two-sided interval.
            scale: of the metric.
            floor: by how much more the lower end is lower, on the linear scale, and then not below
                0: of an error of calibration, which is above 0 by chance too.
        """
        value = self.mean
        confidences = np.concatenate([[confidence], CURVE_CONFIDENCES])
        half = quantile(confidences, self.degrees) * np.sqrt(self.of_seeds + self.of_rows)
        if scale == "logit":
            if not 0 < value < 1:
                return Estimate(value, reason="all seeds are perfect, or all are as bad as can be")
            half = half / (value * (1 - value))
            logit = special.logit(value)
            return estimate_of(value, special.expit(logit - half), special.expit(logit + half))
        if scale == "log":
            if not value > 0:
                reason = "it is not above 0, so that no factor leads to its ends"
                return Estimate(value, reason=reason)
            if half[0] > _LARGEST_LOGARITHM * value:
                return Estimate(value, reason="it is too uncertain for an interval of factors")
            # Ends that no number holds have none.
            factor = np.exp(np.minimum(half / value, 700.0))
            return estimate_of(value, value / factor, value * factor)
        lower = value - half
        return estimate_of(value, np.maximum(lower - floor, 0) if floor else lower, value + half)


def variance_parts(values: np.ndarray, covariance: np.ndarray) -> tuple[float, float]:
    """Of the variance of a mean: what seeds, each by itself, and what rows, for all, make of it."""
    seeds = len(values)
    if seeds == 1:
        return 0.0, float(covariance[0, 0])
    between = float(values.var(ddof=1))
    shared = float(covariance.sum() - np.trace(covariance)) / (seeds * (seeds - 1))
    return between / seeds, max(shared, 0.0)


def estimate_of(value: float, lower: np.ndarray, upper: np.ndarray) -> Estimate:
    """An estimate of ends at the confidence that is asked for, and behind it at a curve's."""
    curve = ConfidenceCurve.of_bounds(value, lower[1:], upper[1:])
    return Estimate(value, float(lower[0]), float(upper[0]), curve=curve)
