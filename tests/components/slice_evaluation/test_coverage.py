"""The intervals hold their confidence where that is hard, through the evaluation's own code.

A reduced `benchmarks.gate_statistics`, whose table is in docs/reliability.md.
"""

from functools import cache

import numpy as np
import pytest

from benchmarks.gate_statistics import SETTINGS, UNEQUAL, measure

TRIALS = 600
#: Three standard errors of the simulation at 95 %.
ERROR = 3 * np.sqrt(0.95 * 0.05 / TRIALS)


@cache
def _measured(name):
    return measure({**SETTINGS, **UNEQUAL}[name], TRIALS, seed=4)


@pytest.mark.parametrize(
    "name",
    [
        "12 users, 67 positives",  # With a normal quantile on its own scale 0.905 and 0.923.
        "20 users, 50 positives",
        "rows, strong (0.985), 50 positives",  # Likewise 0.83.
    ],
)
def test_coverage_is_nominal_with_few_users_and_near_one(name):
    found = _measured(name)
    for share in (found.auc, found.difference, found.relaimp):
        assert share > 0.935 - ERROR
    assert found.auc < 0.965 + ERROR
    assert found.passes < 0.025 + 3 * np.sqrt(0.025 * 0.975 / TRIALS)
    assert max(found.undecidable) < 0.05


@pytest.mark.parametrize(
    "name",
    [
        # With Student's quantile and Satterthwaite's degrees of freedom 0.99 and more.
        "rows, strong (0.985), 50 positives",
        "rows, strong (0.996), 50 positives",
    ],
)
def test_differences_near_one_are_not_too_wide(name):
    found = _measured(name)
    for share in (found.difference, found.relaimp):
        assert 0.935 - ERROR < share < 0.98


@pytest.mark.parametrize(
    "name",
    [
        "rows, 0.985 over 0.95, 50 positives",  # With the paired t interval alone 0.90.
        "rows, 0.996 over 0.985, 50 positives",  # Likewise 0.84.
    ],
)
def test_differences_of_unequal_models_near_one_are_not_too_narrow(name):
    found = _measured(name)
    for share in (found.difference, found.relaimp):
        assert share > 0.935 - ERROR


def test_too_few_users_are_undecidable():
    found = measure(SETTINGS["5 users, 267 positives"], 50)
    assert found.undecidable == (1.0, 1.0) and found.passes == 0.0


def test_without_the_key_intervals_are_too_narrow():
    # What the notice is about: the simulation sees it, so the coverage above is the key's doing.
    found = measure(SETTINGS["50 users, 267 positives"], TRIALS, named=False)
    assert found.auc < 0.92
