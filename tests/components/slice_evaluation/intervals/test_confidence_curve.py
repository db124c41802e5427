"""Bounds at every level, and the p-values that are read from them."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.equal_models import EqualModels, evaluations
from mtlx.components.slice_evaluation.intervals.confidence_curve import (
    CURVE_CONFIDENCES,
    ConfidenceCurve,
)


def _curve(distribution, value=1.0, scale=2.0):
    """Of a symmetric interval with the quantiles of a distribution."""

    def interval(confidence):
        half = scale * distribution.ppf(0.5 + confidence / 2)
        return value - half, value + half

    return ConfidenceCurve.of_intervals(value, interval)


@pytest.mark.parametrize("minimum", [-4.0, -1.0, 0.0, 1.0, 1.5, 7.3])
def test_of_a_normal_interval_it_is_the_p_value_of_the_z_test(minimum):
    curve = _curve(stats.norm)
    expected = stats.norm.sf((1.0 - minimum) / 2.0)
    assert curve.p_value(minimum, "lower") == pytest.approx(expected, rel=1e-6)
    assert curve.p_value(minimum, "upper") == pytest.approx(1 - expected, rel=1e-6)


@pytest.mark.parametrize("degrees", [5, 20])
@pytest.mark.parametrize("minimum", [-7.0, -4.0, -2.5, 0.0])
def test_of_a_t_interval_it_is_that_of_the_t_test_or_a_little_more(degrees, minimum):
    expected = stats.t.sf((1.0 - minimum) / 2.0, degrees)
    found = _curve(stats.t(degrees)).p_value(minimum, "lower")
    assert expected * 0.999 <= found < expected * 1.1


@pytest.mark.parametrize("level", [0.4, 0.025, 0.0033, 1e-5])
def test_a_bound_is_what_its_level_belongs_to(level):
    curve = _curve(stats.norm)
    assert curve.bound(level, "lower") == pytest.approx(1 - 2 * stats.norm.isf(level))
    assert curve.bound(level, "upper") == pytest.approx(1 + 2 * stats.norm.isf(level))
    for side in ("lower", "upper"):
        assert curve.p_value(curve.bound(level, side), side) == pytest.approx(level)


def test_beyond_the_last_bound_a_p_value_is_never_too_small():
    curve = _curve(stats.norm)
    last = stats.norm.sf(4.5)
    assert curve.p_value(-1e9, "lower") == pytest.approx(last)
    assert curve.p_value(1e9, "upper") == pytest.approx(last)
    assert curve.bound(1e-9, "lower") == -np.inf and curve.bound(1e-9, "upper") == np.inf


def test_an_end_that_is_not_there_is_infinite():
    """A ratio has no end from some confidence on."""
    curve = ConfidenceCurve.of_intervals(
        3.0, lambda confidence: (1.0, None) if confidence > 0.9 else (2.0, 5.0)
    )
    assert curve.bound(0.2, "upper") == 5.0 and curve.bound(0.01, "upper") == np.inf
    # Under 5 at 1.5 deviates; whether it is under 1,000 at more is not known.
    assert curve.p_value(1000.0, "upper") == pytest.approx(stats.norm.sf(1.5))
    assert curve.bound(0.01, "lower") == 1.0


def test_the_same_model_twice_lost_nothing_for_sure_and_something_never():
    curve = ConfidenceCurve.of_intervals(0.0, lambda confidence: (0.0, 0.0))
    assert curve.p_value(0.0, "upper") > 0.99999 and curve.p_value(0.0, "lower") < 1e-5
    assert curve.p_value(1e-9, "upper") < 1e-5 and curve.p_value(-1e-9, "upper") > 0.99999


def test_a_wider_interval_never_reaches_less_far():
    ends = dict(zip(CURVE_CONFIDENCES, [(-1, 1), (-3, 3), (-2, 4)] + 6 * [(-5, 5)], strict=True))
    curve = ConfidenceCurve.of_intervals(0.0, lambda confidence: ends[confidence])
    assert list(curve.bounds) == sorted(curve.bounds)
    assert curve.bound(stats.norm.sf(1.5), "lower") == pytest.approx(-3)


def test_with_the_other_sign_the_sides_change_places():
    curve = ConfidenceCurve.of_intervals(
        3.0, lambda confidence: (1.0, None) if confidence > 0.9 else (2.0, 5.0)
    )
    other = curve.negative()
    assert other.bound(0.2, "lower") == -5.0 and other.bound(0.01, "lower") == -np.inf
    assert other.bound(0.01, "upper") == -1.0 and other.negative() == curve
    for minimum in (0.0, 1.5, 3.0, 4.0, 9.0):
        assert other.p_value(-minimum, "upper") == pytest.approx(curve.p_value(minimum, "lower"))


def test_text_holds_what_matters():
    curve = _curve(stats.t(5), 0.123456789123, 0.01)
    read = ConfidenceCurve.from_text(curve.to_text())
    assert read.first == curve.first
    np.testing.assert_allclose(read.bounds, curve.bounds, rtol=1e-8)


def test_the_evaluations_own_ends_lie_on_their_curves():
    batch = EqualModels(rows=600, users=150).draw(np.random.default_rng(0), 3)
    seen = 0
    for results in evaluations(batch, 3):
        estimates = [(m.auc_curve, m.auc, m.auc_lower, m.auc_upper) for m in results.metrics]
        estimates += [
            (c.relaimp_curve, c.relaimp, c.relaimp_lower, c.relaimp_upper)
            for c in results.comparisons
        ]
        for curve, value, lower, upper in estimates:
            if curve is None:
                continue
            seen += 1
            assert curve.bound(0.5, "lower") == value
            for end, side in ((lower, "lower"), (upper, "upper")):
                assert curve.p_value(end, side) == pytest.approx(0.025, rel=0.05)
                assert curve.bound(0.025, side) == pytest.approx(end, abs=0.02 * (upper - lower))
    assert seen > 150
