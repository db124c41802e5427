"""Intervals of AUCs, of their differences and of RelaImp."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special

from mtlx.components.slice_evaluation.intervals.confidence_curve import (
    CURVE_CONFIDENCES,
    ConfidenceCurve,
)
from mtlx.components.slice_evaluation.statistics.spread import Spread

#: RelaImp is undefined where the baseline's AUC is under 0.5 plus so many standard errors.
STANDARD_ERRORS_ABOVE_CHANCE = 2.0
#: A quantile of a difference shrinks by the share of its largest contributions, times the first
#: number for each standard error that it lies beyond the second, times the third at most. Fitted
#: to simulated differences of equal models of which 1 to 7 contributions decide, at confidences
#: of 0.8 to 0.99; at 0.95 it is 0.3 times the share.
_SHRINKAGE, _SHRINKS_BEYOND, _MOST_SHRINKAGE = 0.45, 1.3, 0.6
#: Directions in which the region of two AUCs is looked at; one more digit than is ever shown.
_TURNS = np.linspace(0, 2 * np.pi, 180, endpoint=False)
_COSINES, _SINES = np.cos(_TURNS), np.sin(_TURNS)


class Estimate(NamedTuple):
    """A value, its interval, its bounds at every level; None where undefined, with the reason."""

    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    reason: str | None = None
    curve: ConfidenceCurve | None = None


def with_curve(estimate_at: Callable[[float], Estimate], confidence: float) -> Estimate:
    """An estimate with its bounds at every level, which are asked for one by one.

    Args:
        estimate_at: gives the estimate with the interval of a two-sided confidence.
        confidence: of the interval that is shown.
    """
    found = estimate_at(confidence)
    if found.value is None or found.lower is None or found.curve is not None:
        return found
    curve = ConfidenceCurve.of_intervals(found.value, lambda other: estimate_at(other)[1:3])
    return found._replace(curve=curve)


class _Reach(NamedTuple):
    """How far the intervals of one AUC reach down and up, each ``(K,)``."""

    down: np.ndarray
    up: np.ndarray


def auc_estimate(auc: float, spread: Spread, model: int, confidence: float) -> Estimate:
    """AUC with its interval.

    A t interval of logit(AUC) (Pepe 2003, The Statistical Evaluation of Medical Tests, 5.2.3),
    which stays inside (0, 1) and holds near 1 too, with the spread's degrees of freedom. Where
    the classes are perfectly separated, or nearly so that the spread rests on one or two rows,
    the interval of `exact_bounds`.

    Args:
        auc: of the model; NaN where undefined.
        spread: of one task and slice.
        model: its number.
        confidence: of the two-sided interval.
    """
    if not np.isfinite(auc):
        return Estimate()
    reach = _reach(auc, spread, model, _confidences(confidence))
    if isinstance(reach, str):
        return Estimate(auc, reason=reach)
    return _estimate(float(auc), auc - reach.down, auc + reach.up)


def exact_bounds(
    auc: float, pairs: float, confidence: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Conservative interval for an AUC, without any estimate of the spread.

    The AUC is the probability that a positive outranks a negative. Of k pairs that share no
    cluster the number that is ranked rightly is binomial, so Clopper and Pearson's (1934,
    Biometrika 26, 404-413) limits for k · AUC of k hold; the AUC, a mean over all ways to form
    the pairs, varies less. With all ranked rightly the lower limit is (alpha / 2)^(1 / k), about
    1 - 3.7 / k at 95 % (the rule of three, Hanley and Lippman-Hand 1983, JAMA 249, 1743-1745).

    Args:
        auc: in [0, 1].
        pairs: k; need not be whole.
        confidence: of the two-sided interval, or of several.

    Returns:
        Lower and upper ends, of the confidences' shape.
    """
    tail = (1 - np.asarray(confidence)) / 2
    right, wrong = pairs * auc, pairs * (1 - auc)
    none, all_ = np.zeros_like(tail), np.ones_like(tail)
    lower = special.betaincinv(right, wrong + 1, tail) if right > 0 else none
    upper = special.betaincinv(right + 1, wrong, 1 - tail) if wrong > 0 else all_
    return lower, upper


def auc_difference(aucs: np.ndarray, spread: Spread, other: int, confidence: float) -> Estimate:
    """AUC of the candidate minus that of another model, with a paired interval.

    The variance is DeLong's (1988) or, with users, Obuchowski's (1997). The end that faces 0 is
    that of `quantile_of_difference`, since it answers whether the models are equal. The end away
    from 0 reaches at least as far as the difference does in the `_region` of both AUCs: models
    that differ are not off by the same amount upwards and downwards.

    Args:
        aucs: ``(2,)``, candidate and other.
        spread: of one task and slice.
        other: number of the other model.
        confidence: of the interval.
    """
    if not np.isfinite(aucs).all():
        return Estimate()
    value = float(aucs[0] - aucs[1])
    confidences = _confidences(confidence)
    region = _region(aucs, spread, other, confidences)
    if isinstance(region, str):
        return Estimate(value, reason=region)
    variance = spread.variance_of_difference(other)
    half = quantile_of_difference(spread, other, confidences) * np.sqrt(variance)
    ends = _stretched((value - half, value + half), np.sign(value), region[0] - region[1], variance)
    return _estimate(value, *ends)


def relative_improvement(auc_candidate: float, auc_baseline: float) -> float:
    """RelaImp in percent, without regard to its precision (DTN Eq. 8)."""
    return ((auc_candidate - 0.5) / (auc_baseline - 0.5) - 1) * 100


def relaimp(
    aucs: np.ndarray, spread: Spread, other: int, confidence: float, title: str = "AUC"
) -> Estimate:
    """RelaImp in percent, with Fieller's interval for the ratio of two correlated means.

    Undefined where the other model's AUC is not at least `STANDARD_ERRORS_ABOVE_CHANCE` standard
    errors above 0.5, or where that standard error is unknown. Fieller's interval can be
    unbounded (then it is left out) where the quantile asks for more standard errors than that.
    The quantile, and what is made of the end away from 0, are those of `auc_difference`, so that
    both exclude 0 together.

    Args:
        aucs: ``(2,)``, candidate and other.
        spread: of one task and slice.
        other: number of the other model.
        confidence: of the interval.
        title: what is called an AUC, for reasons.
    """
    if not np.isfinite(aucs).all():
        return Estimate()
    variance = spread.variance(other)
    if not variance >= 0:
        return Estimate(reason=spread.obstacle())
    error = np.sqrt(variance)
    if aucs[1] - 0.5 <= STANDARD_ERRORS_ABOVE_CHANCE * error:
        return Estimate(reason=(
            f"the {title} to improve on, {aucs[1]:.4f}, is not clearly above 0.5 (standard error "
            f"{error:.4f}, {STANDARD_ERRORS_ABOVE_CHANCE:.0f} of them are asked for)"
        ))  # fmt: skip
    value = relative_improvement(float(aucs[0]), float(aucs[1]))
    confidences = _confidences(confidence)
    region = _region(aucs, spread, other, confidences)
    if isinstance(region, str):
        return Estimate(value, reason=region)
    wanted = quantile_of_difference(spread, other, confidences)
    own, others = aucs - 0.5
    reach = wanted * np.sqrt(spread.variance(0))
    ends = ratio_bounds(own, others, reach, wanted * error, _correlation(spread, other))
    if not np.isfinite(ends[0][0]):
        return Estimate(value, reason=(
            f"the {title} to improve on, {aucs[1]:.4f}, is too uncertain for a ratio (standard "
            f"error {error:.4f})"
        ))  # fmt: skip
    # Where the region reaches down to 0.5 the ratio has no end in it: Fieller's is kept.
    has_ends = (region[1] > 0.5).all(axis=0)
    ratios = (region[0] - 0.5) / np.where(has_ends, region[1] - 0.5, 1.0)
    gap = spread.variance_of_difference(other)
    stretched = _stretched(ends, np.sign(value), ratios, gap)
    lower, upper = (
        (np.where(has_ends, far, near) - 1) * 100 for far, near in zip(stretched, ends, strict=True)
    )
    return _estimate(value, lower, upper)


def quantile_of_difference(
    spread: Spread, other: int, confidence: float | np.ndarray
) -> np.ndarray:
    """How many standard errors the interval of a difference reaches towards 0.

    Contributions to the difference of two equally good models are as often positive as negative.
    Given their sizes, the difference is then a sum of them with random signs: of one contribution
    it is always one standard error, of k equal ones at most √k, and if few contributions decide,
    as near an AUC of 1, the normal quantile is seldom reached, Student's with few degrees of
    freedom even less. So the quantile is Student's with as many degrees of freedom as there are
    effective clusters, less one, and smaller by a part of what the largest contributions make up.
    Of metrics that are means it is not smaller: nearly every cluster contributes to these.

    Args:
        spread: of one task and slice.
        other: number of the other model.
        confidence: of the two-sided interval, or of several.
    """
    if not spread.of_ranks:
        return quantile(confidence, spread.degrees_of_difference)
    beyond = np.maximum(special.ndtri(0.5 + confidence / 2) - _SHRINKS_BEYOND, 0.0)
    shrinkage = np.minimum(_SHRINKAGE * beyond, _MOST_SHRINKAGE)
    shrinkage = shrinkage * spread.share_of_difference(other)
    return quantile(confidence, spread.degrees_of_difference) * (1.0 - shrinkage)


def quantile(confidence: float | np.ndarray, degrees: float) -> np.ndarray:
    """Student's quantile of a two-sided interval: 1.96 for 0.95 and many degrees of freedom."""
    return special.stdtrit(degrees, 0.5 + confidence / 2)


def _confidences(confidence: float) -> np.ndarray:
    """``(K,)``, the one that was asked for and behind it those of a curve."""
    return np.concatenate([[confidence], CURVE_CONFIDENCES])


def _estimate(value: float, lower: np.ndarray, upper: np.ndarray) -> Estimate:
    """Of ends at `_confidences`."""
    curve = ConfidenceCurve.of_bounds(value, lower[1:], upper[1:])
    return Estimate(value, float(lower[0]), float(upper[0]), curve=curve)


def _reach(auc: float, spread: Spread, model: int, confidence: np.ndarray) -> _Reach | str:
    """The intervals of one AUC around it, or why there are none."""
    if reason := spread.obstacle():
        return reason
    lower, upper = exact_bounds(auc, float(spread.pairs), confidence)
    exact = _Reach(auc - lower, upper - auc)
    if not 0 < auc < 1:
        return exact
    variance = spread.variance(model)
    if not variance > 0:
        return "all scores of a class are equally good, so the spread is unknown"
    error = np.sqrt(variance) / (auc * (1 - auc))
    half = quantile(confidence, spread.degrees_of_auc(model)) * error
    logit = special.logit(auc)
    down, up = auc - special.expit(logit - half), special.expit(logit + half) - auc
    shorter = exact.down + exact.up < down + up
    return _Reach(np.where(shorter, exact.down, down), np.where(shorter, exact.up, up))


def _region(
    aucs: np.ndarray, spread: Spread, other: int, confidence: np.ndarray
) -> np.ndarray | str:
    """Pairs of AUCs ``(2, 180, K)`` around the two, or why there are none.

    They lie on the ellipse of two correlated estimates, each quarter stretched to how far the
    interval of each AUC reaches on that side: along one axis alone it ends where that interval
    does, and two models that are the same stay so in all of it. (Where an extreme lies within
    one quarter it is that of square-and-add: Newcombe 1998, Statistics in Medicine 17, 873-890;
    with correlation Zou and Donner 2008, ibid. 27, 1693-1702.)
    """
    own, its = (_reach(a, spread, m, confidence) for a, m in zip(aucs, (0, other), strict=True))
    if isinstance(own, str) or isinstance(its, str):
        return own if isinstance(own, str) else its
    correlation = _correlation(spread, other)
    turns = _COSINES, correlation * _COSINES + np.sqrt(1 - correlation**2) * _SINES
    return np.stack([
        auc + turn[:, None] * np.where(turn[:, None] > 0, reach.up, reach.down)
        for auc, turn, reach in zip(aucs, turns, (own, its), strict=True)
    ])  # fmt: skip


def _stretched(
    ends: tuple[np.ndarray, np.ndarray], side: float, reached: np.ndarray, variance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Intervals whose end away from equality reaches as far as a region does.

    Args:
        ends: lower and upper, each ``(K,)``.
        side: 1 where the candidate is better, -1 where it is worse, 0 where both are equal.
        reached: in the region, ``(180, K)``.
        variance: of the difference. Where it is 0, the models being both perfect or the same,
            it says nothing of either end.
    """
    lower, upper = ends
    if side < 0 or variance == 0:
        lower = np.minimum(lower, reached.min(axis=0))
    if side > 0 or variance == 0:
        upper = np.maximum(upper, reached.max(axis=0))
    return lower, upper


def _correlation(spread: Spread, other: int) -> float:
    """Of the two AUCs; 0 where one of them does not vary."""
    scale = np.sqrt(spread.variance(0) * spread.variance(other))
    return float(np.clip(spread.covariance[0, other] / scale, -1, 1)) if scale > 0 else 0.0


def ratio_bounds(
    x: float, y: float, of_x: np.ndarray, of_y: np.ndarray, correlation: float
) -> tuple[np.ndarray, np.ndarray]:
    """The smallest and largest r where x - r · y is as far from 0 as both reach; NaN if none."""
    middle = x * y - correlation * of_x * of_y
    below, above = y * y - of_y * of_y, x * x - of_x * of_x
    below = np.where(below > 0, below, np.nan)
    root = np.sqrt(np.maximum(middle * middle - below * above, 0.0))
    return (middle - root) / below, (middle + root) / below
