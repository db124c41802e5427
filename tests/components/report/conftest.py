"""A run's data as a report shows it: three models, three tasks, domains and a cross."""

import numpy as np
import pytest

from mtlx.components.anomaly_guard.anomalies import Anomaly
from mtlx.components.relaimp_gate.judge import judge
from mtlx.components.relaimp_gate.settings import GateSettings
from mtlx.components.report.report_data import (
    FeatureStatistics,
    ReportData,
    SplitStatistics,
    Training,
)
from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics, SliceResults
from mtlx.components.slice_evaluation.statistics.roc_curve import RocCurve
from mtlx.transform.contract.data_contract import DataContract
from tests.components.slice_names import named

TASKS = ("click", "add_to_cart", "purchase")
DOMAINS = ("home_feed", "search", "product_page")
MODELS = ("candidate", "baseline", "reference")
_AUC = {"click": 0.742, "add_to_cart": 0.781, "purchase": 0.803}
_SHARE = {"click": 0.12, "add_to_cart": 0.21, "purchase": 0.31}


def make_results(slices, rows, seed=4):
    """Plausible metrics and comparisons; a slice with a handful of positives is undefined."""
    rng = np.random.default_rng(seed)
    metrics, comparisons = [], []
    for name in slices:
        population = rows[name]
        for task in TASKS:
            positives = int(population * _SHARE[task])
            gain = {"home_feed": 1.9, "search": 2.6, "product_page": -1.6}.get(
                name.rpartition("=")[2], 1.2
            )
            spread = 45 / np.sqrt(max(positives, 1))
            aucs = {}
            for model in MODELS:
                defined = positives >= 3
                auc = _AUC[task] + rng.normal(0, 0.006) + (0.004 if model == "candidate" else 0)
                half = 0.6 / np.sqrt(max(positives, 1))
                aucs[model] = auc
                values = (auc, auc - half, min(auc + half, 1.0)) if defined else (None, None, None)
                metrics.append(
                    SliceMetrics(
                        model, task, named(name), *values,
                        log_loss=0.31 + rng.normal(0, 0.01),
                        calibration=1 + rng.normal(0, 0.03) if positives else None,
                        positives=positives, examples=population,
                    )
                )  # fmt: skip
            for baseline in MODELS[1:]:
                value = gain + rng.normal(0, 0.4)
                values = (value, value - spread, value + spread) if positives >= 20 else (None,) * 3
                comparisons.append(
                    Comparison(
                        baseline, task, named(name), *values,
                        aucs["candidate"] - aucs[baseline], None, None,
                    )
                )  # fmt: skip
            population = positives
    return SliceResults(MODELS, TASKS, 0.95, "user_id", metrics, comparisons)


def _history(seed, parameters, gates):
    rng = np.random.default_rng(seed)
    epochs = []
    for epoch in range(1, 9):
        closeness = 1 - np.exp(-epoch / 2.2)
        falling = max(epoch - 6, 0) * 0.002
        aucs = {
            task: 0.5 + (_AUC[task] - 0.5) * closeness - falling + rng.normal(0, 0.001)
            for task in TASKS
        }
        loss = 1.9 - 0.6 * closeness + rng.normal(0, 0.004)
        epochs.append(
            {
                "epoch": epoch,
                "loss": loss,
                "task_loss": {task: loss / 3 for task in TASKS},
                "validation_auc": aucs,
                "validation_loss": {task: 0.4 for task in TASKS},
                "selection": 0.9 + abs(epoch - 6) / 100,
                "seconds": 31.0,
                "examples": 160_000,
            }
        )
    return {
        "epochs": epochs,
        "best_epoch": 6,
        "selection": {"name": "normalised entropy", "lower_is_better": True},
        "kept": "Epoch 6 of 8 is kept: normalised entropy 0.90000 on the validation split.",
        "warnings": ["Task 'purchase' has too few validation rows <12>."],
        "parameters": parameters,
        "devices": ["CPU:0"],
        "seconds": {"input": 41.2, "step": 188.0, "validation": 22.4, "export": 9.1},
        "gate_weights": gates,
        "resumed_from_step": None,
    }


def _gates():
    rng = np.random.default_rng(7)
    experts = [*(f"{kind}/shared" for kind in ("gdcn", "memonet", "masknet"))]
    gates = {}
    for task in TASKS:
        names = [*experts, *(f"{kind}/{task}" for kind in ("gdcn", "memonet", "masknet"))]
        weights = rng.dirichlet(np.full(len(names), 2.0))
        gates[task] = dict(zip(names, map(float, weights), strict=True))
    return gates


def _statistics(split, rows):
    rng = np.random.default_rng(rows)
    age = FeatureStatistics(
        "age", "number", rows - rows // 50, rows // 50, 37.4, 12.1, 16.0, 35.0, 90.0, 0,
        bars=tuple(map(float, rng.multinomial(rows, [0.05, 0.2, 0.25, 0.2, 0.1, 0.08, 0.06, 0.06]))),
    )  # fmt: skip
    price = FeatureStatistics(
        "price", "number", rows, 0, 43.72, 122.9, 0.0, 19.99, 8_499.0, rows // 200,
        bars=(rows * 0.9, rows * 0.06, rows * 0.02, rows * 0.01, 12.0, 3.0, 0.0, 1.0),
    )  # fmt: skip
    city = FeatureStatistics(
        "city", "text", rows - 3, 3, distinct=311,
        top=(("Berlin", rows / 9), ("Saint-Rémy-de-Provence-les-Alpilles", rows / 20), ("Łódź", 9)),
        bars=tuple(rows / (rank + 1) for rank in range(20)),
    )  # fmt: skip
    clicked = FeatureStatistics(
        "clicked_items", "text", rows // 2, rows - rows // 2, distinct=20_113,
        top=(("item_17", 991.0), ("item_4", 870.0), ("item_920", 869.0)), values_per_row=13.4,
        bars=tuple(1000 / (rank + 1) ** 0.5 for rank in range(20)),
    )  # fmt: skip
    return SplitStatistics(split, rows, (age, price, city, clicked))


CONTRACT = DataContract.read(
    {
        "features": {"scenario": {"kind": "categorical"}},
        "tasks": {task: {"label": task} for task in TASKS},
        "domain": {"feature": "scenario", "values": list(DOMAINS)},
    }
)
GATE = {
    "thresholds": [
        {"rule": "relaimp", "task": "*", "slice": "overall", "minimum": 0.0, "bound": "upper"},
        {"rule": "relaimp", "task": "*", "slice": "domain=*", "minimum": -0.5, "bound": "upper"},
        {"rule": "auc", "task": "*", "slice": "overall", "minimum": 0.6},
        {"rule": "calibration", "task": "*", "slice": "overall", "minimum": 0.8, "maximum": 1.25},
    ]
}


@pytest.fixture(scope="session")
def report_data():
    rows = {"overall": 60_000, "domain=home_feed": 31_000, "domain=search": 18_500}
    rows["domain=product_page"] = 10_500
    for place, domain in enumerate(DOMAINS):
        for city in range(30):
            rows[f"domain={domain},city=c{city:02d}"] = 4 + (city * 37 + place * 11) % 900
    results = make_results(rows, rows)
    return ReportData(
        title="default",
        run_id="20260801-104512-000312",
        created="2026-08-01 10:51 UTC",
        verdict=judge(results, GateSettings.read(GATE), CONTRACT),
        results=results,
        rocs={"click": RocCurve([0.0, 0.1, 0.4, 1.0], [0.0, 0.4, 0.8, 1.0], [1.0, 0.6, 0.3, 0.01], True)},
        best_possible={
            task: {"overall": _AUC[task] + 0.06}
            | {f"domain={name}": _AUC[task] + 0.05 for name in DOMAINS[:2]}
            | {"domain=product_page": None}
            for task in TASKS
        },
        trainings=(
            Training("candidate", _history(1, 1_392_835, _gates())),
            Training("reference", _history(2, 1_104_211, {})),
        ),
        statistics=tuple(
            _statistics(split, rows)
            for split, rows in (("train", 360_000), ("validation", 40_000), ("test", 60_000))
        ),
        anomalies=(
            Anomaly("test", "city", "Unexpected string values",
                    "Examples contain values missing from the schema: Łódź (~2%).", "ERROR"),
        ),
        ingestion={
            "rows": {"train": 360_000, "validation": 40_000, "test": 60_000},
            "malformed": {"age: not a number": 12, "click: neither 0 nor 1": 3},
            "quarantine": "var/pipelines/default/artifacts/quarantine/rows.jsonl",
            "max_malformed_share": 0.001,
            "seconds": 16.3,
        },
        experiment={
            "name": "default",
            "data": {
                "reader": "csv",
                "path": ["/logs/day={YYYY}-{MM}-{DD}/*.csv"],
                "split": {"by": "hash", "of": "user_id"},
            },
            "model": {"network": "dtn", "embedding_size": 8, "options": {"units": 64}},
            "training": {"learning_rate": 0.001, "epochs": 8, "select_by": "auc"},
            "gate": {"baseline": "latest_blessed", "reference": {"network": "ple"}, **GATE},
        },
        span=20_000,
        notices=(),
        max_cross_slices_shown=40,
    )  # fmt: skip
