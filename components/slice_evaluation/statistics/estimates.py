"""Intervals of metrics that are smooth functions of means, and of their paired differences."""

import numpy as np

from mtlx.components.slice_evaluation.metrics.metric import Scale
from mtlx.components.slice_evaluation.statistics.paired_auc import (
    Estimate,
    auc_difference,
    auc_estimate,
    quantile,
    quantile_of_difference,
)
from mtlx.components.slice_evaluation.statistics.spread import Spread

#: Factors beyond the exponential of this say nothing.
_LARGEST_LOGARITHM = 20.0


def mean_estimate(
    value: float, spread: Spread, model: int, confidence: float, scale: Scale
) -> Estimate:
    """A metric with its interval.

    A t interval on the metric's scale by the delta method, with Satterthwaite's degrees of
    freedom: on that of the logarithm for what is above 0, where a factor up is as likely as the
    same factor down; of a share as `auc_estimate`, which stays inside (0, 1) and is exact where
    all units are alike.

    Args:
        value: of the model; NaN where undefined.
        spread: of one task and slice.
        model: its number.
        confidence: of the two-sided interval.
        scale: of the metric.
    """
    if scale == "logit" and 0 < value < 1 and spread.variance(model) == 0:
        return Estimate(value, reason=f"all {spread.counted} are alike, so the spread is unknown")
    if scale == "logit" or not np.isfinite(value):
        return auc_estimate(value, spread, model, confidence)
    if reason := spread.obstacle():
        return Estimate(value, reason=reason)
    half = _half(spread, model, confidence)
    if scale == "linear":
        return Estimate(value, value - half, value + half)
    if not value > 0:
        return Estimate(value, reason="it is not above 0, so that no factor leads to its ends")
    if half > _LARGEST_LOGARITHM * value:
        return Estimate(value, reason="it is too uncertain for an interval of factors")
    factor = float(np.exp(half / value))
    return Estimate(value, value / factor, value * factor)


def mean_difference(
    values: np.ndarray, spread: Spread, other: int, confidence: float, scale: Scale
) -> Estimate:
    """The candidate's metric minus that of another model, with a paired interval.

    The variance is that of what each cluster adds to the difference. The end that faces 0 is that
    of `quantile_of_difference`, since it answers whether the models are equal; the other one is
    Student's with Satterthwaite's degrees of freedom, since models that differ may do so by what
    few clusters add. Of a share it is that of `auc_difference`.

    Args:
        values: ``(2,)``, candidate and other.
        spread: of one task and slice.
        other: number of the other model.
        confidence: of the interval.
        scale: of the metric.
    """
    if not np.isfinite(values).all():
        return Estimate()
    if scale == "logit":
        return auc_difference(values, spread, other, confidence)
    value = float(values[0] - values[1])
    if reason := spread.obstacle():
        return Estimate(value, reason=reason)
    error = np.sqrt(spread.variance_of_difference(other))
    inner = error * quantile_of_difference(spread, other, confidence)
    outer = max(error * quantile(confidence, spread.degrees_of_gap(other)), inner)
    below, above = (inner, outer) if value > 0 else (outer, inner)
    return Estimate(value, float(value - below), float(value + above))


def error_estimate(
    value: float, spread: Spread, model: int, confidence: float, chance: float, by_row: float
) -> Estimate:
    """An expected calibration error with its interval.

    The error is a sum of absolute values, which by chance are too large where they are small, by
    `chance` at most on average, and else off by what the bins' sums are. So the lower end is
    lower by that much, where clusters are correlated by as much more as their variance exceeds
    that of rows.

    Args:
        value: of the model; NaN where undefined.
        spread: of one task and slice.
        model: its number.
        confidence: of the two-sided interval.
        chance: the error of a calibrated model with independent rows.
        by_row: variance of the error with independent rows.
    """
    if not np.isfinite(value):
        return Estimate()
    if reason := spread.obstacle():
        return Estimate(value, reason=reason)
    half = _half(spread, model, confidence)
    excess = spread.variance(model) / by_row if by_row > 0 else 1.0
    floor = chance * np.sqrt(max(excess, 1.0))
    return Estimate(value, max(float(value - floor - half), 0.0), float(value + half))


def _half(spread: Spread, model: int, confidence: float) -> float:
    error = np.sqrt(max(spread.variance(model), 0.0))
    return float(error * quantile(confidence, spread.degrees_of_auc(model)))
