"""What a table shows of a run, from records of this version and of older ones."""

import json

from mtlx.pipeline.run.record.run_summary import Outcome, RunSummary

#: As runs wrote it before they noted when they began and how they ended.
OLD = {
    "run_id": "20260301-120000-000001",
    "nodes": [
        {"node_id": "Trainer", "state": "complete", "seconds": 4.0, "rows": 10, "outputs": {}},
        {"node_id": "Pusher", "state": "skipped", "seconds": 0.5, "rows": None, "outputs": {}},
    ],
    "blessed": False,
    "pushed_to": None,
    "folder": "/pipelines/runs/x",
    "metrics": [
        {"slice": "domain=a", "model": "candidate", "task": "click", "auc": 0.9},
        {"slice": "overall", "model": "reference", "task": "click", "auc": 0.6,
         "auc_lower": 0.5, "auc_upper": 0.7},
        {"slice": "overall", "model": "candidate", "task": "click", "auc": 0.7,
         "auc_lower": None, "auc_upper": None},
    ],
    "comparisons": [
        {"slice": "overall", "baseline": "reference", "task": "click", "relaimp": 100.0,
         "relaimp_lower": 90.0, "relaimp_upper": 110.0},
    ],
}  # fmt: skip


def test_an_old_record_shows_what_it_has():
    summary = RunSummary.of_record(OLD["run_id"], OLD)
    assert summary.outcome is Outcome.NOT_BLESSED
    assert summary.begun.startswith("2026-03-01T12:00:00")
    assert (summary.seconds, summary.bytes, summary.spans, summary.model) == (4.5, None, None, None)
    assert summary.auc == {"click": (0.7, None, None)}
    assert summary.against == "reference"
    assert summary.against_auc == {"click": (0.6, 0.5, 0.7)}
    assert summary.relaimp == {"click": (100.0, 90.0, 110.0)}


def test_the_latest_blessed_model_counts_before_the_reference():
    more = {**OLD["comparisons"][0], "baseline": "baseline", "relaimp": 3.0}
    record = {**OLD, "comparisons": [*OLD["comparisons"], more], "outcome": "blessed"}
    summary = RunSummary.of_record("run", record)
    assert (summary.against, summary.relaimp["click"][0]) == ("baseline", 3.0)
    assert summary.outcome is Outcome.BLESSED and summary.begun is None


def test_a_summary_survives_json():
    summary = RunSummary.of_record(OLD["run_id"], OLD)
    values = json.loads(json.dumps(summary.to_values()))
    assert RunSummary.of_values({**values, "of a later version": 1}) == summary


def test_a_window_says_itself_which_spans_it_had():
    spans = {"train": [8], "test": [8], "days": True}
    summary = RunSummary.of_record("run", {**OLD, "spans": spans})
    assert summary.spans == spans
    window = {"train": [1, 2], "test": [8], "words": "1 to 2"}
    summary = RunSummary.of_record("run", {**OLD, "spans": spans, "window": window})
    assert summary.spans == {"train": [1, 2], "test": [8], "days": True}
