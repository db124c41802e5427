"""Two ways of training compared over several seeds each, on the same test rows."""

from dataclasses import dataclass

import numpy as np

from mtlx.components.slice_evaluation.intervals.confidence_curve import CURVE_CONFIDENCES
from mtlx.components.slice_evaluation.intervals.seed_mean import estimate_of, variance_parts
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

    Of another metric likewise; for one way of training by itself see `SeedMean`.

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
            variance_parts(aucs[group], covariance[group, group]) for group in groups
        ]).T  # fmt: skip
        # Of two equal ways of training nothing of the rows is left in the difference.
        shared = min(float(covariance[groups].mean()), float(of_rows.mean()))
        joint = np.diag(of_seeds + of_rows) + shared * (1 - np.eye(2))
        parts = (*of_seeds, max(float(of_rows.sum()) - 2 * shared, 0.0))
        known = (candidates - 1, max(others - 1, 1), degrees_of_rows)
        spent = sum(part**2 / degrees for part, degrees in zip(parts, known, strict=True))
        degrees = float(sum(parts) ** 2 / spent) if spent > 0 else float(degrees_of_rows)
        return cls(means, joint, of_seeds, degrees)

    @property
    def variance_of_difference(self) -> float:
        """Variance of the difference of the means."""
        own = self.covariance[0, 0] + self.covariance[1, 1]
        # Rounding alone can make that of two equal models slightly negative.
        return max(float(own - 2 * self.covariance[0, 1]), 0.0)

    def difference(self, confidence: float) -> Estimate:
        """Mean AUC of the candidate's seeds minus that of the other's, with its t interval.

        Args:
            confidence: of the two-sided interval.
        """
        value = float(self.means[0] - self.means[1])
        half = self._quantiles(confidence) * np.sqrt(self.variance_of_difference)
        return estimate_of(value, value - half, value + half)

    def relaimp(self, confidence: float, title: str = "AUC") -> Estimate:
        """RelaImp of the means in percent, with Fieller's interval.

        Args:
            confidence: of the two-sided interval.
            title: what is called an AUC, for reasons.
        """
        error = np.sqrt(self.covariance[1, 1])
        if self.means[1] - 0.5 <= STANDARD_ERRORS_ABOVE_CHANCE * error:
            return Estimate(reason=(
                f"the mean {title} to improve on, {self.means[1]:.4f}, is not clearly above 0.5 "
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
                f"the mean {title} to improve on, {self.means[1]:.4f}, is too uncertain for a "
                f"ratio (standard error over rows and seeds {error:.4f})"
            ))  # fmt: skip
        return estimate_of(value, *((end - 1) * 100 for end in ends))

    def _quantiles(self, confidence: float) -> np.ndarray:
        """Of the confidence that is asked for, and behind it of those of a curve."""
        return quantile(np.concatenate([[confidence], CURVE_CONFIDENCES]), self.degrees)
