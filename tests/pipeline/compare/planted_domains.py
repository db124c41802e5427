"""A log in which what is liked in one domain is not in the other, and an experiment on it.

A model that adds up item and domain, however good its embeddings are, can rank nothing (AUC 0.5);
one with weights of each domain's own ranks all that can be ranked.
"""

import csv
from pathlib import Path

import numpy as np
import yaml

ROWS = 1500
#: Of all rows, by their true probabilities.
BEST = 0.9


def write_log(folder: Path, turns: bool = True) -> None:
    """Writes one file of rows; without `turns` the same is liked in both domains."""
    random = np.random.default_rng(1)
    shown = random.integers(0, 8, ROWS)
    scenario = random.integers(0, 2, ROWS)
    liked = (shown % 2 == 0) ^ ((scenario == 1) & turns)
    click = random.random(ROWS) < np.where(liked, BEST, 1 - BEST)
    user = random.integers(0, 200, ROWS)
    (folder / "logs").mkdir(parents=True)
    with open(folder / "logs/part.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["user_id", "item_id", "scenario", "click"])
        names = np.array(["home", "search"])[scenario]
        writer.writerows(
            zip(user, [f"i{item}" for item in shown], names, click.astype(int), strict=False)
        )


def write_days(folder: Path, days: int, rows: int) -> dict:
    """Writes `rows` rows a day, with clicks and watch times; gives `data` of an experiment.

    What is shown tells how long it is watched: some not at all.
    """
    random = np.random.default_rng(2)
    for day in range(1, days + 1):
        shown = random.integers(0, 8, rows)
        click = random.random(rows) < np.where(shown % 2 == 0, BEST, 1 - BEST)
        watch = np.where(shown < 4, 0.0, 10.0 * shown + random.random(rows)).round(2)
        scenario = np.array(["home", "search"])[random.integers(0, 2, rows)]
        place = folder / f"logs/day={day:02d}"
        place.mkdir(parents=True)
        with open(place / "part.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["user_id", "item_id", "scenario", "click", "watch"])
            names = [f"i{item}" for item in shown]
            user = random.integers(0, 100, rows)
            writer.writerows(
                zip(user, names, scenario, click.astype(int), watch.tolist(), strict=True)
            )
    return {
        "path": str(folder / "logs/day={SPAN:2}/*.csv"),
        "window": {"train": days - 1, "test": 1},
        "split": {"by": "span", "validation_share": 0.2},
    }


def write_experiment(folder: Path, **changes) -> Path:
    """An experiment on the log in the same folder."""
    values = {
        "name": "planted",
        "data": {
            "path": str(folder / "logs/*.csv"),
            "split": {"by": "hash", "of": "user_id", "train": 0.5, "validation": 0.2, "test": 0.3},
        },
        "features": {
            "user_id": {"kind": "categorical", "embed": False},
            "item_id": {"kind": "categorical"},
            "scenario": {"kind": "categorical"},
        },
        "domain": {"feature": "scenario", "values": ["home", "search"]},
        "tasks": {"click": {"label": "click"}},
        "model": {"network": "shared_bottom", "embedding_size": 4},
        "training": {
            "epochs": 4,
            "batch_size": 64,
            "learning_rate": 0.02,
            "patience": None,
            "precision": "float32",
        },
        "evaluation": {"user_key": "user_id", "slices": [["domain"]]},
        "run": {"pipeline_root": str(folder / "root")},
        **changes,
    }
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path
