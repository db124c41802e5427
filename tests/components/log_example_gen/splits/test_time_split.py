"""Splits by time: units, texts with offsets, timestamps, and what has no time."""

import datetime
import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.components.log_example_gen.splits.splitter import Place, assign, described, merge_times
from mtlx.components.log_example_gen.splits.time_split import TimeColumn

UTC = datetime.timezone.utc


def _split(**settings):
    settings = {"by": "time", "column": "t", "validation_share": 0, **settings}
    return DataSettings.read({"path": "x", "split": settings}).split


def _assign(values, **settings):
    table = pa.table({"t": values if isinstance(values, pa.Array) else pa.array(values)})
    return assign(_split(**settings), table, Place("f", np.arange(1, len(table) + 1)))


def _splits(values, **settings):
    return _assign(values, **settings).splits.tolist()


def test_mixed_offsets_are_compared_as_instants():
    """As text the first, which is later, would come before the boundary, and the second behind."""
    times = ["2024-01-01T23:30:00-05:00", "2024-01-02T00:10:00+02:00", "2024-01-02T00:00:00Z"]
    assert _splits(times, test_from="2024-01-02") == [2, 0, 2]
    assert _splits(times, test_from="2024-01-02T04:30:00Z") == [2, 0, 0]


def test_a_time_without_offset_is_that_of_the_time_zone():
    times = ["2024-01-01 23:30", "2024-01-01T23:30Z", "2024-01-02", "2024-07-01T23:30"]
    assert _splits(times, test_from="2024-01-02") == [0, 0, 2, 2]
    assert _splits(times, test_from="2024-01-02", time_zone="Europe/Berlin") == [0, 2, 2, 2]
    summer = {"test_from": "2024-07-01T21:30:00Z", "time_zone": "Europe/Berlin"}
    assert _splits(["2024-07-01T23:29", "2024-07-01T23:30"], **summer) == [0, 2]
    # The clocks show 02:30 twice; it is the first time.
    twice = {"test_from": "2024-10-27T00:30:00Z", "time_zone": "Europe/Berlin"}
    assert _splits(["2024-10-27T02:30", "2024-10-27T02:29"], **twice) == [2, 0]


def test_the_boundarys_instant_is_in_the_later_split():
    for values, before, at in (
        (["2024-01-01", "2024-01-02", "2024-01-03"], "2024-01-02", "2024-01-03"),
        ([10, 20, 30], 20, 30),
        ([10.0, 20.0, 30.0], 20, 30),
        (["10", "20", "30"], 20, 30),
    ):
        assert _splits(values, validation_from=before, test_from=at) == [0, 1, 2]


def test_every_iso_form_agrees_with_python():
    moments = [
        datetime.datetime(2024, 2, 29, 23, 59, 59, 999999),
        datetime.datetime(1969, 12, 31, 23, 0),
        datetime.datetime(2300, 1, 1, 0, 0, 0, 500000),
    ]
    texts, expected = [], []
    for moment in moments:
        for offset in (None, 0, 330, -300):
            zone = UTC if offset is None else datetime.timezone(datetime.timedelta(minutes=offset))
            aware = moment.replace(tzinfo=zone)
            written = aware.isoformat() if offset is not None else moment.isoformat()
            micro = (aware - datetime.datetime(1970, 1, 1, tzinfo=UTC)) // datetime.timedelta(
                microseconds=1
            )
            for text in (
                written,
                written.replace("T", " "),
                written.replace("+00:00", "Z"),
                written.replace("+00:00", " UTC"),
                written.replace("-", "", 2),
                written.replace(".", ","),
                f" {written}",
            ):
                texts.append(text)
                expected.append(micro)
    texts += ["2024-01-31T12", "20240131", "2024-01", "2024-01-31T12:30:00.123456789"]
    expected += [1706702400000000, 1706659200000000, 1704067200000000, 1706704200123456]
    boundaries = sorted(set(expected))
    for boundary in boundaries:
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=boundary)
        found = _splits(texts, test_from=f"{moment.isoformat()}Z")
        assert found == [2 if value >= boundary else 0 for value in expected]
        # A batch of its own takes the quick way, if it can.
        each = [_splits([text], test_from=f"{moment.isoformat()}Z")[0] for text in texts[::7]]
        assert each == found[::7]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_are_instants_in_every_unit(unit):
    moments = [datetime.datetime(2024, 1, 1, 23, 30), datetime.datetime(2024, 1, 2, 0, 30)]
    plain = pa.array([*moments, None]).cast(pa.timestamp(unit))
    assert _splits(plain, test_from="2024-01-02") == [0, 2, -1]
    assert _splits(plain, test_from="2024-01-02", time_zone="Europe/Berlin") == [0, 2, -1]
    zoned = pa.array(moments).cast(pa.timestamp(unit, "Europe/Berlin"))
    assert _splits(zoned, test_from="2024-01-02T00:00+01:00") == [2, 2]
    assert _splits(zoned, test_from="2024-01-02", time_zone="Asia/Tokyo") == [2, 2]
    assert _splits(zoned, test_from="2024-01-02T00:30Z") == [0, 2]


def test_dates_are_instants():
    days = [datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)]
    for kind in (pa.date32(), pa.date64()):
        assert _splits(pa.array(days, kind), test_from="2024-01-02") == [0, 2]
    coded = pa.array(["2024-01-01", "2024-01-02", None]).dictionary_encode()
    assert _splits(coded, test_from="2024-01-02") == [0, 2, -1]


@pytest.mark.parametrize(
    ("scale", "boundary", "message"),
    [
        (1000, 1704067200, "a thousandfold above.*boundary seems to be in seconds.*milliseconds"),
        (10**6, 1704067200, "a millionfold above.*boundary seems to be in seconds.*microseconds"),
        (10**9, 1704067200, "a billionfold above.*seems to be in seconds.*nanoseconds"),
        (1, 1704067200000, "a thousandfold below.*seems to be in milliseconds.*in seconds"),
    ],
)
@pytest.mark.parametrize("kind", ["int", "text", "double"])
def test_a_boundary_in_another_unit_is_refused_with_both(scale, boundary, message, kind):
    values = [1703000000 * scale, 1705000000 * scale]
    convert = {"int": int, "text": str, "double": float}[kind]
    with pytest.raises(InputRefused, match=f"f:1: column 't' of data.split holds.*{message}"):
        _splits([convert(value) for value in values], test_from=boundary)
    right = 1704067200 * scale
    assert _splits([convert(value) for value in values], test_from=right) == [0, 2]


def test_single_values_in_another_unit_are_malformed_rows():
    found = _assign([1703000000, 1705000000000, 1705000000], test_from=1704067200)
    assert found.splits.tolist() == [0, -1, 2]
    (row,) = found.rejected
    assert (row.line, row.column, row.value, row.reason) == (2, "t", "1705000000000", "not a time")
    assert "a thousandfold above data.split.test_from" in row.hint


def test_counters_that_are_no_unix_time_have_no_unit():
    assert _splits([5, 5_000_000], test_from=1000) == [0, 2]
    assert _splits([20231231, 20240101], test_from=20240101) == [0, 2]


def test_nanoseconds_are_compared_exactly():
    boundary = 1704067200000000001
    for values in ([boundary - 1, boundary], [str(boundary - 1), str(boundary), "?"]):
        assert _splits(values, test_from=boundary)[:2] == [0, 2]


@pytest.mark.parametrize(
    ("values", "boundary", "message"),
    [
        ([1, 2], "2024-01-02", r"holds numbers of type int64, and test_from is '2024-01-02'.*as n"),
        ([1.5], "2024-01-02", "holds numbers of type double.*as numbers"),
        (["1704067200", "", " "], "2024-01-02", "holds numbers .'1704067200'.*as numbers"),
        (["", None, "2024-01-01"], 1704067200, "holds times as text .'2024-01-01'"),
        (["1704067200", "1704067201"], "2024-01-02", "holds numbers .'1704067200'.*as numbers"),
        (
            ["2024-01-01"],
            1704067200,
            r"holds times as text \('2024-01-01'\), and test_from is 17.*"
            "boundaries as text",
        ),
        ([datetime.datetime(2024, 1, 1)], 1704067200, "holds values of type timestamp.*as text"),
        ([datetime.date(2024, 1, 1)], 1704067200, "holds values of type date32.*as text"),
        ([True], 5, "holds values of type bool.*no time"),
        ([["a"]], 5, "holds values of type list.*no time"),
    ],
)
def test_a_boundary_of_another_kind_than_the_column_is_refused(values, boundary, message):
    with pytest.raises(InputRefused, match=f"f:1: column 't' of data.split {message}"):
        _splits(values, test_from=boundary)


def test_rows_without_a_time_are_malformed_with_their_reason():
    texts = pa.array(["2024-01-01", None, "", "yesterday", "2024-02-30", "2024-01-01T25:00"])
    found = _assign(texts, test_from="2024-01-02")
    assert found.splits.tolist() == [0, -1, -1, -1, -1, -1]
    assert [(row.line, row.reason) for row in found.rejected] == [
        (2, "missing time"),
        (3, "missing time"),
        (4, "not a time"),
        (5, "not a time"),
        (6, "not a time"),
    ]
    numbers = _assign([1.0, None, float("nan"), float("inf")], test_from=5)
    assert numbers.splits.tolist() == [0, -1, -1, -1]
    reasons = [row.reason for row in numbers.rejected]
    assert reasons == ["missing time", "missing time", "not a time"]
    assert _splits(pa.nulls(2), test_from=5) == _splits(pa.nulls(2), test_from="2024") == [-1, -1]


def test_validation_rows_are_not_drawn_from_rows_without_a_time():
    times = ["2024-01-01", "?"] * 50
    found = _splits(times, test_from="2024-01-02", validation_share=0.5)
    assert set(found[::2]) == {0, 1} and set(found[1::2]) == {-1}


def test_rows_and_times_of_the_splits_are_described():
    split = _split(test_from="2024-01-02")
    first = _assign(["2024-01-01T00:00:00.5Z"], test_from="2024-01-02")
    second = _assign(["2024-01-01T05:00-05:00", "2024-01-03"], test_from="2024-01-02")
    times = merge_times(json.loads(json.dumps(first.times)), second.times)
    text = described(split, {"train": 2000, "validation": 0, "test": 1}, times)
    assert text == (
        "train: 2,000 from 2024-01-01T00:00:00.5Z to 2024-01-01T10:00:00Z, validation: 0, "
        "test: 1 from 2024-01-03T00:00:00Z to 2024-01-03T00:00:00Z"
    )
    nanoseconds = _split(test_from=1704067200000000000)
    assert "test: 1 from 1704067200000000001 to 1704067200000000001" in described(
        nanoseconds, {"train": 0, "validation": 0, "test": 1}, {"test": [1704067200000000001] * 2}
    )
    numbers = _assign([3, 10], test_from=10)
    assert "train: 1 from 3 to 3" in described(
        _split(test_from=10), {"train": 1, "validation": 0, "test": 1}, numbers.times
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"validation_from": 9, "test_from": 5}, "validation_from should lie before"),
        ({"validation_from": 9, "test_from": "2024"}, "both as text or both as numbers"),
        (
            {"validation_from": "2024-01-02", "test_from": "2024-01-01T23:00-05:00"},
            None,
        ),
        (
            {"validation_from": "2024-01-02", "test_from": "2024-01-02T00:30+01:00"},
            "validation_from should lie before",
        ),
        ({"validation_from": 1704067200, "test_from": 1704067200000}, "in one unit"),
        ({"test_from": "2024-02-30"}, "test_from: there is no such time: '2024-02-30'"),
        ({"test_from": "soon"}, "test_from: there is no such time: 'soon'"),
        (
            {"validation_from": "2024-13-01", "test_from": "2025"},
            "validation_from: there is no such time: '2024-13-01'",
        ),
        ({"test_from": True}, "should be a number.*Received: True"),
        ({"test_from": float("nan")}, "should be a number"),
        ({"test_from": 5, "time_zone": "Europe/Berln"}, "no time zone 'Europe/Berln'.*Berlin"),
    ],
)
def test_time_boundaries_are_checked(settings, message):
    if message is None:
        assert _split(**settings)
        return
    with pytest.raises(ValueError, match=message):
        _split(**settings)


def test_an_unquoted_yaml_date_is_a_boundary():
    assert _split(test_from=datetime.date(2026, 11, 8)).test_from == "2026-11-08"
    moment = datetime.datetime(2026, 11, 8, 12, tzinfo=UTC)
    assert _splits(["2026-11-08T11:59", "2026-11-08T12:00"], test_from=moment) == [0, 2]


def test_a_span_that_is_no_date_is_named():
    settings = {"path": "/x/{SPAN}/*", "span": "2024-02-30", "split": {"by": "row"}}
    with pytest.raises(ValueError, match="span: there is no such date: '2024-02-30'"):
        DataSettings.read(settings)


def test_splits_checks_and_readers_need_no_tensorflow():
    code = (
        "import sys\n"
        "import mtlx.components.log_example_gen.splits.splitter, mtlx.components.log_example_gen.row_checks\n"
        "from mtlx.components.log_example_gen.readers import READERS\n"
        "[READERS.get(name) for name in READERS]\n"
        "heavy = {'tensorflow', 'apache_beam', 'tfx', 'tensorflow_transform'}\n"
        "sys.exit(str(heavy & sys.modules.keys()) if heavy & sys.modules.keys() else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _column(**settings):
    return TimeColumn(_split(**settings))


def _read(values, **settings):
    """Values of the rows that have a time, and which rows have none."""
    column = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
    times = _column(**settings).read(column, "log.csv:1")
    return times.values[~times.bad].tolist(), np.flatnonzero(times.bad).tolist()


def test_boundaries_are_comparable_with_what_is_read():
    first, second = _column(test_from="2024-01-02", validation_from="2024-01-01").boundaries()
    instants, _ = _read(pa.array(["2024-01-01", "2024-01-02"]), test_from="2024-01-02")
    assert [first, second] == instants
    assert second - first == 86_400_000_000
    assert _column(test_from=30, validation_from=20).boundaries() == (20, 30)
    assert _column(test_from=2.5).boundaries() == (None, 2.5)


def test_a_time_is_shown_as_it_is_written_in_settings():
    column = _column(test_from="2024-01-02")
    shown = column.show(column.boundaries()[1])
    assert shown == "2024-01-02T00:00:00Z"
    assert _column(test_from=shown).boundaries() == column.boundaries()
    assert _column(test_from=5).show(1_700_000_000_123_456_789) == "1700000000123456789"
    assert _column(test_from=5).show(3.0) == "3" and _column(test_from=5).show(0.25) == "0.25"


def test_columns_in_several_pieces_and_with_repeated_values_are_read_alike():
    texts = ["2024-01-01", "2024-01-03", "2024-01-01"]
    expected = _read(pa.array(texts), test_from="2024-01-02")
    pieces = pa.chunked_array([texts[:1], texts[1:]], pa.string())
    assert _read(pieces, test_from="2024-01-02") == expected
    assert _read(pa.array(texts).dictionary_encode(), test_from="2024-01-02") == expected


def test_numbers_in_any_writing_and_what_is_none():
    texts = pa.array(["7", " 8 ", "+9", "", None, "x", "1e1", "nan", "inf"])
    assert _read(texts, test_from=5) == ([7, 8, 9, 10], [3, 4, 5, 7, 8])
    assert _read(pa.array([1.5, np.nan, np.inf, None]), test_from=1) == ([1.5], [1, 2, 3])


def test_whole_numbers_beyond_double_precision_stay_what_they_are():
    large = 2**53 + 1
    assert _read(pa.array([large, None]), test_from=5) == ([large], [1])
    assert _read(pa.array([str(large), "x"]), test_from=5) == ([large], [1])


def test_a_column_without_any_value_has_no_time_in_any_row():
    for boundary in ("2024-01-02", 5):
        assert _read(pa.nulls(3), test_from=boundary) == ([], [0, 1, 2])
        assert _read(pa.array(["", None, " "]), test_from=boundary) == ([], [0, 1, 2])
        assert _read(pa.array([], pa.string()), test_from=boundary) == ([], [])


@pytest.mark.parametrize(
    "values", [pa.array([[1]]), pa.array([True]), pa.array([datetime.time(1)])]
)
def test_a_type_that_is_no_time_is_refused_with_file_and_column(values):
    for boundary in ("2024-01-02", 5):
        with pytest.raises(InputRefused, match=r"log\.csv:1: column 't' of data\.split holds val"):
            _read(values, test_from=boundary)
