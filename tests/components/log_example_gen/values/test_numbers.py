"""Columns as numbers: what is one, what is missing, what is neither."""

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pytest

from mtlx.components.log_example_gen.values.missing_markers import MissingMarkers
from mtlx.components.log_example_gen.values.numbers import column_numbers
from mtlx.transform.contract.data_contract import DataContract


def _markers(*missing):
    return MissingMarkers(
        DataContract.read(
            {
                "features": {"x": {"kind": "numeric"}},
                "tasks": {"t": {"label": "y"}},
                "missing": list(missing),
            }
        )
    )


def _numbers(values, kind=None, missing=()):
    """One word per value: the number, ``missing`` or ``bad``."""
    found = column_numbers(pa.array(values, kind), _markers(*missing))
    assert not (found.missing & found.bad).any()
    assert np.isnan(found.number[found.missing | found.bad]).all()
    return [
        "missing" if missing else "bad" if bad else float(number)
        for number, missing, bad in zip(found.number, found.missing, found.bad, strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1.0), (" 1.5\t", 1.5), ("+2", 2.0), ("-.5", -0.5), ("3.", 3.0), ("1e-3", 0.001),
        ("1E5", 1e5), ("007", 7.0), ("", "missing"), ("  ", "missing"), (None, "missing"),
        ("nan", "bad"), ("inf", "bad"), ("-Infinity", "bad"), ("1,5", "bad"), ("1_000", "bad"),
        ("0x10", "bad"), ("1 2", "bad"), ("١", "bad"), ("1e39", "bad"), ("true", "bad"),
        ("--1", "bad"), ("1e", "bad"), (".", "bad"),
    ],
)  # fmt: skip
def test_a_text_is_a_decimal_number_missing_or_bad(text, expected):
    assert _numbers([text], pa.string()) == [expected]
    # Beside one that is no number the others are read in another way, and to the same end.
    assert _numbers([text, "no number", "5"], pa.string()) == [expected, "bad", 5.0]


def test_numbers_of_other_types():
    assert _numbers([1, None, -3], pa.int8()) == [1.0, "missing", -3.0]
    assert _numbers([0.5, np.nan, np.inf], pa.float64()) == [0.5, "missing", "bad"]
    assert _numbers(np.float16([0.5, np.nan]), pa.float16()) == [0.5, "missing"]
    assert _numbers([True, False, None]) == [1.0, 0.0, "missing"]
    assert _numbers([decimal.Decimal("1.25"), None]) == [1.25, "missing"]
    assert _numbers(["2", None], pa.dictionary(pa.int8(), pa.string())) == [2.0, "missing"]
    assert _numbers([b"2", b"\xff", None], pa.binary()) == [2.0, "bad", "missing"]
    assert _numbers([1e39], pa.float64()) == ["bad"]


def test_markers_hold_for_texts_and_for_the_numbers_that_they_are():
    missing = ("-1", "NULL", "?")
    assert _numbers(["-1", " NULL ", "?", "-1.0", "null", "1"], missing=missing) == [
        "missing", "missing", "missing", "missing", "bad", 1.0,
    ]  # fmt: skip
    assert _numbers([-1, 1, 0], pa.int32(), missing) == ["missing", 1.0, 0.0]
    assert _numbers([-1.0, -1.5], pa.float32(), missing) == ["missing", -1.5]


def test_a_marker_is_compared_as_examples_hold_numbers():
    """0.1 as a double is another number than 0.1 as float32."""
    assert _numbers([0.1], pa.float64(), ("0.1",)) == ["missing"]
    assert _numbers(np.float32([0.1]), pa.float32(), ("0.1",)) == ["missing"]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([datetime.date(2026, 1, 1)]),
        pa.array([datetime.datetime(2026, 1, 1)]),
        pa.array([datetime.time(1)]),
        pa.array([datetime.timedelta(1)]),
        pa.array([[1.0]]),
    ],
)
def test_times_and_lists_are_no_numbers(values):
    with pytest.raises(pa.ArrowNotImplementedError):
        column_numbers(values, _markers())
