"""Days of a log in which what people like turns over, and an experiment on them."""

import csv
import json
from pathlib import Path

import numpy as np
import yaml

ROWS = 400
#: The day on which what was liked is not any more, and the other way round.
TURN = 4
LIKED, DISLIKED = 0.85, 0.15
#: In the logs up to the second day; from the fourth on.
OLD, NEW = "gone", "come"
#: Of all rows, by their true probabilities.
BEST = 0.85


def write_days(folder: Path, days: int) -> None:
    """Writes ``day=01`` and so on, each with one file, and the best possible AUC of each."""
    random = np.random.default_rng(1)
    items = np.array([f"i{number:02d}" for number in range(16)], object)
    (folder / "best").mkdir(parents=True)
    for day in range(1, days + 1):
        shown = random.choice(items, ROWS)
        if day <= 2:
            shown[:20] = OLD
        if day >= TURN:
            shown[20:40] = NEW
        liked = np.array([item[-1] in "02468" for item in shown]) ^ (day >= TURN)
        clicks = random.random(ROWS) < np.where(liked, LIKED, DISLIKED)
        path = folder / f"logs/day={day:02d}/part.csv"
        path.parent.mkdir(parents=True)
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["item_id", "scenario", "click"])
            scenarios = random.choice(["home", "search"], ROWS)
            writer.writerows(zip(shown, scenarios, clicks.astype(int), strict=True))
        # The models are not given the shelf.
        best = {"click": {"overall": 0.99}, "click without shelf": {"overall": BEST}}
        (folder / f"best/day={day:02d}.json").write_text(json.dumps(best))


def write_experiment(folder: Path, **changes) -> Path:
    """An experiment with a window of two days and one, on the logs in the same folder."""
    auc = {"rule": "auc", "task": "click", "slice": "overall", "minimum": 0.01, "bound": "point"}
    values = {
        "name": "planted",
        "data": {
            "path": str(folder / "logs/day={SPAN:2}/*.csv"),
            "window": {"train": 2, "test": 1},
        },
        "features": {
            "item_id": {"kind": "categorical"},
            "scenario": {"kind": "categorical"},
        },
        "domain": {"feature": "scenario", "values": ["home", "search"]},
        "tasks": {"click": {"label": "click"}},
        "model": {"network": "shared_bottom", "embedding_size": 4},
        "training": {
            "epochs": 4,
            "batch_size": 32,
            "learning_rate": 0.03,
            "warm_start": "incremental",
            "precision": "float32",
        },
        "gate": {"thresholds": [auc], "minimum_positives": 10},
        "drift": {"on_drift": "off"},
        "validation": {"allow_anomalies": True},
        "report": {"best_possible": str(folder / "best/day={SPAN:2}.json")},
        "run": {"pipeline_root": str(folder / "root")},
        **changes,
    }
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path
