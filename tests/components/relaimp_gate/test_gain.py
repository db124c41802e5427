"""What a push gained, as it is added up later."""

import math

import pytest

from mtlx.components.relaimp_gate.gain import recorded_gain
from mtlx.components.slice_evaluation.results import SliceMetrics, SliceResults


def _results(aucs, incomparable=None):
    """AUCs by (model, task), on all rows; a slice where everything is lost stands beside."""
    metrics = [
        SliceMetrics(model, task, key, value, None, None, 0.5, 1.0, 10, 100)
        for (model, task), auc in aucs.items()
        for key, value in (((), auc), ((("domain", "a"),), 0.51))
    ]
    models = tuple(dict.fromkeys(model for model, _ in aucs))
    tasks = tuple(dict.fromkeys(task for _, task in aucs))
    return SliceResults(models, tasks, 0.95, None, metrics, [], incomparable or {})


def test_it_is_the_mean_over_tasks_of_the_log_ratio_above_chance():
    results = _results(
        {("candidate", "a"): 0.8, ("baseline", "a"): 0.7,
         ("candidate", "b"): 0.6, ("baseline", "b"): 0.65}
    )  # fmt: skip
    expected = (math.log(0.3 / 0.2) + math.log(0.1 / 0.15)) / 2
    assert recorded_gain(results) == pytest.approx(expected)


def test_gains_of_one_push_after_another_add_up():
    aucs = (0.6, 0.7, 0.65)
    steps = [
        recorded_gain(_results({("candidate", "a"): new, ("baseline", "a"): old}))
        for old, new in zip(aucs, aucs[1:], strict=False)
    ]
    whole = recorded_gain(_results({("candidate", "a"): 0.65, ("baseline", "a"): 0.6}))
    assert sum(steps) == pytest.approx(whole)


@pytest.mark.parametrize(
    "aucs",
    [
        {("candidate", "a"): 0.8},
        {("candidate", "a"): 0.8, ("baseline", "a"): 0.5},
        {("candidate", "a"): 0.4, ("baseline", "a"): 0.7},
        {("candidate", "a"): None, ("baseline", "a"): 0.7},
        {("candidate", "a"): 0.8, ("reference", "a"): 0.7},
    ],
)
def test_without_a_baseline_or_better_than_chance_there_is_none(aucs):
    assert recorded_gain(_results(aucs)) is None


def test_a_task_without_a_value_is_left_out():
    results = _results(
        {("candidate", "a"): 0.8, ("baseline", "a"): 0.7,
         ("candidate", "b"): 0.45, ("baseline", "b"): 0.6}
    )  # fmt: skip
    assert recorded_gain(results) == pytest.approx(math.log(1.5))


def test_a_baseline_that_is_not_comparable_in_a_task_begins_a_new_chain():
    aucs = {("candidate", "a"): 0.8, ("baseline", "a"): 0.7}
    assert recorded_gain(_results(aucs, {"baseline": {"b": "does not serve it"}})) is None
    assert recorded_gain(_results(aucs, {"reference": {"b": "reads price"}})) is not None
