"""Thresholds that can match nothing are told from those that may."""

import pytest

from mtlx.components.slice_evaluation.settings import EvaluationSettings
from mtlx.pipeline.experiment.threshold_slices import threshold_problem, value_patterns
from mtlx.transform.contract.data_contract import DataContract

CONTRACT = DataContract.read(
    {
        "features": {
            "scenario": {"kind": "categorical"},
            "gender": {"kind": "categorical"},
            "price": {"kind": "numeric"},
        },
        "domain": {"feature": "scenario", "values": ["feed", "a,b=c", "gender=x", "5*"]},
        "tasks": {"click": {"label": "click"}},
    }
)
EVALUATION = EvaluationSettings(slices=[["domain"], ["domain", "gender"], ["gender"]])


@pytest.mark.parametrize(
    "pattern",
    ["overall", "*", "domain=*", "domain=feed", "domain=f*", "domain=a,b=c", "gender=anything",
     "domain=*,gender=f", "domain=a,b=c,gender=*", "*=*", "domain=5*", {"domain": "feed"},
     {"gender": "f", "domain": "a,b=c"}],
    ids=str,
)  # fmt: skip
def test_what_may_match(pattern):
    assert threshold_problem(pattern, EVALUATION, CONTRACT) is None


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("domain=fed", "can match nothing: 'fed' is no domain, did you mean 'feed'"),
        ("domain=x*", "can match nothing: 'x*' is no domain"),
        ("domain=fed,gender=*", "can match nothing: 'fed' is no domain"),
        ({"domain": "fed"}, "can match nothing: 'fed' is no domain"),
        ("domain", "is no slice: write overall, * or key=value"),
        ("gendr=f", "names no categorical feature: 'gendr', did you mean 'gender'"),
        ("price=1", "names no categorical feature: 'price'"),
        ("scenario=feed", "is not measured: add [scenario] to evaluation.slices"),
        ("gender=f,domain=feed", "is not measured: add [gender, domain] to evaluation.slices"),
        ({"scenario": "feed"}, "is not measured: add [scenario] to evaluation.slices"),
    ],
    ids=str,
)
def test_what_can_match_nothing(pattern, problem):
    assert threshold_problem(pattern, EVALUATION, CONTRACT).startswith(problem)


def test_what_is_asked_of_each_key():
    cross = ("domain", "gender")
    assert value_patterns("domain=a,b=c,gender=f*", cross, CONTRACT) == ("a,b=c", "f*")
    assert value_patterns({"gender": "f", "domain": "*"}, cross, CONTRACT) == ("*", "f")
    assert value_patterns("*", cross, CONTRACT) == ("*", "*")
    assert value_patterns("domain=*", cross, CONTRACT) is None
    assert value_patterns("overall", cross, CONTRACT) is None
    assert value_patterns("overall", (), CONTRACT) == value_patterns("*", (), CONTRACT) == ()
