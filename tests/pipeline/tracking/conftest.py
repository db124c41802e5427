"""A run's record, as `mtlx.pipeline.run` writes it."""

import pytest


def _metric(slice_name, model, auc, **more):
    return {"slice": slice_name, "model": model, "task": "click", "auc": auc, "auc_lower": None,
            "auc_upper": None, "log_loss": 0.3, "calibration": None, **more}  # fmt: skip


@pytest.fixture
def record():
    return {
        "run_id": "20261127-030000-000000",
        "outcome": "not blessed",
        "begun": "2026-11-27T03:00:00+00:00",
        "seconds": 61.5,
        "name": "daily",
        "model": "dtn",
        "blessed": False,
        "pushed_to": None,
        "spans": {"train": [1, 2], "test": [3], "days": False},
        "git": {"revision": "abc123", "changed": False},
        "versions": {"tfx": "1.16.0"},
        "nodes": [
            {"node_id": "Trainer", "state": "complete", "seconds": 40.0, "bytes": 1000},
            {"node_id": "SchemaGen", "state": "cached", "seconds": 0.5, "bytes": None},
        ],
        "metrics": [
            _metric("overall", "candidate", 0.7, auc_lower=0.69, auc_upper=0.71),
            _metric("domain=größe (1)", "candidate", 0.6),
            _metric("overall", "baseline", 0.65),
        ],
        "comparisons": [
            {"slice": "overall", "baseline": "baseline", "task": "click", "relaimp": 3.0,
             "relaimp_lower": 1.0, "relaimp_upper": 5.0, "auc_difference": None},
        ],
    }  # fmt: skip
