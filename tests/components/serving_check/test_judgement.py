"""What the notes of a serving process are taken for: notes that are made up, one fault each."""

import numpy as np
import pytest

from mtlx.components.serving_check.judgement import judge_served, latencies_of
from mtlx.components.serving_check.process.serving_run import Served
from mtlx.components.serving_check.settings import ServingCheckSettings

EVALUATED = {"click": np.array([0.1, 0.2, 0.3], np.float32)}
SCORES = {"click": [0.1, 0.2, 0.3]}
BOTH = ("serving_default", "serving_columns")
LIMITS = [{"rows": 1, "ratio": 1.5}, {"rows": 100, "quantile": "p99", "milliseconds": 9}]


def _notes(**changed):
    """The notes of a process that found nothing wrong, by name; None leaves one out."""
    times = {"candidate": {"p50": 2.0, "p99": 3.0}, "served": {"p50": 4.0, "p99": 5.0}}
    notes = {
        "loaded": {"signatures": list(BOTH), "load_seconds": 1.0, "python_operations": []},
        **{f"scores of {name}": {"signature": name, "scores": [SCORES]} for name in BOTH},
        "latency": {"latency": {"1": times, "100": times}, "round": 1},
        "limits": {"limits": [0.5, 3.0]},
        "hostile": {"hostile": "x", "signature": BOTH[0], "outcome": "refused", "text": "no"},
        **{f"again {name}": {"signature": name, "again": SCORES} for name in BOTH},
        "done": {"done": True},
    }
    return [note for note in {**notes, **changed}.values() if note is not None]


def _problems(entries, ended=None, evaluated=EVALUATED, limits=LIMITS):
    settings = ServingCheckSettings.read({"latency": limits})
    found = judge_served(Served(entries, ended, 1.0), evaluated, settings)
    return [finding.message for finding in found if not finding.passed]


def test_nothing_wrong_is_nothing_wrong():
    assert _problems(_notes()) == []
    found = latencies_of(Served(_notes(), None, 1.0))
    assert [(x.rows, x.p50, x.served_p99) for x in found] == [(1, 2.0, 5.0), (100, 2.0, 5.0)]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"loaded": {"problem": "Op type not registered 'X'"}},
            "TensorFlow alone cannot load the model: Op type not registered 'X'",
        ),
        (
            {"loaded": {"signatures": [BOTH[0]], "load_seconds": 1.0, "python_operations": []}},
            "the model has no signature serving_columns; it has: serving_default",
        ),
        (
            {"scores of serving_default": {"signature": BOTH[0], "refused": "Key: item"}},
            "serving_default refuses rows that were evaluated: Key: item",
        ),
        (
            # One row was asked alone, and the batch had been normalised by itself.
            {
                "scores of serving_columns": {
                    "signature": BOTH[1],
                    "scores": [SCORES, {"click": [0.1]}, {"click": [0.25]}],
                }
            },
            "serving_columns differs from what was evaluated in 1 of 1 rows by more than 1e-05: "
            "click of row 1 is 0.25, and was 0.2 asked alone",
        ),
        (
            {
                "scores of serving_default": {
                    "signature": BOTH[0],
                    "scores": [{"click": [0.1, float("nan"), 0.3]}],
                }
            },
            "serving_default differs from what was evaluated in 1 of 3 rows by more than 1e-05: "
            "click of row 1 is nan, and was 0.2",
        ),
        (
            {"again serving_default": {"signature": BOTH[0], "again": {"click": [0.1, 0.2, 0.4]}}},
            "serving_default differs from what was evaluated in 1 of 3 rows by more than 1e-05: "
            "click of row 2 is 0.4, and was 0.3 after the hostile requests",
        ),
        (
            {"scores of serving_default": {"signature": BOTH[0], "scores": [{"buy": [0.1] * 3}]}},
            "serving_default does not serve task click; it serves buy",
        ),
        (
            {"scores of serving_default": {"signature": BOTH[0], "scores": [{"click": [0.1]}]}},
            "serving_default gives 1 probabilities of click for 3 rows",
        ),
        (
            {"limits": {"limits": [1.6, 3.0]}},
            "p50 of 1 rows takes 1.6 times what the served model takes; allowed are 1.5 times",
        ),
        (
            {"limits": {"limits": [0.5, 12.3]}},
            "p99 of 100 rows is 12.3 ms; allowed are 9 ms",
        ),
        (
            {"served": {"served_problem": "Key: price"}, "limits": {"limits": [None, 3.0]}},
            "p50 of 1 rows cannot be compared with the served model, which cannot be asked: "
            "Key: price",
        ),
        (
            {
                "hostile": {
                    "hostile": "inf for every number",
                    "signature": BOTH[1],
                    "outcome": "no number",
                    "text": "click: not every row",
                }
            },
            "1 of 1 hostile requests are answered wrongly: serving_columns, sent inf for every "
            "number: no number (click: not every row)",
        ),
        ({"hostile": None}, "no hostile request was sent"),
    ],
)
def test_each_fault_is_told(change, problem):
    assert problem in _problems(_notes(**change))


def test_what_a_request_says_once_has_to_count_for_each_item():
    def problems(**changed):
        loaded = {"signatures": [*BOTH, "serving_request"], "load_seconds": 1.0,
                  "python_operations": []}  # fmt: skip
        asked = {"signature": "serving_request", "scores": SCORES, "expected": SCORES}
        notes = _notes(**{"loaded": loaded, "request": asked, **changed})
        settings = ServingCheckSettings.read({"latency": LIMITS})
        found = judge_served(Served(notes, None, 1.0), EVALUATED, settings, takes_requests=True)
        return [finding.message for finding in found if not finding.passed]

    assert problems() == []
    other = {"signature": "serving_request", "scores": {"click": [0.1, 0.2, 0.31]}}
    (problem,) = problems(request={**other, "expected": SCORES})
    assert problem.startswith(
        "serving_request differs from what serving_columns gives in 1 of 3 rows by more than 1e-05"
    )
    (problem,) = problems(request={"signature": "serving_request", "refused": "Column city"})
    assert problem == "serving_request refuses the request of a row that was evaluated: Column city"
    assert problems(request=None) == [
        "serving_request was not asked, since the process came to no such step"
    ]
    (problem,) = [p for p in problems(loaded=_notes()[0], request=None) if "no signature" in p]
    assert problem.startswith("the model has no signature serving_request; it has: serving_default")


def test_a_first_run_has_no_model_to_be_slower_than():
    assert _problems(_notes(limits={"limits": [None, 3.0]})) == []


def test_a_process_that_ended_early_blocks_whatever_it_had_found():
    entries = _notes()[:-3]
    problems = _problems(entries, "the process was killed by SIGKILL while x")
    assert problems[0] == "serving the model, the process was killed by SIGKILL while x"
    assert _problems([])[0] == "the process ended without a word"


def test_without_kept_predictions_the_signatures_have_to_agree():
    other = {"signature": BOTH[1], "scores": [{"click": [0.1, 0.2, 0.31]}]}
    changed = {"again serving_columns": None, "scores of serving_columns": other}
    (problem,) = _problems(_notes(**changed), evaluated=None)
    assert problem.startswith("serving_columns differs from what serving_default gives at once")
    assert _problems(_notes(), evaluated=None) == []
