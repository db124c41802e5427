"""Units of Unix times, against dates."""

import datetime

import numpy as np
import pytest

from mtlx.components.log_example_gen.values.unix_time import UNITS, fold, unit, units


@pytest.mark.parametrize("year", [1974, 2001, 2026, 2285])
@pytest.mark.parametrize("index", range(4))
def test_a_time_of_our_days_is_in_the_unit_that_it_is_in(year, index):
    seconds = datetime.datetime(year, 6, 1, tzinfo=datetime.timezone.utc).timestamp()
    assert unit(int(seconds) * 1000**index) == index
    assert len(UNITS) == 4


@pytest.mark.parametrize("value", [0, 1, -1, 20_000, 99_999_999, 10**10, 5 * 10**19, -(10**9)])
def test_counters_and_times_of_other_ages_have_no_unit(value):
    assert unit(value) is None


def test_each_value_has_a_unit_of_its_own():
    values = np.array([5, 1_700_000_000, 1_700_000_000_000, np.nan])
    assert units(values).tolist() == [-1, 0, 1, -1]


def test_how_far_two_units_lie_apart():
    assert fold(1, 0) == "a thousandfold above"
    assert fold(0, 2) == "a millionfold below"
    assert fold(3, 0) == "a billionfold above"
