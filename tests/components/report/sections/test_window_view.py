"""What the report says of a window's spans."""

import json

import pytest
from tfx.types import standard_artifacts

from mtlx.components.report.sections.window_view import (
    joined_ingestion,
    window_fact,
    window_notice,
    window_view,
)

EXPERIMENT = {"data": {"path": ["/l/{SPAN}/*"], "window": {"train": 3, "test": 1}}}


@pytest.fixture
def examples(tmp_path):
    """Examples of some spans; of each ten rows were read, and as many left out as its number."""

    def function(*spans, known=True):
        made = []
        for span in spans:
            artifact = standard_artifacts.Examples()
            artifact.uri = str(tmp_path / str(span))
            artifact.set_int_custom_property("span", span)
            folder = tmp_path / str(span) / "ingestion"
            if known and not folder.exists():
                folder.mkdir(parents=True)
                summary = {
                    "lines": {"read": 10 + span}, "rows": {"train": 9, "validation": 1},
                    "malformed": {"not a number": span}, "refused": None, "times": {},
                    "quarantine": f"/q/{span}", "max_malformed_share": 0.5,
                    "seconds": float(span), "provenance": None,
                }  # fmt: skip
                (folder / "summary.json").write_text(json.dumps(summary))
            made.append(artifact)
        return made

    return function


def test_spans_are_listed_with_what_they_are_for(examples):
    spans = window_view(examples(3, 2), examples(4), EXPERIMENT)
    assert [(one.name, one.trains, one.rows, one.malformed) for one in spans] == [
        ("2", True, 10, 2), ("3", True, 10, 3), ("4", False, 10, 4),
    ]  # fmt: skip
    assert window_fact(spans, EXPERIMENT) == "trained on 2 to 3, tested on 4"


def test_without_a_window_there_is_nothing(examples):
    assert window_view(examples(3), [], EXPERIMENT) == ()
    assert window_notice((), EXPERIMENT) is None and joined_ingestion(()) is None


def test_what_the_logs_lacked_is_named(examples):
    whole = window_view(examples(1, 2, 3), examples(4), EXPERIMENT)
    assert window_notice(whole, EXPERIMENT) is None
    lacking = window_view(examples(2), examples(4), EXPERIMENT)
    notice = "Of the window's 4 spans the logs had 2; they lacked 1, 3."
    assert window_notice(lacking, EXPERIMENT) == notice


def test_the_rows_of_spans_that_test_are_test_rows(examples):
    joined = joined_ingestion(window_view(examples(1, 2), examples(3), EXPERIMENT))
    assert joined["rows"] == {"train": 18, "validation": 2, "test": 10}
    assert joined["lines"] == {"read": 36} and joined["malformed"] == {"not a number": 6}
    # A day's run reads the newest.
    assert (joined["seconds"], joined["quarantine"]) == (3.0, "/q/1")


def test_of_a_span_whose_files_are_gone_the_rows_are_not_known(examples):
    spans = window_view(examples(1), examples(2, known=False), EXPERIMENT)
    assert joined_ingestion(spans) is None and spans[1].rows == 0


def test_spans_that_are_dates_are_named_by_them(examples):
    experiment = {"data": {"path": ["/l/{YYYY}-{MM}-{DD}.csv"], "window": {"train": 2}}}
    spans = window_view(examples(20_000), examples(20_001), experiment)
    assert [one.name for one in spans] == ["2024-10-04", "2024-10-05"]
    assert "they lacked 2024-10-03" in window_notice(spans, experiment)


def test_it_is_said_which_labels_of_a_span_counted(examples):
    experiment = {**EXPERIMENT, "tasks": {"click": {}, "cart": {}, "buy": {}}}
    left_out = {1: {"click": "learnt", "cart": "learnt"}, 2: {"buy": "unknown"}}
    spans = window_view(examples(1, 2, 3), examples(4), experiment, (), left_out)
    assert [one.labels for one in spans] == [
        "buy alone, known by now", "but for buy, not known yet", "", "",
    ]  # fmt: skip
