"""How chance can make the checks of each rule err, and how sure they are."""

import pytest
from scipy import stats

from mtlx.components.relaimp_gate.rules import RULES
from mtlx.components.relaimp_gate.rules.rule import Evidence
from mtlx.components.slice_evaluation.intervals.confidence_curve import ConfidenceCurve
from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate


def _estimate(value, error):
    def interval(confidence):
        half = error * stats.norm.ppf(0.5 + confidence / 2)
        return value - half, value + half

    return Estimate(value, *interval(0.95), None, ConfidenceCurve.of_intervals(value, interval))


def _finding(rule, options, value, error):
    estimate = _estimate(value, error)
    name = options.get("metric", rule)
    own = SliceMetrics(
        "candidate", "click", (), None, None, None, None, None, 300, 1000, values={name: estimate}
    )
    compared = Comparison(
        "baseline",
        "click",
        (),
        *[None] * 6,
        differences={name: estimate},
        relative={name: estimate},
    )
    return RULES.build(rule, options).check(Evidence(own, compared, "baseline model"))


@pytest.mark.parametrize(
    ("rule", "options", "value", "errs_by", "deviate"),
    [
        # More is better: the lower end has to be shown, the upper one lets pass.
        ("metric", {"metric": "gauc", "limit": 0.6}, 0.63, "passing", 3.0),
        ("metric", {"metric": "gauc", "limit": 0.6, "bound": "upper"}, 0.57, "blocking", 3.0),
        # Less is better: the other way round.
        ("metric", {"metric": "log_loss", "limit": 0.5}, 0.48, "passing", 2.0),
        ("metric", {"metric": "log_loss", "limit": 0.5, "bound": "lower"}, 0.53, "blocking", 3.0),
        ("difference", {"metric": "gauc"}, 0.02, "passing", 2.0),
        ("difference", {"metric": "gauc", "bound": "upper"}, -0.02, "blocking", 2.0),
        # A log loss that is 0.02 higher is a loss.
        ("difference", {"metric": "log_loss", "bound": "upper"}, 0.02, "blocking", 2.0),
        ("difference", {"metric": "log_loss"}, -0.03, "passing", 3.0),
        ("relaimp", {"metric": "gauc", "bound": "upper"}, -0.02, "blocking", 2.0),
        ("calibration", {"bound": "lower"}, 0.82, "passing", 2.0),
        ("calibration", {"bound": "upper"}, 1.27, "blocking", 2.0),
        ("calibration", {"bound": "upper"}, 0.77, "blocking", 3.0),
    ],
)
def test_what_is_shown_and_how_sure_it_is(rule, options, value, errs_by, deviate):
    finding = _finding(rule, options, value, 0.01)
    assert finding.errs_by == errs_by == RULES.build(rule, options).errs_by
    assert finding.p_value == pytest.approx(stats.norm.sf(deviate), rel=0.02)
    # At 2.5 % all of these are shown; at a level that is harder none is.
    assert finding.passed is (errs_by == "passing")
    harder = _finding(rule, {**options, "level": 0.001}, value, 0.01)
    assert harder.level == 0.001 and harder.passed is not finding.passed


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("metric", {"metric": "gauc", "limit": 0.6, "bound": "point"}),
        ("difference", {"metric": "gauc", "bound": "point"}),
        ("calibration", {}),
    ],
)
def test_a_value_alone_knows_no_chance(rule, options):
    finding = _finding(rule, options, 0.9, 0.01)
    assert finding.errs_by is None and finding.p_value is None
    with pytest.raises(ValueError, match="leave it out"):
        RULES.build(rule, {**options, "level": 0.1})
