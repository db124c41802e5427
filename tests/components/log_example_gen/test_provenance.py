"""Which rows went into the examples, as the gate reads it later."""

import json
import os

import pytest

from mtlx.components.log_example_gen.provenance import provenance, source
from mtlx.components.log_example_gen.rejection import Rejection
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.components.log_example_gen.shard_summary import ShardSummary

HASH = {"by": "hash", "of": "user"}


def _told(path, split=HASH, span=None, sources=(), times=None):
    data = DataSettings.read({"path": path, "split": split})
    found = provenance(data, span, list(sources), times or {})
    # It is written as JSON.
    assert json.loads(json.dumps(found)) == found
    return found


def test_a_file_is_known_by_size_and_time(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"user\na\n")
    os.utime(path, ns=(1, 1_700_000_000_000_000_000))
    assert source(str(path), {"train": 1}) == {
        "file": str(path), "size": 7, "modified": 1_700_000_000_000_000_000, "rows": {"train": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "span", "is_date"),
    [
        ("logs/*.csv", None, False),
        ("logs/span={SPAN}/*.csv", 7, False),
        ("logs/{YYYY}-{MM}-{DD}/*.csv", 7, True),
    ],
)
def test_a_span_is_told_only_where_the_paths_have_one(path, span, is_date):
    """The driver resolves span 0 where there is none."""
    found = _told(path, span=7)
    assert (found["span"], found["span_is_date"]) == (span, is_date)


def test_a_span_may_stand_in_the_patterns_of_a_split_by_file():
    split = {"by": "file", "train": ["day={SPAN}/a"], "test": ["b"]}
    assert _told("logs/", split, span=3)["span"] == 3


def test_times_are_text_with_their_zone_where_boundaries_are():
    split = {"by": "time", "column": "at", "test_from": "2026-01-02", "time_zone": "Europe/Berlin"}
    # 2026-01-01T00:00Z, in microseconds.
    found = _told("x", split, times={"train": [1_767_225_600_000_000, 1_767_225_600_500_000]})
    assert found["times"] == {"train": ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z"]}
    assert found["time_column"] == "at" and found["split"]["time_zone"] == "Europe/Berlin"


def test_times_that_are_numbers_stay_numbers():
    split = {"by": "time", "column": "at", "test_from": 20}
    assert _told("x", split, times={"test": [20, 31]})["times"] == {"test": [20, 31]}
    assert _told("x")["time_column"] is None


def test_every_line_of_a_shard_is_accounted_for():
    """Lines read are rows, malformed, or known to be none."""
    summary = ShardSummary()
    assert summary.unaccounted() == 0
    summary.lines.update({"read": 10, "header": 1, "blank": 2})
    summary.rows.update({"train": 4, "test": 1})
    summary.malformed["not a number"] = 2
    assert summary.unaccounted() == 0
    summary.lines["read"] += 1
    assert summary.unaccounted() == 1


def test_a_rejected_row_is_told_in_one_line_with_place_reason_and_hint():
    row = Rejection("a.csv", 7, "price", "1,5", "not a number", "a decimal comma")
    assert str(row) == "a.csv:7: price: not a number: '1,5' (a decimal comma)"
    whole = Rejection("a.csv", 8, None, "two\nlines" + "x" * 1000, "wrong number of values")
    assert str(whole).startswith("a.csv:8: row: wrong number of values: 'two\\nlines")
    assert "\n" not in str(whole) and len(str(whole)) < 300
