"""Intervals hold as often as they say, on simulated users whose true metrics are known.

All settings and more trials: `python -m benchmarks.metric_intervals`, in docs/evaluation.md.
"""

import dataclasses

import numpy as np
import pytest

from benchmarks.metric_intervals import BINARY, SETTINGS, measure
from benchmarks.simulated_requests import Requests
from tests.components.slice_evaluation.both_passes import finished
from tests.components.slice_evaluation.both_passes import measure as both_passes

TRIALS = 250
#: Three standard errors of the simulation at 95 %.
ERROR = 3 * np.sqrt(0.95 * 0.05 / TRIALS)


@pytest.mark.parametrize("name", ["12 users", "50 users, weighted rows"])
def test_coverage_of_values_and_differences_is_nominal(name):
    for metric, found in measure(SETTINGS[name], BINARY, TRIALS, seed=3).items():
        assert found.undecidable == 0, metric
        for share in (found.value, found.difference):
            # ECE's are meant to be wide: its lower end knows what chance adds.
            assert share > 0.935 - ERROR, metric
            assert metric == "ece" or share < 0.965 + ERROR, metric
        # Of equal models 2.5 % at most should be surely better, or surely worse.
        assert found.blocks < 0.025 + 3 * np.sqrt(0.025 * 0.975 / TRIALS), metric


def test_with_few_users_the_quantile_is_students():
    """With a normal quantile 0.90 of the values; with that of AUCs 0.92 of the differences."""
    trials = 2000
    error = 3 * np.sqrt(0.95 * 0.05 / trials)
    for metric, found in measure(Requests(7), ("log_loss", "rmse"), trials, seed=3).items():
        for share in (found.value, found.difference):
            assert 0.94 - error < share < 0.96 + error, metric


def test_an_error_that_is_chance_alone_is_not_said_to_be_sure():
    """Of true probabilities; without what chance adds 0.07 of the intervals hold."""
    true = Requests(50, user_effect=0.0, noises=(0.0, 0.5), scales=(1.0, 1.0))
    assert true.truth(("ece",))["ece"][0] < 0.002
    found = measure(true, ("ece",), TRIALS)["ece"]
    assert found.value > 0.95
    # One that is off is seen to be off all the same.
    wrong = dataclasses.replace(true, scales=(2.5, 1.0))
    assert measure(wrong, ("ece",), 20)["ece"].below == 0
    batch = wrong.draw(np.random.default_rng(0), 20)
    lower = [
        values["ece", "candidate", "ctr"].lower
        for values in finished([batch], ("ece",), user_key="user").values()
    ]
    assert min(lower) > 0.02


def test_rows_of_one_user_are_no_independent_rows():
    """With users as clusters the log loss varies more than its rows alone say."""
    drawn = dataclasses.replace(Requests(200), user_effect=2.0)
    batch = drawn.draw(np.random.default_rng(0), 1)
    variances = []
    for users in (batch.users, None):
        _, _, measured = both_passes([dataclasses.replace(batch, users=users)], ("log_loss",))
        variances.append(measured["log_loss"].spread[0, 0].variance(0))
    assert variances[0] > 1.5 * variances[1]
