"""Intervals hold as often as they say, on simulated users whose true metrics are known.

All settings and more trials: `python -m benchmarks.metric_intervals`, in docs/evaluation.md.
"""

import dataclasses

import numpy as np
import pytest

from benchmarks.metric_intervals import BINARY, SETTINGS, measure
from benchmarks.simulated_requests import Requests
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


def test_rows_of_one_user_are_no_independent_rows():
    """With users as clusters the log loss varies more than its rows alone say."""
    drawn = dataclasses.replace(Requests(200), user_effect=2.0)
    batch = drawn.draw(np.random.default_rng(0), 1)
    variances = []
    for users in (batch.users, None):
        _, _, measured = both_passes([dataclasses.replace(batch, users=users)], ("log_loss",))
        variances.append(measured["log_loss"].spread[0, 0].variance(0))
    assert variances[0] > 1.5 * variances[1]
