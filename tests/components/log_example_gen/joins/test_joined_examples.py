"""LogExampleGen with tables to join, as a real TFX node."""

import json
import os

import pytest

from mtlx.components.log_example_gen.component import LogExampleGen
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.transform.contract.data_contract import DataContract
from tests.components.log_example_gen.test_component import _decoded, _run

CONTRACT = DataContract.read(
    {
        "features": {
            "user": {"kind": "categorical"},
            "age": {"kind": "numeric"},
            "city": {"kind": "categorical"},
        },
        "tasks": {"click": {"label": "click"}},
    }
)


@pytest.fixture(autouse=True)
def _no_arguments_of_pytest(monkeypatch):
    monkeypatch.setattr("sys.argv", ["pytest"])


def _node(tmp_path):
    """Splits by a column of the table, and filters by another."""
    data = {
        "path": str(tmp_path / "log.csv"),
        "split": {"by": "hash", "of": "city", "train": 0.5, "validation": 0.2, "test": 0.3},
        "where": [{"column": "age", "at_least": 18}],
        "join": [{"path": str(tmp_path / "users.csv"), "key": "user", "columns": ["age", "city"]}],
    }
    return LogExampleGen(DataSettings.read(data), CONTRACT, str(tmp_path / "quarantine"))


def test_rows_of_all_splits_have_the_tables_columns(tmp_path):
    users = "".join(f"u{number},{10 + number},c{number % 20}\n" for number in range(40))
    (tmp_path / "users.csv").write_text(f"user,age,city\n{users}")
    lines = "".join(f"u{number},{number % 2}\n" for number in range(41))
    (tmp_path / "log.csv").write_text(f"user,click\n{lines}")
    (first,) = _run(tmp_path, _node(tmp_path))
    rows = _decoded(first)
    assert len(rows) == 32  # of age 18 and above
    for row in rows:
        number = int(row["user"][0][1:])
        assert row["age"] == [10.0 + number] and row["city"] == [b"c%d" % (number % 20)]
    cities = {split: {row["city"][0] for row in _decoded(first, split)} for split in _SPLITS}
    assert not cities["train"] & cities["test"] and all(cities.values())
    summary = json.loads((first / "ingestion" / "summary.json").read_text())
    assert summary["unmatched"] == {"user": 1} and summary["filtered"] == 9
    # Another table is another input, though the log is the same.
    (tmp_path / "users.csv").write_text(f"user,age,city\n{users.replace(',50,', ',51,')}zz,1,c\n")
    os.utime(tmp_path / "users.csv", (1, 1))
    assert len(_run(tmp_path, _node(tmp_path))) == 2


_SPLITS = ("train", "validation", "test")
