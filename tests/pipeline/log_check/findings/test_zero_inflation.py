"""Numbers that one value rules, and nothing else, are found."""

import types

import numpy as np
import pyarrow as pa
import pytest

from mtlx.pipeline.log_check.findings.zero_inflation import find_zero_inflation
from mtlx.transform.contract.data_contract import DataContract


def rows(values, **settings):
    contract = DataContract.read(
        {
            "features": {
                "amount": {"kind": "numeric", **settings},
                "item": {"kind": "categorical"},
            },
            "tasks": {"click": {"label": "click"}},
        }
    )
    features = {"amount": pa.array(values, pa.float64()), "item": pa.array(["a"] * len(values))}
    return types.SimpleNamespace(contract=contract, features=features)


OTHERS = np.arange(1.0, 101.0)


def test_a_value_most_rows_have_is_found_with_its_share_and_buckets():
    (found,) = find_zero_inflation(rows(np.concatenate([np.zeros(300), OTHERS])))
    assert (found.feature, found.value, found.share) == ("amount", 0.0, 0.75)
    assert (found.others, found.buckets) == (100, 100)
    (few,) = find_zero_inflation(rows(np.concatenate([np.full(300, -7.0), OTHERS[:40]])))
    assert (few.value, few.others, few.buckets) == (-7.0, 40, 41)


def test_rows_without_a_number_do_not_count():
    values = [*np.zeros(300), *OTHERS, *[None] * 500, *[float("nan")] * 500, float("inf")]
    (found,) = find_zero_inflation(rows(values))
    assert (found.share, found.others) == (0.75, 100)


@pytest.mark.parametrize(
    "values",
    [
        OTHERS,  # no value twice
        np.concatenate([np.zeros(300), OTHERS[:31]]),  # codes, or counts
        np.concatenate([np.zeros(30), OTHERS]),  # less than a quarter
        np.concatenate([np.zeros(300), np.ones(31), OTHERS]),  # the next value is as common
        np.repeat(np.arange(60.0), np.geomspace(3000, 1, 60).astype(int)),  # step by step
        [None] * 50,
    ],
)
def test_other_numbers_are_left_alone(values):
    assert find_zero_inflation(rows(values)) == []


def test_one_that_is_cut_by_its_distinct_values_is_done():
    values = np.concatenate([np.zeros(300), OTHERS])
    settings = {"transform": "quantile_buckets", "buckets": 10}
    assert find_zero_inflation(rows(values, **settings))
    assert not find_zero_inflation(rows(values, **settings, buckets_of="distinct"))
