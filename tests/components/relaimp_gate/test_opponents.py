"""Which model a threshold compares with, and why it cannot."""

import dataclasses

import pytest

from mtlx.components.relaimp_gate.opponents import Opponent, obstacle, opponent, undefined
from mtlx.components.relaimp_gate.settings import GateSettings, Threshold
from mtlx.components.slice_evaluation.results import SliceMetrics, SliceResults

RELAIMP = {"rule": "relaimp", "minimum": 0.0}
THRESHOLD = Threshold.read(RELAIMP)
AGAINST_ANCHOR = Threshold.read({**RELAIMP, "against": "anchor"})


def _results(*models, incomparable=None):
    return SliceResults(("candidate", *models), ("click",), 0.95, None, [], [], incomparable or {})


def _settings(baseline="latest_blessed", anchor=None):
    thresholds = [RELAIMP, {**RELAIMP, "against": "anchor"}] if anchor else [RELAIMP]
    return GateSettings.read({"baseline": baseline, "anchor": anchor, "thresholds": thresholds})


@pytest.mark.parametrize(
    ("models", "baseline", "found"),
    [
        (("baseline", "reference"), "latest_blessed", "baseline"),
        (("reference",), "latest_blessed", "reference"),
        (("baseline", "reference"), "reference", "reference"),
        (("baseline", "reference"), "none", None),
        ((), "latest_blessed", None),
        (("baseline",), "reference", None),
        # An anchor is no baseline.
        (("anchor",), "latest_blessed", None),
    ],
)
def test_the_model_that_the_settings_ask_for_is_the_opponent(models, baseline, found):
    assert opponent(_results(*models), _settings(baseline), THRESHOLD).model == found


@pytest.mark.parametrize(
    ("models", "anchor", "found"),
    [
        (("baseline", "reference", "anchor"), {"last": 5}, "anchor"),
        (("baseline", "reference", "anchor"), "reference", "reference"),
        (("baseline", "reference"), {"last": 5}, "reference"),
        (("baseline",), {"last": 5}, None),
    ],
)
def test_a_threshold_against_the_anchor_has_an_opponent_of_its_own(models, anchor, found):
    assert opponent(_results(*models), _settings(anchor=anchor), AGAINST_ANCHOR).model == found


def test_a_first_run_does_not_apply_and_a_missing_reference_blocks():
    """Nobody can have blessed a model before; but a reference that is asked for has to be there."""
    first = opponent(_results(), _settings(), THRESHOLD)
    assert first.model is first.words is None and "first run" in first.absent
    lacking = opponent(_results("baseline"), _settings("reference"), THRESHOLD)
    assert lacking == Opponent(None, "")
    reason = obstacle(_results("baseline"), None, _metric(), None)
    assert "holds no reference model; name one under gate.reference" in reason
    nothing = opponent(_results("baseline"), _settings("none"), THRESHOLD)
    assert nothing.absent == "gate.baseline is 'none'"
    assert opponent(
        _results("anchor"), _settings("none", {"last": 3}), AGAINST_ANCHOR
    ).absent == "gate.baseline is 'none'"  # fmt: skip


def test_a_model_that_cannot_be_compared_is_the_opponent_nevertheless():
    """The reference in its place would hide that the served model was not beaten."""
    results = _results("reference", incomparable={"baseline": {"click": "reads price"}})
    found = opponent(results, _settings(), THRESHOLD)
    assert (found.model, found.absent, found.words) == ("baseline", "", "baseline model")
    reason = obstacle(results, "baseline", _metric(), None)
    assert reason == "not decidable: the baseline model reads price"


def _metric(model="candidate", examples=100, positives=30, bad=0):
    auc = (None, None, None) if bad else (0.7, 0.6, 0.8)
    return SliceMetrics(model, "click", (), *auc, 0.5, 1.0, positives, examples, bad)


def test_models_on_the_same_rows_can_be_compared():
    results = _results("baseline")
    assert obstacle(results, "baseline", _metric(), _metric("baseline")) is None
    other_task = {"baseline": {"buy": "does not serve it"}}
    results = dataclasses.replace(results, incomparable=other_task)
    assert obstacle(results, "baseline", _metric(), _metric("baseline")) is None


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (None, "the baseline model was not evaluated here"),
        (_metric("baseline", examples=99), "on other rows (30 positives of 99, the candidate on 30 of 100)"),
        (_metric("baseline", positives=31), "on other rows (31 positives of 100"),
        (_metric("baseline", bad=4), "4 of 100 predictions of the baseline model are no finite"),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_is_told(other, words):
    reason = obstacle(_results("baseline"), "baseline", _metric(), other)
    assert reason.startswith("not decidable: ") and words in reason


def test_only_undefined_predictions_make_a_model_undefined():
    assert undefined("candidate", _metric()) is None
    assert undefined("candidate", _metric(bad=1)) == (
        "not decidable: 1 of 100 predictions of the candidate are no finite numbers"
    )
