"""Batches through the run's own checks and splits, without Beam."""

import types

import numpy as np
import pyarrow as pa
import pytest

from mtlx.components.log_example_gen.readers.reader import Rows
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.pipeline.log_sample.row_check import RowCheck
from mtlx.transform.contract.data_contract import DataContract

CONTRACT = DataContract.read(
    {
        "features": {
            "user": {"kind": "categorical", "column": "uid"},
            "price": {"kind": "numeric"},
        },
        "tasks": {"click": {"label": "clicked"}},
    }
)


def _check(**split):
    data = DataSettings.read({"path": "x", "split": split})
    return RowCheck(types.SimpleNamespace(contract=CONTRACT, data=data))


def _rows(**columns):
    count = len(next(iter(columns.values())))
    given = {"uid": [f"u{n}" for n in range(count)], "price": ["1"] * count,
             "clicked": ["0"] * count, **columns}  # fmt: skip
    return Rows(pa.table(given), np.arange(2, count + 2))


def test_columns_are_those_of_the_log_each_once():
    assert _check(by="row").columns == ["uid", "price", "clicked"]
    # A split names a feature or a column.
    assert _check(by="hash", of="user").columns == ["uid", "price", "clicked"]
    time = {"by": "time", "column": "at", "test_from": 1_700_000_000}
    assert _check(**time).columns == ["uid", "price", "clicked", "at"]
    assert _check(**time, validation_key="user").columns == ["uid", "price", "clicked", "at"]


def test_rows_of_a_user_are_in_one_split():
    users = [f"u{n % 40}" for n in range(400)]
    checked, split = _check(by="hash", of="user").check(_rows(uid=users), "f", "f")
    assert checked.kept.all() and set(split) == {0, 1, 2}
    by_user = {}
    for user, place in zip(users, split, strict=True):
        by_user.setdefault(user, set()).add(place)
    assert all(len(places) == 1 for places in by_user.values())


def test_malformed_rows_have_no_split_and_name_their_place():
    """Those of the checks, and those of the split: here a row without a time."""
    times = ["1699999999", "", "1700000000", "1700000001"]
    rows = _rows(at=times, price=["1", "1", "viel", "1"])
    check = _check(by="time", column="at", test_from=1_700_000_000, validation_share=0.0)
    checked, split = check.check(rows, "/l/a.csv", "/l/a.csv (from byte 9 on)")
    assert checked.kept.tolist() == [True, False, False, True]
    assert split.tolist() == [0, 2]
    assert checked.examples.num_rows == 2
    assert sorted((one.line, one.column) for one in checked.rejected) == [(3, "at"), (4, "price")]


def test_a_file_decides_where_the_split_is_by_file():
    check = _check(by="file", train=["a/*"], test=["b/*"], validation_share=0.0)
    for file, expected in (("/l/a/1.csv", 0), ("/l/b/1.csv", 2)):
        assert check.check(_rows(price=["1"] * 3), file, file)[1].tolist() == [expected] * 3
    with pytest.raises(InputRefused, match="c/1.csv"):
        check.check(_rows(price=["1"]), "/l/c/1.csv", "x")


def test_places_in_the_whole_are_asked_for_once_all_is_read():
    check = _check(by="row", train=0.5, validation=0.25, test=0.25)
    checked, split = check.check(_rows(price=["1", "x", "1"]), "f", "f")
    assert split is None and checked.kept.tolist() == [True, False, True]
    assert check.split_by_position(np.arange(8), 8.0).tolist() == [0] * 4 + [1] * 2 + [2] * 2
    # An estimate that is too small puts no row behind the end.
    assert check.split_by_position(np.array([0, 7]), 3.0).tolist() == [0, 2]
    assert check.split_by_position(np.zeros(0, np.int64), 0.0).tolist() == []
