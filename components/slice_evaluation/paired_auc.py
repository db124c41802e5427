"""Intervals of AUCs, of their differences and of RelaImp."""

from typing import NamedTuple

import numpy as np
from scipy import special

from components.slice_evaluation.spread import Spread

#: RelaImp is undefined where the baseline's AUC is under 0.5 plus so many standard errors.
STANDARD_ERRORS_ABOVE_CHANCE = 2.0


class Estimate(NamedTuple):
    """A value and its interval; None where it is undefined, then with the reason."""

    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    reason: str | None = None


class _Reach(NamedTuple):
    """How far the interval of one AUC reaches down and up, and whether from `exact_bounds`."""

    down: float
    up: float
    exact: bool


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
    reach = _reach(auc, spread, model, confidence)
    if isinstance(reach, str):
        return Estimate(auc, reason=reach)
    return Estimate(auc, auc - reach.down, auc + reach.up)


def exact_bounds(auc: float, pairs: float, confidence: float) -> tuple[float, float]:
    """Conservative interval for an AUC, without any estimate of the spread.

    The AUC is the probability that a positive outranks a negative. Of k pairs that share no
    cluster the number that is ranked rightly is binomial, so Clopper and Pearson's (1934,
    Biometrika 26, 404-413) limits for k · AUC of k hold; the AUC, a mean over all ways to form
    the pairs, varies less. With all ranked rightly the lower limit is (alpha / 2)^(1 / k), about
    1 - 3.7 / k at 95 % (the rule of three, Hanley and Lippman-Hand 1983, JAMA 249, 1743-1745).

    Args:
        auc: in [0, 1].
        pairs: k; need not be whole.
        confidence: of the two-sided interval.
    """
    tail = (1 - confidence) / 2
    right, wrong = pairs * auc, pairs * (1 - auc)
    lower = special.betaincinv(right, wrong + 1, tail) if right > 0 else 0.0
    upper = special.betaincinv(right + 1, wrong, 1 - tail) if wrong > 0 else 1.0
    return float(lower), float(upper)


def auc_difference(aucs: np.ndarray, spread: Spread, other: int, confidence: float) -> Estimate:
    """AUC of the candidate minus that of another model, with a paired t interval.

    The variance is DeLong's (1988) or, with users, Obuchowski's (1997). Where the interval of
    one of the AUCs is that of `exact_bounds`, the two are joined by square-and-add (Newcombe 1998,
    Statistics in Medicine 17, 873-890; with correlation Zou and Donner 2008, ibid. 27, 1693-1702).

    Args:
        aucs: ``(2,)``, candidate and other.
        spread: of one task and slice.
        other: number of the other model.
        confidence: of the interval.
    """
    if not np.isfinite(aucs).all():
        return Estimate()
    value = float(aucs[0] - aucs[1])
    own, its = (_reach(a, spread, m, confidence) for a, m in zip(aucs, (0, other), strict=True))
    if isinstance(own, str) or isinstance(its, str):
        return Estimate(value, reason=own if isinstance(own, str) else its)
    if own.exact or its.exact:
        both = 2 * _correlation(spread, other)
        down = own.down**2 + its.up**2 - both * own.down * its.up
        up = own.up**2 + its.down**2 - both * own.up * its.down
        return Estimate(value, value - np.sqrt(down), value + np.sqrt(up))
    variance, degrees = spread.combined(other, 1.0)
    half = quantile(confidence, degrees) * np.sqrt(variance)
    return Estimate(value, value - half, value + half)


def relative_improvement(auc_candidate: float, auc_baseline: float) -> float:
    """RelaImp in percent, without regard to its precision (DTN Eq. 8)."""
    return ((auc_candidate - 0.5) / (auc_baseline - 0.5) - 1) * 100


def relaimp(aucs: np.ndarray, spread: Spread, other: int, confidence: float) -> Estimate:
    """RelaImp in percent, with Fieller's interval for the ratio of two correlated means.

    Undefined where the other model's AUC is not at least `STANDARD_ERRORS_ABOVE_CHANCE` standard
    errors above 0.5, or where that standard error is unknown. Fieller's interval can be
    unbounded (then it is left out) where the t quantile asks for more standard errors than that.
    Where the interval of one of the AUCs is that of `exact_bounds`, how far each of them reaches
    takes the place of the standard errors (Donner and Zou 2012, Statistical Methods in Medical
    Research 21, 347-359).

    Args:
        aucs: ``(2,)``, candidate and other.
        spread: of one task and slice.
        other: number of the other model.
        confidence: of the interval.
    """
    if not np.isfinite(aucs).all():
        return Estimate()
    variance = spread.variance(other)
    if not variance >= 0:
        return Estimate(reason=spread.obstacle())
    error = np.sqrt(variance)
    if aucs[1] - 0.5 <= STANDARD_ERRORS_ABOVE_CHANCE * error:
        return Estimate(reason=(
            f"the AUC to improve on, {aucs[1]:.4f}, is not clearly above 0.5 (standard error "
            f"{error:.4f}, {STANDARD_ERRORS_ABOVE_CHANCE:.0f} of them are asked for)"
        ))  # fmt: skip
    value = relative_improvement(float(aucs[0]), float(aucs[1]))
    own, its = (_reach(a, spread, m, confidence) for a, m in zip(aucs, (0, other), strict=True))
    if isinstance(own, str) or isinstance(its, str):
        return Estimate(value, reason=own if isinstance(own, str) else its)
    correlation = _correlation(spread, other)
    if own.exact or its.exact:
        reaches = ((own.down, its.up), (own.up, its.down))
    else:
        _, degrees = spread.combined(other, float((aucs[0] - 0.5) / (aucs[1] - 0.5)))
        wanted = quantile(confidence, degrees)
        reaches = ((wanted * np.sqrt(spread.variance(0)), wanted * error),) * 2
    bounds = [
        _ratio_bound(*(aucs - 0.5), *reach, correlation, sign)
        for reach, sign in zip(reaches, (-1, 1), strict=True)
    ]
    if None in bounds:
        return Estimate(value, reason=(
            f"the AUC to improve on, {aucs[1]:.4f}, is too uncertain for a ratio (standard error "
            f"{error:.4f})"
        ))  # fmt: skip
    return Estimate(value, *(float((bound - 1) * 100) for bound in bounds))


def quantile(confidence: float, degrees: float) -> float:
    """Student's quantile of a two-sided interval: 1.96 for 0.95 and many degrees of freedom."""
    return float(special.stdtrit(degrees, 0.5 + confidence / 2))


def _reach(auc: float, spread: Spread, model: int, confidence: float) -> _Reach | str:
    """The interval of one AUC around it, or why there is none."""
    if reason := spread.obstacle():
        return reason
    lower, upper = exact_bounds(auc, float(spread.pairs), confidence)
    exact = _Reach(auc - lower, upper - auc, True)
    if not 0 < auc < 1:
        return exact
    variance = spread.variance(model)
    if not variance > 0:
        return "all scores of a class are equally good, so the spread is unknown"
    error = np.sqrt(variance) / (auc * (1 - auc))
    half = quantile(confidence, spread.degrees_of_auc(model)) * error
    logit = special.logit(auc)
    down, up = auc - special.expit(logit - half), special.expit(logit + half) - auc
    return exact if exact.down + exact.up < down + up else _Reach(down, up, False)


def _correlation(spread: Spread, other: int) -> float:
    """Of the two AUCs; 0 where one of them does not vary."""
    scale = np.sqrt(spread.variance(0) * spread.variance(other))
    return float(spread.covariance[0, other] / scale) if scale > 0 else 0.0


def _ratio_bound(
    x: float, y: float, of_x: float, of_y: float, correlation: float, sign: int
) -> float | None:
    """The smaller or larger r where x - r · y is as far from 0 as both reach; None if unbounded."""
    middle = x * y - correlation * of_x * of_y
    below, above = y * y - of_y * of_y, x * x - of_x * of_x
    if below <= 0:
        return None
    return (middle + sign * np.sqrt(max(middle * middle - below * above, 0.0))) / below
