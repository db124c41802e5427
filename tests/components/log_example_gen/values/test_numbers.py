"""Columns as numbers: what is one, what is missing, what is neither."""

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pytest

from mtlx.components.log_example_gen.values.list_items import flat_items, is_list
from mtlx.components.log_example_gen.values.missing_markers import MissingMarkers
from mtlx.components.log_example_gen.values.number_hints import number_hint
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


def test_missing_texts_become_nulls_and_the_others_stay():
    markers = _markers("n/a")
    text = pa.array(["a", " n/a ", None, "", "N/A", "\t"])
    assert markers.among_texts(text).tolist() == [False, True, True, True, False, True]
    assert markers.without_texts(text).to_pylist() == ["a", None, None, None, "N/A", None]
    whole = pa.array(["a", None])
    assert markers.without_texts(whole) is whole


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1e39", "too large for float32"), ("-Infinity", "it is infinite"),
        ("N/A", "add it to data.options.missing"), ("---", "add it to data.options.missing"),
        ("1,234,567", "thousands separators"), ("1 234.5", "thousands separators"),
        ("1'234", "thousands separators"), ("3,5", "a decimal comma"), ("€ 5", "a currency"),
        ("5.00 EUR", "a currency"), ("12 %", "a percentage"), ("0xFF", "a hexadecimal number"),
        ("Yes", "a truth value"), ("2026-01-31T12:00", "a date"), ("31.1.2026", "a date"),
        ("hello", ""), ("", ""), ("1 2", ""),
    ],
)  # fmt: skip
def test_a_malformed_number_is_told_by_what_it_looks_like(text, hint):
    found = number_hint(f" {text} ")
    assert hint in found and bool(found) == bool(hint)


LISTS = [[1, 2], None, [], [3]]


@pytest.mark.parametrize("kind", [pa.list_(pa.int64()), pa.large_list(pa.int64())])
def test_lists_are_taken_apart_and_a_null_is_an_empty_one(kind):
    items, offsets = flat_items(pa.array(LISTS, kind))
    assert items.to_pylist() == [1, 2, 3] and offsets.tolist() == [0, 2, 2, 2, 3]


def test_a_part_of_a_column_has_its_own_items_only():
    items, offsets = flat_items(pa.array([[9], [1, 2], None, [3]]).slice(1))
    assert items.to_pylist() == [1, 2, 3] and offsets.tolist() == [0, 2, 2, 3]


def test_a_null_that_arrow_keeps_items_behind_has_none():
    """Arrow may hold items behind a null; they are no row's."""
    values = pa.ListArray.from_arrays(
        pa.array([0, 2, 4, 5], pa.int32()), pa.array([1, 2, 8, 8, 3]), mask=pa.array([False, True, False])
    )
    items, offsets = flat_items(values)
    assert items.to_pylist() == [1, 2, 3] and offsets.tolist() == [0, 2, 2, 3]


def test_lists_of_a_fixed_size():
    items, offsets = flat_items(pa.array([[1, 2], [3, 4]], pa.list_(pa.int64(), 2)))
    assert items.to_pylist() == [1, 2, 3, 4] and offsets.tolist() == [0, 2, 4]


def test_which_types_are_lists():
    assert is_list(pa.list_(pa.string())) and is_list(pa.list_(pa.int8(), 3))
    assert not is_list(pa.string()) and not is_list(pa.struct([("a", pa.int8())]))
