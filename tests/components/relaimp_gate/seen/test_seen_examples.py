"""What a run's examples tell of the rows in them."""

import json

import pytest
from tfx.types import standard_artifacts

from mtlx.components.relaimp_gate.seen.seen_examples import SeenExamples, SeenFile


@pytest.fixture
def load(tmp_path):
    """Loads examples with a summary of the ingestion, or without one."""

    def function(summary=None, span=None):
        artifact = standard_artifacts.Examples()
        artifact.uri = str(tmp_path)
        if span is not None:
            artifact.set_int_custom_property("span", span)
        if summary is not None:
            (tmp_path / "ingestion").mkdir()
            (tmp_path / "ingestion" / "summary.json").write_text(json.dumps(summary))
        return SeenExamples.load(artifact)

    return function


def _summary(sources=(), span=None, is_date=False, times=None):
    return {
        "rows": {"train": 8, "test": 2},
        "provenance": {
            "span": span, "span_is_date": is_date, "split": {"by": "hash"}, "time_column": None,
            "times": times or {}, "sources": list(sources),
        },
    }  # fmt: skip


def _source(file, **rows):
    return {"file": file, "size": 10, "modified": 7, "rows": rows}


def test_parts_of_one_file_are_one_file_with_the_rows_of_all(load):
    seen = load(
        _summary([_source("a", train=3, test=1), _source("b", train=1), _source("a", train=4, validation=2)])
    )  # fmt: skip
    assert seen.files == {
        "a": SeenFile((10, 7), {"train": 7, "test": 1, "validation": 2}),
        "b": SeenFile((10, 7), {"train": 1}),
    }
    # A model is selected on the validation rows.
    assert seen.files["a"].trained == 9 and seen.files["b"].trained == 1
    assert seen.words == "2 files" and seen.rows == {"train": 8, "test": 2}


def test_a_span_is_told_as_a_number_or_as_a_day(load):
    assert load(_summary([_source("a")], span=7)).words == "span 7, 1 file"


def test_a_day_counts_from_1970(load):
    seen = load(_summary(span=20_000, is_date=True))
    assert (seen.span, seen.words) == (20_000, "the span of 2024-10-04")


def test_times_come_as_pairs(load):
    seen = load(_summary(times={"test": ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]}))
    assert seen.times == {"test": ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")}


@pytest.mark.parametrize(("span", "words"), [(None, "not known"), (0, "not known"), (5, "span 5")])
def test_of_a_stock_example_gen_the_span_is_all(load, span, words):
    """It writes span 0 where the paths have none."""
    seen = load(span=span)
    assert (seen.words, seen.files, seen.rows) == (words, {}, {})


def test_an_ingestion_of_an_older_version_has_rows_and_no_files(load):
    seen = load({"rows": {"train": 4}}, span=3)
    assert (seen.rows, seen.files, seen.span) == ({"train": 4}, {}, 3)


@pytest.fixture
def span_artifact(tmp_path):
    """Examples of a span, with rows of one file."""

    def function(span, date=False, **rows):
        artifact = standard_artifacts.Examples()
        artifact.uri = str(tmp_path / str(span))
        artifact.set_int_custom_property("span", span)
        summary = _summary([_source(f"{span}.csv", **rows)], span, date)
        summary["rows"] = rows
        summary["provenance"]["split"] = {"by": "span"}
        folder = tmp_path / str(span) / "ingestion"
        folder.mkdir(parents=True)
        (folder / "summary.json").write_text(json.dumps(summary))
        return artifact

    return function


def test_a_window_is_one_with_the_rows_that_test_as_a_whole(span_artifact):
    days = [span_artifact(day, train=9, validation=1) for day in (10, 9, 11)]
    seen = SeenExamples.load_all(days[:2], days[2:])
    assert seen.rows == {"train": 18, "validation": 2, "test": 10}
    assert seen.files["11.csv"].rows == {"test": 10} and seen.files["9.csv"].trained == 10
    assert seen.words == "trained on spans 9 to 10, tested on span 11, 3 files"
    assert (seen.span, seen.trained_spans, seen.tested_spans) == (11, {9, 10}, {11})
    assert seen.uri == SeenExamples.load_all(days[1::-1], days[2:]).uri


def test_a_window_of_dates_names_them(span_artifact):
    days = [span_artifact(day, date=True, train=9, validation=1) for day in (20_000, 20_001)]
    words = SeenExamples.load_all(days[:1], days[1:]).words
    assert words == "trained on span 2024-10-04, tested on span 2024-10-05, 2 files"


def test_of_a_model_of_a_window_it_may_be_unknown_what_tested_it(span_artifact):
    seen = SeenExamples.load_all([span_artifact(3, train=9, validation=1)], [])
    assert seen.rows == {"train": 9, "validation": 1} and seen.trained_spans == {3}
    assert seen.words == "trained on span 3, 1 file"


def test_one_artifact_without_a_window_is_as_it_is(tmp_path):
    artifact = standard_artifacts.Examples()
    artifact.uri = str(tmp_path)
    (tmp_path / "ingestion").mkdir()
    (tmp_path / "ingestion" / "summary.json").write_text(json.dumps(_summary([_source("a")])))
    assert SeenExamples.load_all([artifact], []) == SeenExamples.load(artifact)


def test_without_a_window_the_newest_run_is_the_models_own(tmp_path):
    days = []
    for day in (2, 1):
        days.append(standard_artifacts.Examples())
        days[-1].uri, days[-1].id = str(tmp_path / str(day)), day
    seen = SeenExamples.load_all(days, [])
    assert seen.uri == days[0].uri
    assert [one.uri for one in seen.before] == [days[1].uri]
