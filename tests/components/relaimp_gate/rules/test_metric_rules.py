"""Rules on any measured metric: which way is better, which end decides, what is undefined."""

import pytest

from mtlx.components.relaimp_gate.rules import RULES
from mtlx.components.relaimp_gate.rules.rule import Evidence
from mtlx.components.relaimp_gate.settings import Threshold
from mtlx.components.slice_evaluation.metrics import METRICS
from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate
from mtlx.transform.config.settings import SettingsError


def _evidence(values=None, differences=None, relative=None):
    own = SliceMetrics(
        *("candidate", "click", (), 0.7, 0.6, 0.8, 0.5, 1.0, 30, 100), values=values or {}
    )
    compared = None
    if differences or relative:
        compared = Comparison(
            *("baseline", "click", (), *(None,) * 6),
            differences=differences or {},
            relative=relative or {},
        )
    return Evidence(own, compared, "baseline model")


@pytest.mark.parametrize("metric", sorted(set(METRICS) - {"calibration"}))
def test_every_metric_has_a_rule_whose_worse_end_decides(metric):
    higher = METRICS.get(metric).better == "higher"
    rule = RULES.build("metric", {"metric": metric, "limit": 0.5})
    assert rule.metric == metric and not rule.compares
    estimates = {"surely better": (0.6, 0.55, 0.65), "unsure": (0.52, 0.45, 0.58)}
    if not higher:
        estimates = {"surely better": (0.4, 0.35, 0.45), "unsure": (0.48, 0.42, 0.55)}
    passed = {
        name: rule.check(_evidence({metric: Estimate(*ends)})).passed
        for name, ends in estimates.items()
    }
    assert passed == {"surely better": True, "unsure": False}
    lenient = RULES.build(
        "metric", {"metric": metric, "limit": 0.5, "bound": "upper" if higher else "lower"}
    )
    assert lenient.check(_evidence({metric: Estimate(*estimates["unsure"])})).passed


def test_what_was_measured_and_asked_for_is_told():
    rule = RULES.build("metric", {"metric": "ece", "limit": 0.02})
    finding = rule.check(_evidence({"ece": Estimate(0.03, 0.01, 0.04)}))
    assert rule.threshold == "ECE: upper bound at most 0.0200"
    assert finding.reason == "ECE 0.0300 [0.0100, 0.0400]: upper bound at most 0.0200 is not met"
    assert (finding.value, finding.lower, finding.upper) == (0.03, 0.01, 0.04)


def test_a_metric_that_is_undefined_or_was_not_measured_blocks_and_says_why():
    rule = RULES.build("metric", {"metric": "gauc", "limit": 0.5})
    undefined = rule.check(_evidence({"gauc": Estimate(reason="no users with both classes")}))
    assert not undefined.passed and "GAUC is undefined (no users" in undefined.reason
    absent = rule.check(_evidence())
    assert not absent.passed and "name 'gauc' in evaluation.metrics" in absent.reason


@pytest.mark.parametrize(
    ("metric", "gain", "loss"),
    [
        ("ndcg@10", (0.02, 0.01, 0.03), (-0.02, -0.03, -0.01)),
        # Less is better: what is below 0 is a gain.
        ("log_loss", (-0.02, -0.03, -0.01), (0.02, 0.01, 0.03)),
    ],
)
def test_a_difference_is_a_gain_whichever_way_is_better(metric, gain, loss):
    rule = RULES.build("difference", {"metric": metric})
    assert rule.compares and rule.metric == metric
    found = rule.check(_evidence(differences={metric: Estimate(*gain)}))
    assert found.passed and (found.value, found.lower, found.upper) == (0.02, 0.01, 0.03)
    assert not rule.check(_evidence(differences={metric: Estimate(*loss)})).passed
    bounded = RULES.build("difference", {"metric": metric, "minimum": -0.02, "bound": "upper"})
    passed = bounded.check(_evidence(differences={metric: Estimate(*loss)}))
    assert passed.passed
    strict = RULES.build("difference", {"metric": metric, "minimum": -0.005, "bound": "upper"})
    assert not strict.check(_evidence(differences={metric: Estimate(*loss)})).passed


def test_a_loss_that_is_not_sure_passes_and_is_said_to_be_none_that_is_sure():
    rule = RULES.build("difference", {"metric": "mrr", "bound": "upper"})
    found = rule.check(_evidence(differences={"mrr": Estimate(-0.01, -0.03, 0.01)}))
    assert found.passed and "no loss is sure, not that there is none" in found.reason
    assert found.reason.startswith("gain in MRR over the baseline model -0.0100 [")


def test_relaimp_takes_gauc_too():
    rule = RULES.build("relaimp", {"metric": "gauc", "minimum": 1.0})
    found = rule.check(_evidence(relative={"gauc": Estimate(3.0, 1.5, 4.0)}))
    assert found.passed
    assert found.reason.startswith("RelaImp of GAUC over the baseline model +3.00 %")
    undefined = rule.check(_evidence(relative={"gauc": Estimate(reason="the GAUC is 0.5")}))
    assert not undefined.passed and "RelaImp of GAUC is undefined: the GAUC" in undefined.reason


@pytest.mark.parametrize(
    ("bound", "passed"),
    [
        ("point", [True, True, False, False]),
        ("lower", [True, False, False, False]),
        ("upper", [True, True, True, False]),
    ],
)
def test_the_calibrations_interval_lies_inside_or_outside_of_the_band(bound, passed):
    rule = RULES.build("calibration", {"bound": bound})
    estimates = [(1.0, 0.9, 1.1), (1.2, 1.1, 1.3), (1.3, 1.2, 1.4), (1.4, 1.3, 1.5)]
    found = [rule.check(_evidence({"calibration": Estimate(*ends)})) for ends in estimates]
    assert [one.passed for one in found] == passed
    assert all("calibration 1." in one.reason for one in found)
    alone = rule.check(_evidence({"calibration": Estimate(1.0, reason="too few users")}))
    assert alone.passed is (bound == "point")


@pytest.mark.parametrize(
    ("threshold", "words"),
    [
        ({"rule": "metric", "metric": "gacu", "limit": 0.6}, "did you mean 'gauc'"),
        ({"rule": "metric", "metric": "gauc"}, "'limit' of 'metric' is required"),
        ({"rule": "metric", "metric": "calibration", "limit": 1}, "use the rule 'calibration'"),
        ({"rule": "difference", "metric": "calibration"}, "use the rule 'calibration'"),
        ({"rule": "relaimp", "metric": "ndcg"}, "use the rule 'difference'"),
    ],
)
def test_thresholds_that_cannot_be_meant_are_refused_with_a_remedy(threshold, words):
    with pytest.raises(SettingsError, match=words):
        Threshold.read(threshold)


def test_a_threshold_says_which_metric_has_to_be_measured():
    assert Threshold(rule="metric", options={"metric": "mrr", "limit": 0.1}).metric == "mrr"
    assert Threshold(rule="auc", options={"minimum": 0.6}).metric == "auc"
    assert Threshold(rule="calibration").metric == "calibration"
