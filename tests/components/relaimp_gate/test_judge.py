"""The decision: wildcards, bounds, the first run, and each way in which it fails closed."""

import dataclasses
import math

import pytest
from scipy import stats

from mtlx.components.relaimp_gate.judge import judge
from mtlx.components.relaimp_gate.lineage import Lineage
from mtlx.components.relaimp_gate.settings import GateSettings
from mtlx.components.slice_evaluation.intervals.confidence_curve import ConfidenceCurve
from mtlx.components.slice_evaluation.slices import slice_text


@pytest.fixture
def decide(contract):
    def function(results, *thresholds, **settings):
        values = {"thresholds": list(thresholds), **settings}
        return judge(results, GateSettings.read(values), contract)

    return function


def relaimp(minimum=0.0, **keys):
    return {"rule": "relaimp", "minimum": minimum, **keys}


def auc(minimum=0.7, **keys):
    return {"rule": "auc", "minimum": minimum, **keys}


def only(verdict):
    (check,) = verdict.checks
    return check


def test_wildcards_expand_to_the_tasks_and_slices_found(decide, evaluation):
    slices = ("overall", "domain=feed", "domain=search", "domain=feed,gender=f")
    verdict = decide(evaluation(slices=slices), auc(task="*", slice="domain=*"))
    assert verdict.blessed
    assert [(check.task, check.slice) for check in verdict.checks] == [
        (task, name) for task in ("click", "purchase") for name in ("domain=feed", "domain=search")
    ]
    verdict = decide(evaluation(slices=slices), auc(task="cl*", slice="domain=*,gender=*"))
    assert [check.slice for check in verdict.checks] == ["domain=feed,gender=f"]
    verdict = decide(evaluation(slices=slices), auc(task="click", slice="*"))
    assert [check.slice for check in verdict.checks] == list(slices)


@pytest.mark.parametrize("value", ["a[1-2],b", "[x]"])
def test_values_with_special_characters_are_named_as_they_are(decide, evaluation, value):
    key = (("gender", value),)
    results = evaluation(slices=("overall", key))
    for pattern in (f"gender={value}", "gender=*", {"gender": value}):
        assert only(decide(results, auc(task="click", slice=pattern))).slice == slice_text(key)


@pytest.mark.parametrize(
    ("bound", "minimum", "passed"),
    [
        ("lower", 0.5, True), ("lower", 0.51, False),
        ("point", 2.0, True), ("point", 2.01, False),
        ("upper", 3.5, True), ("upper", 3.51, False),
    ],
)  # fmt: skip
def test_bounds_of_relaimp(decide, evaluation, bound, minimum, passed):
    check = only(decide(evaluation(), relaimp(minimum, task="click", bound=bound)))
    assert check.passed is passed
    assert (check.value, check.lower, check.upper) == (2.0, 0.5, 3.5)
    assert "baseline model +2.00 % [+0.50 %, +3.50 %]" in check.message


@pytest.mark.parametrize(
    ("bound", "minimum", "passed"),
    [
        ("lower", 0.73, True), ("lower", 0.74, False),
        ("point", 0.75, True), ("point", 0.76, False),
        ("upper", 0.77, True), ("upper", 0.78, False),
    ],
)  # fmt: skip
def test_bounds_of_auc(decide, evaluation, bound, minimum, passed):
    assert decide(evaluation(), auc(minimum, task="click", bound=bound)).blessed is passed


@pytest.mark.parametrize(
    ("ratio", "passed"), [(0.9, True), (1.1, True), (0.89, False), (1.11, False), (None, False)]
)
def test_calibration_band(decide, evaluation, ratio, passed):
    results = evaluation(changes={("candidate", "click", "overall"): {"calibration": ratio}})
    threshold = {"rule": "calibration", "task": "click", "minimum": 0.9, "maximum": 1.1}
    assert decide(results, threshold).blessed is passed


def test_one_failed_check_blocks(decide, evaluation):
    changes = {("vs baseline", "purchase", "domain=feed"): {"relaimp_lower": -0.6}}
    verdict = decide(evaluation(changes=changes), relaimp(), relaimp(-0.5, slice="domain=*"))
    assert not verdict.blessed
    failed = [check for check in verdict.checks if not check.passed]
    assert [(check.task, check.slice) for check in failed] == [("purchase", "domain=feed")]


def test_first_run_is_decided_by_absolute_thresholds_where_that_is_asked_for(decide, evaluation):
    results = evaluation(models=("candidate",))
    verdict = decide(results, relaimp(task="click"), auc(task="click"), first_run="push")
    assert verdict.blessed and verdict.baseline is None
    assert [check.applicable for check in verdict.checks] == [False, True]
    assert "not applicable: first run" in verdict.checks[0].message
    assert not decide(results, relaimp(), auc(0.9), first_run="push").blessed


def test_first_run_is_held_where_thresholds_that_compare_stand_beside_floors(decide, evaluation):
    results = evaluation(models=("candidate",))
    verdict = decide(results, relaimp(task="click"), auc(task="click"))
    assert not verdict.blessed
    (held,) = [check for check in verdict.checks if not check.passed]
    assert held.rule == "first_run" and "--set gate.first_run=push" in held.message
    # Without such thresholds the floors are all that was ever asked for.
    assert decide(results, auc(task="click")).blessed
    # A reference decides as it always did.
    assert decide(evaluation(models=("candidate", "reference")), relaimp(), auc()).blessed


def test_no_baseline_on_purpose_is_as_a_first_run(decide, evaluation):
    thresholds = relaimp(task="click"), auc(task="click")
    verdict = decide(evaluation(), *thresholds, baseline="none")
    assert not verdict.blessed and verdict.baseline is None
    assert "gate.baseline is 'none'" in verdict.checks[0].message
    assert decide(evaluation(), *thresholds, baseline="none", first_run="push").blessed


INCOMPARABLE = {"click": "reads price, which the examples do not hold"}


def test_a_baseline_that_cannot_be_compared_blocks_and_is_named(decide, evaluation):
    for models in (("candidate",), ("candidate", "reference")):
        results = dataclasses.replace(
            evaluation(models=models), incomparable={"baseline": INCOMPARABLE}
        )
        verdict = decide(results, relaimp(task="click"), auc(task="click"), first_run="push")
        compared, absolute, whole = verdict.checks
        assert not verdict.blessed and verdict.baseline == "baseline"
        assert absolute.passed and not compared.passed and compared.applicable
        assert "not decidable: the baseline model reads price, which the examples do" in (
            compared.message
        )
        assert whole.rule == "comparable" and "--set gate.baseline=none" in whole.message
    # Who asks for the reference goes on.
    assert decide(results, relaimp(task="click"), baseline="reference").blessed


def test_a_task_that_the_baseline_lacks_is_undecidable_and_the_others_are_decided(
    decide, evaluation
):
    changes = {
        ("baseline", "purchase", "overall"): None,
        ("vs baseline", "purchase", "overall"): None,
    }
    results = dataclasses.replace(
        evaluation(changes=changes),
        incomparable={"baseline": {"purchase": "does not serve the task purchase"}},
    )
    verdict = decide(results, relaimp())
    assert [check.passed for check in verdict.checks] == [True, False, False]
    assert "does not serve the task purchase" in verdict.checks[1].message


def test_what_the_intervals_do_not_know_stands_in_the_verdict_and_blocks_nothing(
    decide, evaluation
):
    notice = "Rows share user_id: intervals are about 1.4 times too narrow."
    results = dataclasses.replace(evaluation(), notices=(notice,))
    verdict = decide(results, auc())
    assert verdict.blessed and verdict.notices == [notice]
    without = decide(evaluation(), auc())
    assert without.notices == [] and without.checks == verdict.checks
    # Nor is it lost where there is no candidate to judge.
    alone = dataclasses.replace(results, models=("baseline",))
    assert decide(alone, auc()).notices == [notice]


def anchored(minimum=-5.0, **keys):
    return relaimp(minimum, task="click", bound="upper", against="anchor", **keys)


def test_the_anchor_is_compared_with_besides(decide, evaluation):
    models = ("candidate", "baseline", "reference", "anchor")
    changes = {("vs anchor", "click", "overall"): {"relaimp": -9.0, "relaimp_upper": -6.0}}
    results = evaluation(models=models, changes=changes)
    thresholds = relaimp(task="click", bound="upper"), anchored()
    verdict = decide(results, *thresholds, anchor={"last": 5})
    assert [(check.against, check.passed) for check in verdict.checks] == [
        ("baseline", True),
        ("anchor", False),
    ]
    assert "RelaImp over the anchor model -9.00 %" in verdict.checks[1].message
    verdict = decide(results, *thresholds, anchor="reference")
    assert [check.against for check in verdict.checks] == ["baseline", "reference"]
    assert verdict.blessed
    # Nothing to compare with is no anchor, either.
    verdict = decide(results, *thresholds, auc(), anchor={"last": 5}, baseline="none")
    assert [check.applicable for check in verdict.checks[:2]] == [False, False]
    # The first run has no anchor either: the reference takes its place, too.
    results = evaluation(models=("candidate", "reference"))
    verdict = decide(results, *thresholds, anchor={"last": 5})
    assert [check.against for check in verdict.checks] == ["reference", "reference"]


def test_the_upper_bound_says_what_it_does_not_show(decide, evaluation):
    changes = {("vs baseline", "click", "overall"): {"relaimp": -1.0}}
    check = only(decide(evaluation(changes=changes), relaimp(task="click", bound="upper")))
    assert check.passed and "no loss is sure, not that there is none" in check.message
    check = only(decide(evaluation(), relaimp(task="click", bound="upper")))
    assert check.passed and "no loss is sure" not in check.message


def test_an_older_span_is_held_unless_asked_for(decide, contract, evaluation):
    settings = GateSettings.read({"thresholds": [auc(task="click")]})
    older = Lineage(older="the candidate was tested on span 3, older than span 5")
    verdict = judge(evaluation(), settings, contract, older)
    assert not verdict.blessed and verdict.checks[-1].rule == "span"
    assert "older than span 5" in verdict.checks[-1].message
    assert "--set gate.allow_older_span=true" in verdict.checks[-1].message
    settings = GateSettings.read({"thresholds": [auc(task="click")], "allow_older_span": True})
    verdict = judge(evaluation(), settings, contract, older)
    assert verdict.blessed and "older than span 5" in verdict.checks[-1].message


def test_first_run_with_nothing_absolute_is_blocked(decide, evaluation):
    verdict = decide(evaluation(models=("candidate",)), relaimp())
    assert not verdict.blessed
    assert "add an absolute one" in verdict.checks[-1].message


def test_first_run_compares_with_the_reference_where_there_is_one(decide, evaluation):
    results = evaluation(models=("candidate", "reference"))
    verdict = decide(results, relaimp(task="click"))
    assert verdict.blessed and verdict.baseline == "reference"


def test_the_baseline_is_the_one_that_is_set(decide, evaluation):
    changes = {("vs reference", "click", "overall"): {"relaimp_lower": -9.0}}
    results = evaluation(models=("candidate", "baseline", "reference"), changes=changes)
    threshold = relaimp(task="click")
    assert decide(results, threshold).blessed
    assert not decide(results, threshold, baseline="reference").blessed


ABSENT = {
    ("candidate", "click", "domain=feed"): None,
    ("baseline", "click", "domain=feed"): None,
}
OVERALL = ("candidate", "click", "overall")


@pytest.mark.parametrize(
    ("changes", "threshold", "words"),
    [
        (ABSENT, auc(task="click", slice="domain=feed"), "has no row of this task in this slice"),
        ({OVERALL: {"undefined_predictions": 3}}, auc(task="click"), "3 of 1000 predictions of the "
         "candidate are no finite"),
        ({OVERALL: {"positives": 12}}, auc(task="click"), "12 positives of 1000"),
        ({OVERALL: {"positives": 990}}, auc(task="click"), "990 positives of 1000"),
        ({OVERALL: {"auc": None, "auc_lower": None, "auc_upper": None}}, auc(task="click"),
         "AUC is undefined"),
        ({OVERALL: {"auc_lower": None, "auc_upper": None}}, auc(task="click"),
         "no confidence interval"),
        ({OVERALL: {"auc": math.nan, "auc_lower": math.nan}}, auc(task="click"), "not met"),
        ({("vs baseline", "click", "overall"): {"relaimp": None}}, relaimp(task="click"),
         "RelaImp is undefined"),
        ({("vs baseline", "click", "overall"): None}, relaimp(task="click"), "was not measured"),
        ({("baseline", "click", "overall"): {"undefined_predictions": 1}}, relaimp(task="click"),
         "baseline model are no finite"),
        ({("baseline", "click", "overall"): {"examples": 900}}, relaimp(task="click"),
         "evaluated on other rows"),
        ({("baseline", "click", "overall"): None}, relaimp(task="click"), "was not evaluated here"),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_blocks(decide, evaluation, changes, threshold, words):
    verdict = decide(evaluation(changes=changes), threshold)
    assert not verdict.blessed
    assert words in only(verdict).message


def test_a_domain_without_a_single_row_blocks(decide, evaluation):
    results = evaluation(slices=("overall", "domain=feed"))
    for pattern in ("domain=*", "*", "domain=search"):
        verdict = decide(results, auc(task="click", slice=pattern))
        assert not verdict.blessed, pattern
        assert verdict.checks[-1].slice == "domain=search"
        assert "slices with rows: overall, domain=feed" in verdict.checks[-1].message


def test_a_domain_without_a_single_row_blocks_in_a_cross_too(decide, evaluation):
    results = evaluation(slices=("overall", "domain=feed", "domain=feed,gender=f"))
    verdict = decide(results, auc(task="click", slice="domain=*,gender=*"))
    assert [(check.slice, check.passed) for check in verdict.checks] == [
        ("domain=feed,gender=f", True),
        ("domain=search,gender=*", False),
    ]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"slice": "city=*"}, "no slice matches 'city=*'; there are: overall, domain=feed"),
        ({"slice": "domain=fed"}, "no slice matches 'domain=fed'"),
        ({"task": "clic"}, "no task matches 'clic'; there are: click, purchase"),
    ],
)
def test_a_threshold_that_matches_nothing_blocks(decide, evaluation, keys, words):
    verdict = decide(evaluation(), auc(), auc(**keys))
    assert not verdict.blessed
    assert words in verdict.checks[-1].message


def test_an_evaluation_without_the_candidate_or_reference_blocks(decide, evaluation):
    verdict = decide(evaluation(models=("baseline",)), auc())
    assert not verdict.blessed and "no candidate" in only(verdict).message
    verdict = decide(evaluation(), auc(), relaimp(task="click"), baseline="reference")
    assert not verdict.blessed
    assert "holds no reference model" in verdict.checks[-1].message


def _curve(value, error):
    """Of a normal interval."""

    def interval(confidence):
        half = error * stats.norm.ppf(0.5 + confidence / 2)
        return value - half, value + half

    return ConfidenceCurve.of_intervals(value, interval)


def _lost(*losses):
    """RelaImp of the click task in feed and search, each so many standard errors below 0."""
    return {
        ("vs baseline", "click", f"domain={name}"): {
            "relaimp": -loss, "relaimp_lower": -loss - 1.96, "relaimp_upper": -loss + 1.96,
            "relaimp_curve": _curve(-loss, 1.0),
        }
        for name, loss in zip(("feed", "search"), losses, strict=True)
    }  # fmt: skip


def _no_loss(**keys):
    return relaimp(0.0, task="click", slice="domain=*", bound="upper", **keys)


def test_a_block_that_chance_explains_among_all_checks_is_lifted(decide, evaluation):
    results = evaluation(changes=_lost(2.1, -1.0))
    alone = decide(results, _no_loss())
    assert [check.passed for check in alone.checks] == [False, True] and alone.family is None
    assert alone.checks[0].p_value == pytest.approx(stats.norm.sf(2.1), rel=0.02)
    assert alone.checks[0].adjusted_p_value is None and alone.checks[0].errs_by == "blocking"
    together = decide(results, _no_loss(), error_rate=0.03)
    assert together.blessed and together.family.lifted == 1
    assert together.checks[0].adjusted_p_value == pytest.approx(2 * alone.checks[0].p_value)
    # Twice 1.8 % is less than 5 %.
    assert not decide(results, _no_loss(), error_rate=0.05).blessed
    # What is sure blocks at any rate; what cannot be decided does, too, and counts for no other.
    assert not decide(evaluation(changes=_lost(4.2, -1.0)), _no_loss(), error_rate=0.03).blessed
    changes = {**_lost(2.1, -1.0), ("candidate", "click", "domain=search"): {"positives": 3}}
    verdict = decide(evaluation(changes=changes), _no_loss(), error_rate=0.03)
    assert [check.passed for check in verdict.checks] == [False, False]
    assert verdict.family.checks == 1


def test_a_check_with_a_level_of_its_own_decides_alone(decide, evaluation):
    results = evaluation(changes=_lost(1.5, -1.0))
    assert decide(results, _no_loss()).blessed
    blocked = decide(results, _no_loss(level=0.1), relaimp(bound="upper"), error_rate=0.01)
    first = blocked.checks[0]
    assert not first.passed and first.level == 0.1 and first.adjusted_p_value is None
    assert "upper bound of level 0.1 at least +0.00 % is not met" in first.message
    assert first.threshold == "upper bound of level 0.1 at least +0.00 %"
    # A proof of gain at a level that is easier, and one that is harder, than the interval's.
    results = evaluation(changes=_lost(-1.5, -2.5))
    proof = {"task": "click", "slice": "domain=*", "bound": "lower"}
    for level, expected in ((None, [False, True]), (0.1, [True, True]), (0.001, [False, False])):
        options = {} if level is None else {"level": level}
        verdict = decide(results, relaimp(0.0, **proof, **options))
        assert [check.passed for check in verdict.checks] == expected, level


def test_a_level_needs_bounds_at_that_level(decide, evaluation):
    verdict = decide(evaluation(), relaimp(task="click", level=0.1))
    assert not verdict.blessed and "has no confidence interval" in only(verdict).message


def test_the_auc_has_a_p_value_too(decide, evaluation):
    changes = {OVERALL: {"auc": 0.7, "auc_curve": _curve(0.7, 0.01)}}
    check = only(decide(evaluation(changes=changes), auc(0.68, task="click")))
    assert check.passed and check.errs_by == "passing"
    assert check.p_value == pytest.approx(stats.norm.sf(2.0), rel=0.01)
    check = only(decide(evaluation(changes=changes), auc(0.68, task="click", bound="point")))
    assert check.p_value is None and check.errs_by is None
