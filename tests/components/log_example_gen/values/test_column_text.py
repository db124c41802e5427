"""One value, one text, whatever type its column has."""

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pytest

from mtlx.components.log_example_gen.values.column_text import column_text, shown

UTC = datetime.timezone.utc


def _texts(values, kind=None):
    found = column_text(pa.array(values, kind))
    assert found.inexact is None and found.broken is None
    return found.text.to_pylist()


@pytest.mark.parametrize(
    "kind",
    [
        pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint64(), pa.float32(),
        pa.float64(), pa.string(), pa.binary(), pa.large_binary(),
        pa.dictionary(pa.int8(), pa.string()),
    ],
)  # fmt: skip
def test_an_id_has_one_text_in_every_type(kind):
    value = b"42" if "binary" in str(kind) else "42" if "string" in str(kind) else 42
    assert _texts([value, None], kind) == ["42", None]


def test_decimals_lose_the_zeros_of_their_fraction_and_no_others():
    texts = ["5345439.00", "100", "0.50", "-1.10", "0.00", "1E+3"]
    values = [decimal.Decimal(text) for text in texts] + [None]
    assert _texts(values, pa.decimal128(20, 2)) == [
        "5345439", "100", "0.5", "-1.1", "0", "1000", None,
    ]  # fmt: skip
    assert _texts([decimal.Decimal(1200)], pa.decimal128(6, 0)) == ["1200"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_time_has_one_text_in_every_unit_and_zone(unit):
    berlin = pa.timestamp(unit, "Europe/Berlin")
    local = datetime.datetime(2026, 1, 31, 12, 30)
    assert _texts([local, None], pa.timestamp(unit)) == ["2026-01-31 12:30:00", None]
    moment = datetime.datetime(2026, 1, 31, 11, 30, tzinfo=UTC)
    assert _texts([moment], berlin) == ["2026-01-31 11:30:00Z"]


def test_fractions_of_a_second_lose_the_zeros_at_their_end():
    times = [datetime.datetime(2026, 1, 31, 12, 30, 0, part) for part in (500_000, 120, 0)]
    assert _texts(times, pa.timestamp("us")) == [
        "2026-01-31 12:30:00.5", "2026-01-31 12:30:00.00012", "2026-01-31 12:30:00",
    ]  # fmt: skip
    assert _texts([datetime.time(1, 2, 3)], pa.time64("us")) == ["01:02:03"]


def test_dates_and_truth_values():
    assert _texts([datetime.date(2026, 1, 31)], pa.date32()) == ["2026-01-31"]
    assert _texts([True, False, None]) == ["true", "false", None]


def test_texts_of_any_script_stay_as_they_are():
    texts = ["", " a ", "Straße", "男装", "نساء", "🎉", "a\nb", "\x00"]
    assert _texts(texts) == texts
    assert _texts([text.encode() for text in texts], pa.binary()) == texts


def test_bytes_that_are_no_text_are_marked_and_spoil_no_other():
    found = column_text(pa.array([b"ok", b"\xff", None, "é".encode()], pa.binary()))
    assert found.text.to_pylist() == ["ok", None, None, "é"]
    assert found.broken.tolist() == [False, True, False, False]


def test_nan_is_no_value_and_zero_has_no_sign():
    assert _texts([np.nan, -0.0, 3.0], pa.float64()) == [None, "0", "3"]


@pytest.mark.parametrize(
    ("values", "kind", "rows", "words"),
    [
        ([1.0, 0.5, None], pa.float64(), [1], "this is a fraction"),
        ([np.inf, 1.0], pa.float64(), [0], "this is a fraction"),
        ([2.0**53, 2.0**53 + 2], pa.float64(), [1], f"up to {2**53} only"),
        ([2.0**24, -(2.0**24) - 2], pa.float32(), [1], f"up to {2**24} only"),
        ([np.float16(2048), np.float16(2050)], pa.float16(), [1], "up to 2048 only"),
    ],
)
def test_numbers_without_a_sure_text_are_told_with_a_remedy(values, kind, rows, words):
    inexact = column_text(pa.array(values, kind)).inexact
    assert np.flatnonzero(inexact.rows).tolist() == rows
    assert words in inexact.problem and "write the column as" in inexact.problem


def test_a_fraction_is_told_before_a_number_that_is_too_large():
    inexact = column_text(pa.array([2.0**60, 0.5])).inexact
    assert inexact.rows.tolist() == [False, True]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([datetime.timedelta(1)], pa.duration("s")),
        pa.array([[1]], pa.list_(pa.int64())),
        pa.array([{"a": 1}]),
    ],
)
def test_types_without_texts_raise(values):
    with pytest.raises((pa.ArrowNotImplementedError, pa.ArrowInvalid)):
        column_text(values)


def test_no_rows_have_no_texts():
    for kind in (pa.int64(), pa.float64(), pa.binary(), pa.decimal128(5, 2), pa.timestamp("us")):
        assert _texts([], kind) == []


def test_any_value_can_be_shown():
    assert shown(pa.array([b"\xff"], pa.binary()), 0) == repr(b"\xff")
    assert shown(pa.array([None, 1.5]), 0) == "None" and shown(pa.array([None, 1.5]), 1) == "1.5"
    # A year that Python has no date for.
    far = pa.array([2**55], pa.timestamp("s"))
    assert "timestamp" in shown(far, 0)
