"""Times of every form as one instant; expected values are those of `datetime`."""

import datetime
import zoneinfo

import numpy as np
import pyarrow as pa
import pytest

from mtlx.components.log_example_gen.values.instants import (
    column_instants,
    instant,
    show_instant,
    text_instants,
)

UTC, BERLIN = datetime.timezone.utc, zoneinfo.ZoneInfo("Europe/Berlin")


def micros(*parts, zone=UTC):
    moment = datetime.datetime(*parts, tzinfo=zone)
    return (moment - datetime.datetime(1970, 1, 1, tzinfo=UTC)) // datetime.timedelta(
        microseconds=1
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-31", micros(2024, 1, 31)),
        ("20240131", micros(2024, 1, 31)),
        ("2024-02", micros(2024, 2, 1)),
        ("2024-01-31T23", micros(2024, 1, 31, 23)),
        ("2024-01-31 23:30", micros(2024, 1, 31, 23, 30)),
        ("20240131T2330", micros(2024, 1, 31, 23, 30)),
        ("2024-01-31t23:30:05", micros(2024, 1, 31, 23, 30, 5)),
        ("2024-01-31T23:30:05,25", micros(2024, 1, 31, 23, 30, 5, 250_000)),
        # Beyond microseconds it is cut off.
        ("2024-01-31T23:30:05.1234567", micros(2024, 1, 31, 23, 30, 5, 123_456)),
        ("2024-01-31T23:30:05Z", micros(2024, 1, 31, 23, 30, 5)),
        ("2024-01-31T23:30 UTC", micros(2024, 1, 31, 23, 30)),
        ("2024-01-31T23:30:05-05:00", micros(2024, 2, 1, 4, 30, 5)),
        ("2024-01-31T23:30+0530", micros(2024, 1, 31, 18)),
        ("  2024-01-31  ", micros(2024, 1, 31)),
        ("1969-12-31T23:59:59.999999", -1),
    ],
)
def test_one_text_is_one_instant(text, expected):
    found, bad = text_instants(pa.array([text]), "UTC")
    assert (found.tolist(), bad.tolist()) == ([expected], [False])


def test_forms_may_be_mixed_and_what_is_no_time_is_marked():
    texts = ["2024-01-31", "2024-02-30", "soon", None, "", "2024-01-31T23:30:05-05:00", "20240131"]
    found, bad = text_instants(pa.array(texts), "UTC")
    assert bad.tolist() == [False, True, True, True, True, False, False]
    assert found[~bad].tolist() == [
        micros(2024, 1, 31), micros(2024, 2, 1, 4, 30, 5), micros(2024, 1, 31),
    ]  # fmt: skip


def test_the_time_zone_is_of_those_without_an_offset():
    texts = ["2024-01-31T12:00", "2024-07-31T12:00", "2024-07-31T12:00Z"]
    found, bad = text_instants(pa.array(texts), "Europe/Berlin")
    assert not bad.any()
    assert found.tolist() == [
        micros(2024, 1, 31, 12, zone=BERLIN),
        micros(2024, 7, 31, 12, zone=BERLIN),
        micros(2024, 7, 31, 12),
    ]
    assert found[1] - found[0] == micros(2024, 7, 31, 10) - micros(2024, 1, 31, 11)


def test_of_an_hour_that_is_there_twice_the_first_is_meant():
    found, _ = text_instants(pa.array(["2024-10-27T02:30"]), "Europe/Berlin")
    assert found.tolist() == [micros(2024, 10, 27, 0, 30)]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_columns_of_timestamps_in_any_unit(unit):
    column = pa.array([datetime.datetime(2024, 1, 31, 12), None]).cast(pa.timestamp(unit))
    found, bad = column_instants(column, "UTC")
    assert (found[0], bad.tolist()) == (micros(2024, 1, 31, 12), [False, True])
    local, _ = column_instants(column, "Europe/Berlin")
    assert local[0] == micros(2024, 1, 31, 12, zone=BERLIN)
    # A column that has a zone says itself what is meant.
    zoned, _ = column_instants(column.cast(pa.timestamp(unit, "Europe/Berlin")), "Asia/Tokyo")
    assert zoned[0] == micros(2024, 1, 31, 12)


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_columns_of_dates(kind):
    found, bad = column_instants(pa.array([datetime.date(2024, 1, 31), None], kind), "UTC")
    assert (found[0], bad.tolist()) == (micros(2024, 1, 31), [False, True])


def test_one_instant_of_a_setting():
    assert instant("2024", "UTC") == micros(2024, 1, 1)
    assert instant("2024-01-31T18:00:00+01:00", "Asia/Tokyo") == micros(2024, 1, 31, 17)
    with pytest.raises(ValueError, match="no such time: '2024-13-01'; expected a date"):
        instant("2024-13-01", "UTC")


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ((2024, 1, 31, 17), "2024-01-31T17:00:00Z"),
        ((2024, 1, 31, 17, 0, 10), "2024-01-31T17:00:10Z"),
        ((2024, 1, 31, 17, 0, 0, 250_000), "2024-01-31T17:00:00.25Z"),
    ],
)
def test_an_instant_is_shown_and_read_again(parts, text):
    assert show_instant(micros(*parts)) == text
    found, _ = text_instants(pa.array([text]), "Asia/Tokyo")
    assert np.array_equal(found, [micros(*parts)])
