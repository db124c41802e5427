"""Times in any of the forms that logs have them in, and what is none."""

import datetime

import numpy as np
import pyarrow as pa
import pytest

from mtlx.pipeline.log_check.time_ranges import TimeRanges, may_be_time, unix_seconds

MOMENT = datetime.datetime(2024, 2, 29, 12, 30, 15, tzinfo=datetime.timezone.utc)
SECONDS = MOMENT.timestamp()


@pytest.mark.parametrize(
    "name", ["time", "timestamp", "event_time", "TS", "created_at", "date", "date_of_click"]
)
def test_names_of_times(name):
    assert may_be_time(name)


@pytest.mark.parametrize("name", ["timely", "category", "update", "rate", "status", "lifetime"])
def test_names_that_only_hold_such_a_word(name):
    assert not may_be_time(name)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([int(SECONDS)]),
        pa.array([SECONDS * 1e3]),
        pa.array([int(SECONDS) * 10**6]),
        pa.array([int(SECONDS) * 10**9]),
        pa.array([str(int(SECONDS) * 1000)]),
        pa.array(["2024-02-29T12:30:15Z"]),
        pa.array(["2024-02-29 14:30:15+02:00"]),
        pa.array(["2024-02-29 12:30:15"]),
        pa.array([MOMENT.replace(tzinfo=None)], pa.timestamp("us")),
        pa.array([MOMENT], pa.timestamp("ns", "Europe/Berlin")),
    ],
    ids=str,
)
def test_one_moment_in_every_form(column):
    assert unix_seconds(pa.chunked_array([column])).tolist() == pytest.approx([SECONDS])


def test_a_date_begins_at_midnight():
    midnight = SECONDS - (12 * 3600 + 30 * 60 + 15)
    for column in (pa.array([MOMENT.date()]), pa.array(["2024-02-29"])):
        assert unix_seconds(pa.chunked_array([column])).tolist() == [midnight]


@pytest.mark.parametrize("column", [["u1", "u2"], ["", None], [3.5, 17.0], [0, 1], [-5, 2**62]])
def test_what_is_no_time(column):
    found = unix_seconds(pa.chunked_array([pa.array(column)]))
    assert len(found) == len(column) and np.isnan(found).all()


def test_ends_by_split_over_several_batches():
    ranges = TimeRanges(["day"])
    start = 1_700_000_000
    ranges.add(pa.table({"day": [start + 9, start + 5]}))
    ranges.add(pa.table({"day": pa.array([], pa.int64())}))
    ranges.add(pa.table({"day": [start + 7, start + 1, start + 30]}))
    found = ranges.found(np.array([0, 0, 1, 0, 1]))
    assert found == {
        "day": {"train": (start + 1, start + 9), "validation": (start + 7, start + 30)}
    }


def test_a_column_that_turns_out_to_hold_no_times_is_dropped():
    """Whether in the first batch or in a later one; a few gaps are none."""
    ranges = TimeRanges(["time", "at", "time", "third"])
    assert ranges.columns == ["time", "at"]
    start = 1_700_000_000
    gaps = pa.array([start + n if n else None for n in range(20)])
    ranges.add(pa.table({"time": gaps, "at": ["home"] * 20}))
    assert set(ranges.found(np.zeros(20))) == {"time"}
    assert ranges.found(np.zeros(20))["time"]["train"] == (start + 1, start + 19)
    ranges.add(pa.table({"time": pa.array([None] * 20, pa.int64()), "at": ["x"] * 20}))
    assert ranges.found(np.zeros(40)) == {}


def test_no_rows_have_no_times():
    assert TimeRanges(["time"]).found(np.zeros(0)) == {}
