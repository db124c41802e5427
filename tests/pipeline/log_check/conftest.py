"""Logs with planted faults, an experiment on them, and rows as they are collected from logs."""

from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml

from mtlx.components.log_example_gen.splits.splitter import SPLITS
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.log_check.collected_rows import CollectedRows
from mtlx.pipeline.log_check.log_check import check_logs
from mtlx.pipeline.log_check.time_ranges import TimeRanges
from mtlx.transform.contract.data_contract import DataContract

ROWS = 8000


@pytest.fixture
def log():
    """A log without a fault."""
    return _honest_log()


def _honest_log(seed=1):
    """Clicks that are predictable to a fair degree, purchases on a third of them."""
    drawn = np.random.default_rng(seed)
    strong = drawn.normal(size=ROWS)
    # AUC of `strong` alone is near 0.95: a good feature, and no leak.
    click = (strong + 0.45 * drawn.normal(size=ROWS) > 1.0).astype(int)
    return pd.DataFrame(
        {
            "request": np.arange(ROWS),
            "time": 1_700_000_000 + np.sort(drawn.integers(0, 864_000, ROWS)),
            "user": [f"u{n}" for n in drawn.integers(0, 400, ROWS)],
            "item": [f"i{n}" for n in drawn.integers(0, 50, ROWS)],
            "scenario": drawn.choice(["feed", "search"], ROWS, p=[0.9, 0.1]),
            "strong": strong.round(4),
            "weak": drawn.normal(size=ROWS).round(3),
            "history": ["|".join(f"i{n}" for n in drawn.integers(0, 50, 3)) for _ in range(ROWS)],
            "click": click,
            "buy": click * (drawn.random(ROWS) < 0.33),
        }
    )


@pytest.fixture
def check(tmp_path):
    """Writes a log and an experiment with some sections changed; checks them."""

    def function(log=None, wanted=None, features=None, run=True, **sections):
        log = _honest_log() if log is None else log
        log.to_csv(tmp_path / "log.csv", index=False)
        named = {
            "user": {"kind": "categorical"},
            "item": {"kind": "categorical"},
            "scenario": {"kind": "categorical"},
            "strong": {"kind": "numeric"},
            "weak": {"kind": "numeric"},
            "history": {"kind": "sequence", "of": "item"},
        }
        values = {
            "name": "planted",
            "data": {
                "path": str(tmp_path / "log.csv"),
                "split": {"by": "time", "column": "time", "test_from": 1_700_600_000},
            },
            "features": {**named, **(features or {})},
            "target_item": "item",
            "domain": {"feature": "scenario", "values": ["feed", "search"]},
            "tasks": {
                "click": {"label": "click"},
                "buy": {"label": "buy", "after": "click", "population": "click"},
            },
            "model": {"network": "mmoe"},
            "gate": {"thresholds": [{"rule": "auc", "minimum": 0.5}]},
            **sections,
        }
        path = tmp_path / "experiment.yaml"
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return check_logs(read_experiment(path), wanted) if run else path

    return function


_TYPES = {"categorical": pa.large_string(), "numeric": pa.float32()}


def _collected(features, labels, split="test", tasks=None, domain=None, target_item=None):
    """Rows with the features' values and the labels' columns.

    Args:
        features: by name, the settings and the values; those of a sequence are lists of texts, and
            a cross has None.
        labels: by column, 0 and 1.
        split: of every row, or of all.
        tasks: as in an experiment file; a task for each label if None.
        domain: as there.
        target_item: as there.
    """
    contract = DataContract.read(
        {
            "features": {name: settings for name, (settings, _) in features.items()},
            "tasks": tasks or {name: {"label": name} for name in labels},
            **({"domain": domain} if domain else {}),
            **({"target_item": target_item} if target_item else {}),
        }
    )
    columns = {}
    for name, (settings, values) in features.items():
        if settings["kind"] == "cross":
            continue
        if settings["kind"] == "sequence":
            items = [[item.encode() for item in value] for value in values]
            columns[name] = pa.array(items, pa.large_list(pa.large_binary()))
        else:
            columns[name] = pa.array(list(values), _TYPES[settings["kind"]])
    count = len(next(iter(labels.values())))
    places = [split] * count if isinstance(split, str) else split
    return CollectedRows(
        contract=contract,
        features=columns,
        labels={name: np.asarray(values, bool) for name, values in labels.items()},
        split=np.array([SPLITS.index(place) for place in places], np.int8),
        types=dict.fromkeys(features, "text"),
        malformed=Counter(),
        examples={},
        refused=[],
        times=TimeRanges(()),
    )


@pytest.fixture
def collected():
    """Builds rows as they are collected from the logs."""
    return _collected
