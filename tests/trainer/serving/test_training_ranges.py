"""Ranges read off a function that clips, against the ranges that it was made with."""

import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.serving.training_ranges import training_ranges
from mtlx.transform.contract.data_contract import DataContract

RANGES = {"zscore": (-3.5, 1e6), "log": (1e-3, 2e-3), "none": (-7e30, -1.0), "min_max": (0, 1)}
CONTRACT = DataContract.read(
    {
        "features": {
            **{name: {"kind": "numeric", "transform": name} for name in RANGES},
            "free": {"kind": "numeric", "clip": "none"},
            "constant": {"kind": "numeric"},
            "buckets": {"kind": "numeric", "transform": "quantile_buckets"},
            "forms": {"kind": "numeric", "transform": ["quantile_buckets", "min_max", "log"]},
            "item": {"kind": "categorical"},
        },
        "tasks": {"ctr": {"label": "click"}},
    }
)


def _transform(raw):
    """As the transform graph computes, whatever float32 rounds away."""
    return {field: y for name, x in raw.items() for field, y in _of_feature(name, x).items()}


def _of_feature(name, x):
    if name in RANGES:
        x = tf.clip_by_value(x, *RANGES[name])
        x = (x - 3e5) / 7e4 if name == "zscore" else tf.math.log1p(x) if name == "log" else x
    if name == "forms":
        buckets = tf.cast(x > 5.0, tf.int64)
        x = tf.clip_by_value(x, -2.0, 9.0)
        return {"forms.quantile_buckets": buckets, "forms.min_max": x / 11, "forms.log": x}
    return {name: x * 0.0 if name == "constant" else x}


def test_the_ranges_are_found_within_rounding():
    calls = []

    def raw(numbers):
        calls.append(numbers)
        return {name: tf.constant(x) for name, x in numbers.items()}

    found = training_ranges(CONTRACT, _transform, raw)
    ranges = {**RANGES, "forms": (-2.0, 9.0)}
    assert set(found) == set(ranges)
    for name, (least, largest) in ranges.items():
        assert found[name][0] <= least and found[name][1] >= largest
        scale = max(abs(least), abs(largest))
        assert found[name] == pytest.approx((least, largest), abs=3e-6 * scale, rel=0)
    # A call of the graph takes as long as a training of many steps.
    assert len(calls) <= 4 and all("item" not in numbers for numbers in calls)


def test_without_a_number_the_graph_is_not_called():
    contract = CONTRACT.model_copy(update={"features": {"item": CONTRACT.features["item"]}})
    assert training_ranges(contract, lambda raw: pytest.fail("called"), lambda x: x) == {}


def test_every_float_has_its_place():
    from mtlx.trainer.serving.training_ranges import _number, _order

    numbers = np.array([-3.4e38, -1.0, -1e-40, 0.0, 1e-40, 2.5, 3.4e38], "float32")
    places = [_order(number) for number in numbers]
    assert places == sorted(places)
    np.testing.assert_array_equal(_number(np.array(places)), numbers)
