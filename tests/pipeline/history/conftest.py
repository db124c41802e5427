"""Runs of some days, as `mtlx.pipeline.history.list_runs` gives them."""

import pytest

from mtlx.pipeline.run.record.run_summary import NodeSummary, Outcome, RunSummary


def make_run(day, outcome=Outcome.BLESSED, **changed):
    auc = 0.70 + 0.01 * day
    values = {
        "run_id": f"202611{day:02}-030000-000000",
        "outcome": outcome,
        "begun": f"2026-11-{day:02}T03:00:00+00:00",
        "seconds": 100.0 + day,
        "model": "dtn",
        "spans": {"train": list(range(day, day + 7)), "test": [day + 7], "days": False},
        "pushed_to": "/serving/1" if outcome is Outcome.BLESSED else None,
        "bytes": 2_500_000,
        "nodes": (
            NodeSummary("Trainer", "complete", 80.0 + day, 2_000_000),
            NodeSummary("SchemaGen", "complete", 0.5, 500_000),
        ),
        "auc": {"click": (auc, auc - 0.005, auc + 0.005), "buy [%]": (None, None, None)},
        "against": "baseline",
        "against_auc": {"click": (auc - 0.003, None, None)},
        "relaimp": {"click": (1.25, -0.5, 3.0)},
    }
    return RunSummary(**{**values, **changed})


@pytest.fixture
def runs():
    nothing = {"auc": {}, "relaimp": {}, "against_auc": {}, "against": None, "pushed_to": None}
    return [
        make_run(1),
        make_run(2, Outcome.NOT_BLESSED),
        make_run(3, Outcome.FAILED, at="at Trainer", message="<b>loss</b> is no number", **nothing),
        RunSummary("20261104-030000-000000", Outcome.KILLED, "2026-11-04T03:00:00+00:00"),
        make_run(5),
    ]
