"""Tables joined to rows: which row gets what, what is counted, and what is refused."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mtlx.components.log_example_gen.joins.join_settings import JoinSettings
from mtlx.components.log_example_gen.joins.joins import Joins, joined_files
from mtlx.components.log_example_gen.readers.reader import Rows
from mtlx.components.log_example_gen.rejection import NO_TABLE_ROW, InputRefused
from mtlx.components.log_example_gen.row_checks import RowChecks
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.data_contract import DataContract

USERS = "user_id,age,city\n5,31,Oslo\n7,,Bergen\n"


def _csv(tmp_path, text=USERS, name="users.csv"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


def _join(path, **settings):
    given = {"path": path, "key": "user_id", "columns": ["age", "city"], **settings}
    return JoinSettings.read(given)


def _rows(keys, **columns):
    table = pa.table({"user_id": keys, **columns})
    return Rows(table, np.arange(2, 2 + table.num_rows))


def test_rows_get_the_columns_of_their_key(tmp_path):
    joins = Joins([_join(_csv(tmp_path))], ["click", "city", "age"])
    assert joins.columns == ["click", "user_id"]
    rows = joins(_rows(["7", "5", "6", None], click=["1", "0", "0", "1"]), "log.csv")
    assert rows.columns["city"].to_pylist() == ["Bergen", "Oslo", None, None]
    assert rows.columns["age"].to_pylist() == ["", "31", None, None]
    assert rows.columns["click"].to_pylist() == ["1", "0", "0", "1"]
    assert dict(joins.unmatched) == {"user_id": 2} and not rows.unjoined


def test_what_is_not_wanted_is_not_read(tmp_path):
    joins = Joins([_join(_csv(tmp_path))], ["click"])
    assert joins.columns == ["click"]
    joins(_rows(["9"], click=["1"]), "log.csv")
    assert not joins.unmatched


@pytest.mark.parametrize(
    "keys",
    [
        pa.array([5, 7, None]),
        pa.array([5.0, 7.0, None]),
        pa.array(["5", " 7", ""]),
        pa.array(["5", "7", "07"]),
        pa.array(["5", "7", "999999999999999999999"]),
    ],
    ids=["integers", "doubles", "blanks", "zeros", "huge"],
)
def test_keys_are_the_same_as_categories_are(tmp_path, keys):
    rows = Joins([_join(_csv(tmp_path))], ["city"])(_rows(keys), "log.parquet")
    assert rows.columns["city"].to_pylist() == ["Oslo", "Bergen", None]


def test_keys_that_are_no_integers(tmp_path):
    path = _csv(tmp_path, "user_id,age,city\na5,1,Oslo\n7,2,Bergen\n")
    rows = Joins([_join(path)], ["city"])(_rows(["7", "a5", "07"]), "log.csv")
    assert rows.columns["city"].to_pylist() == ["Bergen", "Oslo", None]


def test_types_of_parquet_stay(tmp_path):
    table = pa.table({"id": [5, 7], "price": [1.5, None], "tags": [["a"], ["b", "c"]]})
    pq.write_table(table, tmp_path / "items.parquet")
    join = _join(
        str(tmp_path / "items.parquet"),
        key="user_id",
        table_key="id",
        columns=["price", "tags"],
        reader="parquet",
    )
    rows = Joins([join], ["price", "tags"])(_rows(["7", "6", "5"]), "log.csv")
    assert rows.columns["price"].to_pylist() == [None, None, 1.5]
    assert rows.columns["tags"].to_pylist() == [["b", "c"], None, ["a"]]
    assert rows.columns["price"].type == pa.float64()


def test_a_key_may_come_from_an_earlier_join(tmp_path):
    videos = _csv(tmp_path, "video,author\nv1,a1\nv2,a2\n", "videos.csv")
    authors = _csv(tmp_path, "author,fans\na1,10\n", "authors.csv")
    joins = Joins(
        [
            JoinSettings.read({"path": videos, "key": "video", "columns": ["author"]}),
            JoinSettings.read({"path": authors, "key": "author", "columns": ["fans"]}),
        ],
        ["fans"],
    )
    assert joins.columns == ["video"]
    rows = joins(Rows(pa.table({"video": ["v2", "v1"]}), np.arange(2)), "log.csv")
    assert rows.columns["fans"].to_pylist() == [None, "10"]
    assert dict(joins.unmatched) == {"author": 1}


def test_a_table_of_several_files_is_one(tmp_path):
    _csv(tmp_path, "user_id,age,city\n5,1,Oslo\n", "part1.csv")
    _csv(tmp_path, "user_id,age,city\n7,2,Bergen\n", "part2.csv")
    join = _join(str(tmp_path / "part*.csv"))
    rows = Joins([join], ["city"])(_rows(["7", "5"]), "log.csv")
    assert rows.columns["city"].to_pylist() == ["Bergen", "Oslo"]
    assert [Path(file).name for file in joined_files([join])] == ["part1.csv", "part2.csv"]


def test_a_table_that_has_changed_is_read_anew(tmp_path):
    path = _csv(tmp_path)
    joins = Joins([_join(path)], ["city"])
    assert joins(_rows(["5"]), "log").columns["city"].to_pylist() == ["Oslo"]
    _csv(tmp_path, USERS.replace("Oslo", "Tromso"))
    os.utime(path, (1, 1))
    assert joins(_rows(["5"]), "log").columns["city"].to_pylist() == ["Tromso"]


def test_a_key_that_stands_there_twice_is_refused_with_both_lines(tmp_path):
    path = _csv(tmp_path, USERS + "8,1,Oslo\n5,2,Paris\n")
    with pytest.raises(InputRefused, match=r"users\.csv:5: key '5' .*twice, first in .*csv:2"):
        Joins([_join(path)], ["age"])(_rows(["5"]), "log.csv")


def test_rows_of_a_table_without_a_key_are_of_nobody(tmp_path):
    path = _csv(tmp_path, USERS + ",1,Oslo\n,2,Paris\n")
    rows = Joins([_join(path)], ["city"])(_rows(["", None, "7"]), "log.csv")
    assert rows.columns["city"].to_pylist() == [None, None, "Bergen"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user_id,age\n5,1\n", "no column 'city'"),
        ("user_id,age,city\n5,1\n", "users.csv:2.*must be whole"),
        ("", "is empty"),
    ],
)
def test_a_table_that_is_not_whole_is_refused(tmp_path, text, message):
    with pytest.raises(InputRefused, match=message):
        Joins([_join(_csv(tmp_path, text))], ["city"])(_rows(["5"]), "log.csv")


def test_a_table_that_is_not_there_is_refused_with_its_path(tmp_path):
    with pytest.raises(InputRefused, match=r"by 'user_id': no file matches .*lost\.csv"):
        Joins([_join(str(tmp_path / "lost.csv"))], ["city"])(_rows(["5"]), "log.csv")


def test_a_missing_key_refuses_the_input_where_it_must_not_be(tmp_path):
    joins = Joins([_join(_csv(tmp_path), missing_key="refuse")], ["city"])
    with pytest.raises(InputRefused, match=r"log\.csv:3: column 'user_id'.*'6' \(1 such"):
        joins(_rows(["5", "6"]), "log.csv")


def test_a_missing_key_costs_its_row_where_it_is_asked_for(tmp_path):
    contract = DataContract.read(
        {
            "features": {"user_id": {"kind": "categorical"}, "city": {"kind": "categorical"}},
            "tasks": {"click": {"label": "click"}},
        }
    )
    checks = RowChecks(contract)
    for policy, kept in (("quarantine", [True, False, True]), ("keep", [True, True, True])):
        joins = Joins([_join(_csv(tmp_path), missing_key=policy)], checks.columns())
        rows = joins(_rows(["5", "6", "7"], click=["1", "0", "1"]), "log.csv")
        checked = checks.check(rows, "log.csv")
        assert checked.kept.tolist() == kept
        assert dict(joins.unmatched) == {"user_id": 1}
        reasons = [(one.line, one.column, one.value, one.reason) for one in checked.rejected]
        assert reasons == ([] if policy == "keep" else [(3, "user_id", "6", NO_TABLE_ROW)])
        cities = [value[0] if value else None for value in checked.examples["city"].to_pylist()]
        expected = [b"Oslo", b"Bergen"] if policy == "quarantine" else [b"Oslo", None, b"Bergen"]
        assert cities == expected


SPLIT = {"by": "row", "train": 0.8, "validation": 0.1, "test": 0.1}


@pytest.mark.parametrize(
    ("joins", "message"),
    [
        ([{"path": "u.csv", "key": "u", "columns": []}], "columns"),
        ([{"path": "u.csv", "key": "u", "columns": ["u"]}], "the key, which rows have already"),
        ([{"path": "u.csv", "key": "u", "columns": ["a", "a"]}], "'a' twice"),
        (
            [
                {"path": "u.csv", "key": "u", "columns": ["a"]},
                {"path": "v.csv", "key": "v", "columns": ["a"]},
            ],
            "'a' comes from two tables",
        ),
        (
            [
                {"path": "u.csv", "key": "u", "columns": ["a"]},
                {"path": "v.csv", "key": "v", "columns": ["u"]},
            ],
            "the key 'u' comes from a later join",
        ),
    ],
)
def test_settings_that_can_mean_nothing(joins, message):
    with pytest.raises(SettingsError, match=message):
        DataSettings.read({"path": "log.csv", "split": SPLIT, "join": joins})


def test_without_joins_nothing_of_an_earlier_version_is_made_anew():
    assert "join" not in DataSettings.read({"path": "log.csv", "split": SPLIT}).model_dump()
