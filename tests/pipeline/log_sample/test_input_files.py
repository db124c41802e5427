"""Which files a run would read: patterns, spans, dates, versions, and what is not there."""

import types

import pytest

from mtlx.components.log_example_gen.readers.csv import Csv
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.pipeline.log_sample.input_files import input_files, is_seen_from_here, shown_path


@pytest.fixture
def found(tmp_path):
    """Names of the files of some patterns, among files that are made first."""

    def function(paths, files=(), example_gen="log", split=None, **data):
        for name in files:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        paths = [paths] if isinstance(paths, str) else paths
        settings = {"path": [str(tmp_path / path) for path in paths], **data}
        experiment = types.SimpleNamespace(
            data=DataSettings.read({**settings, "split": split or {"by": "row"}}),
            components=types.SimpleNamespace(example_gen=example_gen),
        )
        return [name.removeprefix(f"{tmp_path}/") for name in input_files(experiment, Csv())]

    return function


def test_files_are_in_order_each_once(found):
    files = ["b/1.csv", "a/2.csv", "a/1.csv", "a/.hidden.csv", "a/_SUCCESS"]
    assert found(["b/*", "a/*", "*/1.csv"], files) == ["b/1.csv", "a/1.csv", "a/2.csv"]


def test_names_that_look_like_patterns_are_taken_as_they_are(found):
    files = ["log[1]/größe 'a'.csv", "log1/b.csv"]
    assert found("log[1]/*.csv", files) == ["log[1]/größe 'a'.csv"]


DAYS = ["day-1/a.csv", "day-2/a.csv", "day-10/a.csv", "day-10/b.csv", "day-x/a.csv"]


@pytest.mark.parametrize(
    ("span", "files"),
    [
        (None, ["day-10/a.csv", "day-10/b.csv"]),  # the latest by its number, not by its letters
        (2, ["day-2/a.csv"]),
        ("1", ["day-1/a.csv"]),
    ],
)
def test_the_files_of_a_span(found, span, files):
    assert found("day-{SPAN}/*.csv", DAYS, span=span) == files


def test_a_width_of_a_span_is_kept_to(found):
    files = ["d01/a.csv", "d02/a.csv", "d003/a.csv"]
    assert found("d{SPAN:2}/*.csv", files) == ["d02/a.csv"]


def test_of_several_versions_of_a_span_the_latest(found):
    files = ["d1/v9/a.csv", "d1/v10/a.csv", "d2/v1/a.csv", "d2/v2/a.csv"]
    assert found("d{SPAN}/v{VERSION}/*.csv", files) == ["d2/v2/a.csv"]
    assert found("d{SPAN}/v{VERSION}/*.csv", span=1) == ["d1/v10/a.csv"]


def test_dates_are_spans_and_what_is_no_date_is_passed_over(found):
    files = ["2024-02-29/a.csv", "2024-12-01/a.csv", "2024-13-01/a.csv", "2023-02-29/a.csv"]
    assert found("{YYYY}-{MM}-{DD}/*.csv", files) == ["2024-12-01/a.csv"]
    assert found("{YYYY}-{MM}-{DD}/*.csv", span="2024-02-29") == ["2024-02-29/a.csv"]


def test_marks_beside_a_span_keep_their_meaning(found):
    files = ["x.1/a1.csv", "x.2/a2.csv", "x.2/b1.csv", "xy2/a3.csv", "x.2/aa.csv"]
    assert found("x.{SPAN}/a?.csv", files) == ["x.2/a2.csv", "x.2/aa.csv"]
    assert found("x.{SPAN}/[!b]?.csv") == ["x.2/a2.csv", "x.2/aa.csv"]


@pytest.mark.parametrize(
    ("paths", "span", "words"),
    [
        ("none/*.csv", None, "none/*.csv: check data.path, and --data or MTLX_DATA"),
        ("day-{SPAN}/*.csv", 7, "day-{SPAN}/*.csv with span 7: check data.path"),
        (["day-1/*.csv", "none.csv", "nor.csv"], None, "none.csv or "),
    ],
)
def test_a_pattern_without_files_is_named(found, paths, span, words):
    with pytest.raises(InputRefused) as caught:
        found(paths, DAYS, span=span)
    text = str(caught.value)
    assert text.startswith("no file matches ") and words in text
    assert "day-1/*.csv" not in text


def test_the_stock_component_reads_the_files_of_its_splits(found):
    files = ["logs/train/a.csv", "logs/valid/a.csv", "logs/test/a.csv", "logs/other/a.csv"]
    split = {"by": "file", "train": ["train/*"], "validation": ["valid/*"], "test": ["test/*"]}
    assert found("logs/*/*.csv", files, "stock", split) == files[:3]
    assert found("logs/*/*.csv", split=split) == sorted(files)


def test_all_paths_have_to_be_of_this_machine():
    def seen(*paths):
        return is_seen_from_here(DataSettings.read({"path": list(paths), "split": {"by": "row"}}))

    assert seen("/a/*.csv", "b.csv")
    assert not seen("gs://bucket/a.csv") and not seen("/a.csv", "s3://bucket/a.csv")


def test_paths_are_shown_from_here_where_they_are_below(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown_path(str(tmp_path / "a/b.csv")) == "a/b.csv"
    assert shown_path(str(tmp_path.parent / "b.csv")) == str(tmp_path.parent / "b.csv")
