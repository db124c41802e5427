"""An estimate against a minimum, and the rules that are made of it."""

import math

import pytest

from mtlx.components.relaimp_gate.rules import RULES
from mtlx.components.relaimp_gate.rules.bounded_minimum import check_minimum, describe_minimum
from mtlx.components.relaimp_gate.rules.rule import Evidence
from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate


def _check(estimate, minimum=0.6, bound="lower", reason=None):
    estimate = Estimate(*estimate, reason)
    return check_minimum("AUC", estimate, minimum, bound, "{:.2f}".format)


@pytest.mark.parametrize(
    ("bound", "passed"), [("lower", [True, False, False]), ("point", [True, True, False]),
                          ("upper", [True, True, True])],
)  # fmt: skip
def test_the_chosen_end_decides_and_just_enough_is_enough(bound, passed):
    estimate = (0.65, 0.6, 0.7)
    assert [_check(estimate, minimum, bound).passed for minimum in (0.6, 0.65, 0.7)] == passed
    assert not _check(estimate, 0.71, bound).passed


def test_what_was_measured_and_asked_for_is_told():
    finding = _check((0.65, 0.55, 0.75))
    assert finding.reason == "AUC 0.65 [0.55, 0.75]: lower bound at least 0.60 is not met"
    assert (finding.value, finding.lower, finding.upper) == (0.65, 0.55, 0.75)
    assert describe_minimum("0.60", "point") == "value at least 0.60"


@pytest.mark.parametrize("bound", ["lower", "point", "upper"])
def test_what_is_undefined_never_passes(bound):
    finding = _check((None, None, None), bound=bound, reason="0 positives of 9")
    assert not finding.passed and finding.value is None
    assert finding.reason.startswith("AUC is undefined (0 positives of 9), so ")
    assert not _check((math.nan,) * 3, bound=bound).passed


def test_a_value_without_an_interval_is_decided_by_the_value_only_where_that_is_asked():
    estimate = (0.9, None, None)
    assert _check(estimate, bound="point").passed
    finding = _check(estimate, reason="too few rows")
    assert not finding.passed and finding.value == 0.9
    assert "has no confidence interval (too few rows), so lower bound" in finding.reason


def _evidence(auc=(0.7, 0.6, 0.8), calibration=1.0, relaimp=None, baseline="baseline model"):
    compared = None
    if relaimp is not None:
        compared = Comparison("baseline", "click", (), *relaimp, None, None, None)
    own = SliceMetrics("candidate", "click", (), *auc, 0.5, calibration, 30, 100)
    return Evidence(own, compared, baseline)


@pytest.mark.parametrize(
    ("ratio", "passed"),
    [(0.8, True), (1.25, True), (0.799, False), (1.2501, False), (math.nan, False), (None, False)],
)
def test_a_calibration_is_in_its_band_or_blocks(ratio, passed):
    rule = RULES.build("calibration", {})
    finding = rule.check(_evidence(calibration=ratio))
    assert finding.passed is passed and rule.threshold == "between 0.800 and 1.250"


def test_a_band_without_room_is_refused():
    with pytest.raises(ValueError, match=r"maximum 0\.9 should be above minimum 0\.9"):
        RULES.build("calibration", {"minimum": 0.9, "maximum": 0.9})


def test_the_rule_of_the_auc_reads_the_candidates_own():
    rule = RULES.build("auc", {"minimum": 0.6})
    assert not rule.compares and rule.threshold == "lower bound at least 0.6000"
    assert rule.check(_evidence()).passed
    assert not RULES.build("auc", {"minimum": 0.61}).check(_evidence()).passed


def test_an_improvement_is_in_percent_and_may_be_a_bounded_loss():
    evidence = _evidence(relaimp=(-0.5, -2.0, 1.0))
    rule = RULES.build("relaimp", {"minimum": -1.0, "bound": "upper"})
    assert rule.compares and rule.threshold == "upper bound at least -1.00 %"
    assert rule.check(evidence).passed
    assert "no loss is sure" not in rule.check(evidence).reason
    # The point lies below what is asked for: it passes, and that is told.
    finding = RULES.build("relaimp", {"minimum": 0.0, "bound": "upper"}).check(evidence)
    assert finding.passed and finding.reason.endswith(
        "which shows that no loss is sure, not that there is none"
    )
    assert not RULES.build("relaimp", {"minimum": 0.0}).check(evidence).passed


def test_an_improvement_that_was_not_measured_or_is_undefined_blocks_with_a_remedy():
    rule = RULES.build("relaimp", {})
    finding = rule.check(_evidence())
    assert not finding.passed and finding.reason == (
        "RelaImp over the baseline model was not measured here"
    )
    finding = rule.check(_evidence(relaimp=(None, None, None)))
    assert not finding.passed and "give this task and slice an auc threshold" in finding.reason
