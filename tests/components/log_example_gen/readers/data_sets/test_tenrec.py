"""Tenrec's files: ten columns of clicks as one sequence."""

import pytest

from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.reader import Shard
from mtlx.components.log_example_gen.rejection import InputRefused

_PARTS = [f"hist_{place}" for place in range(1, 11)]


def _write(tmp_path, *rows, parts=_PARTS):
    header = ["user_id", "item_id", "click", "follow", "like", "share", *parts]
    lines = [",".join(header), *(",".join(map(str, row)) for row in rows)]
    (tmp_path / "ctr_data_1M.csv").write_text("\n".join(lines) + "\n")
    return str(tmp_path / "ctr_data_1M.csv")


def _read(file, columns):
    _, rows = READERS.build("tenrec", {}).read(Shard((file,)), columns)  # behind the header
    return rows


def test_clicks_are_one_sequence_without_padding(tmp_path):
    full = [*range(11, 21)]
    file = _write(
        tmp_path,
        [1, 100, 1, 0, 0, 0, *full],
        [2, 200, 0, 0, 0, 0, 31, 32, *[0] * 8],
        [3, 300, 0, 0, 1, 0, *[0] * 10],
    )
    rows = _read(file, ["history", "user_id", "like"])
    assert rows.columns.column_names == ["history", "user_id", "like"]
    assert rows.columns["history"].to_pylist() == ["|".join(map(str, full)), "31|32", ""]
    assert rows.columns["like"].to_pylist() == ["0", "0", "1"]
    assert rows.lines.tolist() == [2, 3, 4]


def test_without_the_sequence_it_is_any_csv(tmp_path):
    file = _write(tmp_path, [1, 100, 1, 0, 0, 0], parts=[])
    assert _read(file, ["item_id"]).columns["item_id"].to_pylist() == ["100"]
    with pytest.raises(InputRefused, match="no column 'hist_1'"):
        _read(file, ["history"])
