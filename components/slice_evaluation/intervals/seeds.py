"""Two ways of training compared over several seeds each, on the same test rows."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from mtlx.components.slice_evaluation.intervals.confidence_curve import (
    CURVE_CONFIDENCES,
    ConfidenceCurve,
)
from mtlx.components.slice_evaluation.statistics.paired_auc import (
    STANDARD_ERRORS_ABOVE_CHANCE,
    Estimate,
    quantile,
    ratio_bounds,
    relative_improvement,
)


@dataclass(frozen=True)
class SeedMeans:
    """Mean AUCs over seeds, and how far both may be off because of test rows and seeds.

    A trained model's AUC is that of its way of training, plus what its seed makes of it, plus what
    the test rows make of it. The variance of a mean over R seeds is S² / R + o, where S² is the
    variance between the seeds' measured AUCs and o the mean covariance of two seeds' AUCs through
    the test rows: S² holds what the rows do to each seed by itself, o what they do to all at once
    (an analysis of variance with seeds and users crossed). The covariance of two ways of training
    is the mean one of their seeds.

    Attributes:
        means: ``(2,)``, of candidate and other.
        covariance: ``(2, 2)`` of the means.
        of_seeds: ``(2,)``, the part S² / R of each variance; 0 for one model that is given.
        degrees: of freedom of the variance of the difference (Welch 1947, Biometrika 34, 28-35;
            Satterthwaite 1946, Biometrics Bulletin 2, 110-114): of S² one less than the seeds, of
            the rows' part those that are given.
    """

    means: np.ndarray
    covariance: np.ndarray
    of_seeds: np.ndarray
    degrees: float

    @classmethod
    def of_models(
        cls, aucs: np.ndarray, covariance: np.ndarray, candidates: int, degrees_of_rows: float
    ) -> "SeedMeans":
        """Joins models that were evaluated on the same rows.

        Args:
            aucs: ``(R + Q,)``, of R candidates and behind them Q others. One other is a model that
                is given, as the one that serves: its seed is not left to chance.
            covariance: ``(R + Q, R + Q)`` through the test rows, as `Spread.covariance`.
            candidates: R, at least 2.
            degrees_of_rows: degrees of freedom of that covariance.

        Raises:
            ValueError: fewer than two candidates, or no other.
        """
        others = len(aucs) - candidates
        if candidates < 2 or others < 1:
            raise ValueError(
                f"{candidates} candidates and {others} others: at least two seeds of the candidate "
                "and one other model are needed to tell seeds from rows"
            )
        groups = slice(0, candidates), slice(candidates, None)
        means = np.array([aucs[group].mean() for group in groups])
        of_seeds, of_rows = np.array([
            _parts(aucs[group], covariance[group, group]) for group in groups
        ]).T  # fmt: skip
        # Of two equal ways of training nothing of the rows is left in the difference.
        shared = min(float(covariance[groups].mean()), float(of_rows.mean()))
        joint = np.diag(of_seeds + of_rows) + shared * (1 - np.eye(2))
        parts = (*of_seeds, float(of_rows.sum()) - 2 * shared)
        known = (candidates - 1, max(others - 1, 1), degrees_of_rows)
        spent = sum(part**2 / degrees for part, degrees in zip(parts, known, strict=True))
        degrees = float(sum(parts) ** 2 / spent) if spent > 0 else float(degrees_of_rows)
        return cls(means, joint, of_seeds, degrees)

    @property
    def variance_of_difference(self) -> float:
        """Variance of the difference of the means."""
        return float(self.covariance[0, 0] + self.covariance[1, 1] - 2 * self.covariance[0, 1])

    def difference(self, confidence: float) -> Estimate:
        """Mean AUC of the candidate's seeds minus that of the other's, with its t interval.

        Args:
            confidence: of the two-sided interval.
        """
        value = float(self.means[0] - self.means[1])
        half = self._quantiles(confidence) * np.sqrt(self.variance_of_difference)
        return _estimate(value, value - half, value + half)

    def auc(self, confidence: float, place: int = 0) -> Estimate:
        """A mean AUC with the t interval of its logit.

        Args:
            confidence: of the two-sided interval.
            place: 0 for the candidate, 1 for the other.
        """
        value = float(self.means[place])
        if not 0 < value < 1:
            return Estimate(value, reason="all seeds separate the classes perfectly")
        error = np.sqrt(self.covariance[place, place]) / (value * (1 - value))
        half = self._quantiles(confidence) * error
        logit = special.logit(value)
        return _estimate(value, special.expit(logit - half), special.expit(logit + half))

    def relaimp(self, confidence: float) -> Estimate:
        """RelaImp of the means in percent, with Fieller's interval.

        Args:
            confidence: of the two-sided interval.
        """
        error = np.sqrt(self.covariance[1, 1])
        if self.means[1] - 0.5 <= STANDARD_ERRORS_ABOVE_CHANCE * error:
            return Estimate(reason=(
                f"the mean AUC to improve on, {self.means[1]:.4f}, is not clearly above 0.5 "
                f"(standard error over rows and seeds {error:.4f})"
            ))  # fmt: skip
        value = relative_improvement(*map(float, self.means))
        wanted, reach = self._quantiles(confidence), np.sqrt(np.diagonal(self.covariance))
        scale = reach.prod()
        correlation = float(np.clip(self.covariance[0, 1] / scale, -1, 1)) if scale > 0 else 0.0
        own, other = self.means - 0.5
        ends = ratio_bounds(own, other, wanted * reach[0], wanted * reach[1], correlation)
        if not np.isfinite(ends[0][0]):
            return Estimate(value, reason=(
                f"the mean AUC to improve on, {self.means[1]:.4f}, is too uncertain for a ratio "
                f"(standard error over rows and seeds {error:.4f})"
            ))  # fmt: skip
        return _estimate(value, *((end - 1) * 100 for end in ends))

    def _quantiles(self, confidence: float) -> np.ndarray:
        """Of the confidence that is asked for, and behind it of those of a curve."""
        return quantile(np.concatenate([[confidence], CURVE_CONFIDENCES]), self.degrees)


def _parts(aucs: np.ndarray, covariance: np.ndarray) -> tuple[float, float]:
    """Of the variance of a mean: what seeds, each by itself, and what rows, for all, make of it."""
    seeds = len(aucs)
    if seeds == 1:
        return 0.0, float(covariance[0, 0])
    between = float(aucs.var(ddof=1))
    shared = float(covariance.sum() - np.trace(covariance)) / (seeds * (seeds - 1))
    return between / seeds, max(shared, 0.0)


def _estimate(value: float, lower: np.ndarray, upper: np.ndarray) -> Estimate:
    curve = ConfidenceCurve.of_bounds(value, lower[1:], upper[1:])
    return Estimate(value, float(lower[0]), float(upper[0]), curve=curve)
