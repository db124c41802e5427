"""AliExpress's raw files, and those that MTReclib's code makes of them."""

import pytest

from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.data_sets.aliexpress import COLUMNS
from mtlx.components.log_example_gen.rejection import NO_TABLE_ROW, InputRefused
from mtlx.components.log_example_gen.row_checks import RowChecks
from mtlx.transform.contract.data_contract import DataContract
from tests.components.log_example_gen.readers.data_sets.sampled_logs import write_aliexpress

_WANTED = ["search_id", "categorical_1", "categorical_8", "numerical_1", "numerical_63"]


def _user(search, **changed):
    values = {place: f"u{place}" for place in range(2, 34)} | {1: search} | changed
    return ",".join(str(values[place]) for place in range(1, 34))


def _item(search, feedback):
    values = [search, *(f"i{place}" for place in range(2, 49)), feedback]
    return ",".join(map(str, values))


def _raw(folder, items, users):
    for part in ("train", "test"):
        (folder / f"nl_item_{part}.csv").write_text("".join(f"{line}\n" for line in items))
        (folder / f"nl_user_{part}.csv").write_text("".join(f"{line}\n" for line in users))


def _files(folder):
    return sorted(str(path) for path in folder.iterdir())


def _read(folder, columns):
    reader = READERS.build("aliexpress", {})
    return [list(reader.read(shard, columns)) for shard in reader.shards(_files(folder))]


def test_items_get_their_search_and_labels(tmp_path):
    _raw(tmp_path, [_item(8, 0), _item(7, 1), _item(8, 2)], [_user(7), _user(8)])
    train, test = _read(tmp_path, [*_WANTED, "click", "conversion"])
    (rows,) = train
    assert rows.columns["search_id"].to_pylist() == ["8", "7", "8"]
    assert rows.columns["categorical_1"].to_pylist() == ["u2"] * 3
    assert rows.columns["categorical_8"].to_pylist() == ["u32"] * 3
    assert rows.columns["numerical_1"].to_pylist() == ["u9"] * 3
    assert rows.columns["numerical_63"].to_pylist() == ["i48"] * 3
    assert rows.columns["click"].to_pylist() == ["0", "1", "1"]
    assert rows.columns["conversion"].to_pylist() == ["0", "0", "1"]
    # Three items and two users.
    assert rows.counted == 5 and rows.aside == {"joined": 2} and len(test) == 1


def test_columns_are_those_of_the_published_code():
    assert len(COLUMNS) == 1 + 16 + 63 + 2
    assert [COLUMNS[f"categorical_{place}"] for place in (7, 9, 10, 16)] == [
        "user_8", "user_33", "item_19", "item_42",
    ]  # fmt: skip
    assert [COLUMNS[f"numerical_{place}"] for place in (23, 24, 41)] == [
        "user_31", "item_2", "item_20",
    ]  # fmt: skip
    assert len(set(COLUMNS.values())) == 81  # all but one: two labels of one column


def test_an_item_of_a_search_that_is_not_there_is_malformed(tmp_path):
    _raw(tmp_path, [_item(7, 0), _item(9, 1)], [_user(7)])
    ((rows,), _) = _read(tmp_path, ["categorical_1", "click"])
    contract = {
        "features": {"categorical_1": {"kind": "categorical"}},
        "tasks": {"click": {"label": "click"}},
    }
    checked = RowChecks(DataContract.read(contract)).check(rows, "items")
    assert checked.kept.tolist() == [True, False]
    assert [(one.line, one.value, one.reason) for one in checked.rejected] == [
        (2, "9", NO_TABLE_ROW)
    ]


def test_a_feedback_that_is_none_is_left_for_the_checks(tmp_path):
    _raw(tmp_path, [_item(7, 3)], [_user(7)])
    ((rows,), _) = _read(tmp_path, ["click"])
    assert rows.columns["click"].to_pylist() == ["3"]


def test_a_search_that_stands_there_twice_is_refused(tmp_path):
    _raw(tmp_path, [_item(7, 0)], [_user(7), _user(7)])
    with pytest.raises(InputRefused, match=r"nl_user_train\.csv:2: key '7' stands there twice"):
        _read(tmp_path, ["categorical_1"])


def test_a_file_that_is_missing_is_named(tmp_path):
    _raw(tmp_path, [_item(7, 0)], [_user(7)])
    (tmp_path / "nl_user_test.csv").unlink()
    with pytest.raises(InputRefused, match=r"nl_user_test\.csv is missing; get AliExpress"):
        _read(tmp_path, ["click"])


def test_reads_what_the_published_code_makes(tmp_path, samples):
    write_aliexpress(tmp_path, samples)
    train, test = _read(tmp_path / "AliExpress_NL", list(COLUMNS))  # every column is there
    assert sum(len(rows.lines) for rows in train) == 100
    assert sum(len(rows.lines) for rows in test) == 20
    assert not any(rows.rejected for rows in [*train, *test])
