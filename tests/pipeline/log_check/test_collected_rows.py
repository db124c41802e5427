"""What is read into memory: types, gaps, labels, splits, and what could not be read."""

import textwrap

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from mtlx.components.log_example_gen.readers import READERS
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.log_check.collected_rows import collect
from mtlx.pipeline.log_sample.log_sample import LogSample
from mtlx.pipeline.log_sample.text_blocks import text_form

EXPERIMENT = """\
name: small
data: {reader: READER, path: x, split: {by: row, train: 0.5, validation: 0.25, test: 0.25}}
features:
  item: {kind: categorical}
  price: {kind: numeric, column: cost}
  seen: {kind: sequence, of: item}
tasks:
  click: {label: clicked}
  buy: {label: bought, after: click, population: click}
model: {network: mmoe}
"""
HEADER = "item,cost,seen,clicked,bought,time\n"


@pytest.fixture
def read(tmp_path):
    """Collects files of the given texts, or tables."""

    def function(*contents, overrides=(), times=()):
        reader_name = "csv" if isinstance(contents[0], str) else "parquet"
        path = tmp_path / "x.yaml"
        path.write_text(EXPERIMENT.replace("READER", reader_name), encoding="utf-8")
        experiment = read_experiment(path, overrides)
        files = []
        for number, content in enumerate(contents):
            files.append(str(tmp_path / f"größe {number}.{reader_name}"))
            if reader_name == "csv":
                text = HEADER + textwrap.dedent(content)
                (tmp_path / files[-1]).write_text(text, encoding="utf-8")
            else:
                pa.parquet.write_table(content, files[-1])
        data = experiment.data
        reader = READERS.build(data.reader, data.options)
        sample = LogSample(reader, files, text_form(reader, data.options), None)
        return collect(experiment, sample, times)

    return function


def test_values_gaps_and_labels_stand_as_in_the_log(read):
    rows = read("a,1.5,a|b,1,0,\nÄpfel,,,0,0,\n,-2,b,1,1,\n")
    assert rows.rows == 3
    assert rows.features["item"].to_pylist() == ["a", "Äpfel", None]
    assert rows.features["price"].to_pylist() == [1.5, None, -2.0]
    assert rows.features["seen"].to_pylist() == [[b"a", b"b"], [], [b"b"]]
    assert rows.label("click").tolist() == [True, False, True]
    assert rows.label("buy").tolist() == [False, False, True]
    # A task without a population counts everywhere.
    assert rows.population("click").tolist() == [True] * 3
    assert rows.population("buy").tolist() == [True, False, True]
    assert (rows.malformed, rows.refused) == ({}, [])


def test_rows_are_split_by_their_place_in_all_files_together(read):
    rows = read("a,1,,0,0,\n" * 3, "b,1,,0,0,\n" * 5)
    assert rows.features["item"].to_pylist() == ["a"] * 3 + ["b"] * 5
    names = ("train", "validation", "test")
    assert [rows.in_split(name).tolist().count(True) for name in names] == [4, 2, 2]
    assert rows.in_split("test").tolist() == [False] * 6 + [True] * 2


def test_malformed_rows_are_counted_with_the_first_of_each_kind(read):
    rows = read("a,1,,0,0,\na,viel,,0,0,\na,1\na,zu viel,,1,0,\nb,2,,0,0,\n")
    assert rows.features["item"].to_pylist() == ["a", "b"]
    assert rows.malformed["not a number"] == 2 and rows.malformed.total() == 3
    first = rows.examples["not a number"]
    assert (first.line, first.column, first.value) == (3, "cost", "viel")
    assert len(rows.split) == len(rows.label("click")) == 2


def test_a_label_that_is_none_refuses_its_file_and_no_other(read):
    bad = "a,1,,2,0,\n"
    rows = read(bad, "b,1,,1,0,\n", bad, bad, bad)
    assert rows.features["item"].to_pylist() == ["b"]
    assert len(rows.refused) == 3  # of four: the rest is of the same kind
    assert "größe 0.csv:2: column 'clicked': a label should be 0 or 1" in rows.refused[0]


def test_files_without_rows(read):
    rows = read("")
    assert rows.rows == 0 and rows.refused == []
    assert rows.population("click").shape == rows.in_split("train").shape == (0,)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "20", "-3"], "integer"),
        (["1", "2.5", "1e3"], "number"),
        (["1", "2", "x"], "text"),
        (["", "", ""], "empty"),
        (["", "7", ""], "integer"),
        (["2024-01-01", "", ""], "text"),
    ],
)
def test_the_type_of_text_is_what_all_of_its_values_look_like(read, values, kind):
    rows = read("".join(f"{value},1,,0,0,\n" for value in values))
    assert rows.types["item"] == kind
    assert rows.types["price"] == "integer"


def test_the_types_of_a_typed_format_are_its_own(read):
    table = pa.table(
        {
            "item": pa.array([1, 2], pa.int32()),
            "cost": pa.array([0.5, None]),
            "seen": pa.array([["1", "2"], None], pa.list_(pa.string())),
            "clicked": [1, 0],
            "bought": [1, 0],
        }
    )
    rows = read(table)
    assert rows.types["item"] == "int32" and rows.types["price"] == "double"
    assert rows.types["seen"].startswith("list<")
    assert rows.features["item"].to_pylist() == ["1", "2"]
    assert rows.features["seen"].to_pylist() == [[b"1", b"2"], []]


def test_times_are_those_of_the_rows_that_passed(read):
    start = 1_700_000_000
    text = "".join(f"a,{'x' if number == 7 else 1},,0,0,{start + number}\n" for number in range(8))
    rows = read(text, times=["time"])
    ranges = rows.times.found(rows.split)["time"]
    assert ranges["train"][0] == start
    assert ranges["test"][1] == start + 6
    assert np.count_nonzero(rows.in_split("train")) == 4
