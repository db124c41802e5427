"""Simulated days, and a plain model of what makes users click."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from mtlx.pipeline.simulation.days.settings import DailySettings
from mtlx.pipeline.simulation.days.simulator import simulate_days


def simulated(folder, **settings):
    """Simulates days in Parquet, a few rows each."""
    given = {"rows_per_day": 1_000, "format": "parquet", "shards": 1, **settings}
    simulate_days(DailySettings.read(given), folder, say=lambda line: None)
    return folder


@pytest.fixture(scope="session")
def simulate_some():
    return simulated


@pytest.fixture(scope="session")
def read_day():
    def function(folder, day):
        """A day's rows with their true probabilities, counted from 1."""
        name = f"day=2024-01-{day:02d}"
        log = pd.concat(map(pd.read_parquet, sorted((folder / "logs" / name).iterdir())))
        truth = pd.read_parquet(folder / "ground_truth" / f"{name}.parquet")
        return log.merge(truth, on="impression_id", suffixes=("", "_true"))

    return function


class ClickModel:
    """A logistic regression on the crosses that the true log odds are made of.

    Args:
        rows: of the days that it learns from.
    """

    def __init__(self, rows):
        self._edges = {
            name: np.unique(np.quantile(rows[name].fillna(0), np.linspace(0, 1, 9)[1:-1]))
            for name in ("price", "popularity", "rating", "age", "activity", "position")
        }
        self._model = make_pipeline(
            OneHotEncoder(handle_unknown="ignore"), LogisticRegression(C=0.2, max_iter=60)
        )
        self._model.fit(self._features(rows), rows.click)

    def _features(self, rows):
        binned = {
            name: np.digitize(rows[name].fillna(0), edges).astype(str)
            for name, edges in self._edges.items()
        }
        text = {name: rows[name].astype(str).to_numpy() for name in (
            "category", "gender", "scenario", "brand", "city", "device", "segment", "discount",
        )}  # fmt: skip
        matches = [
            str(min(int((np.asarray(past) == category).sum()), 4))
            for past, category in zip(rows.clicked_categories, rows.category, strict=True)
        ]
        crosses = [
            ("category", "gender"), ("category", "scenario"), ("brand", "city"),
            ("category", "segment"),
        ]  # fmt: skip
        columns = [*binned.values(), *text.values(), np.array(matches)]
        columns += [np.char.add(np.char.add(text[a].astype("U"), "|"), text[b].astype("U"))
                    for a, b in crosses]  # fmt: skip
        columns.append(np.char.add(np.char.add(text["category"].astype("U"), "|"), binned["age"]))
        return np.stack(columns, axis=1).astype(object)

    def auc(self, rows):
        """Of clicks."""
        return roc_auc_score(rows.click, self._model.predict_proba(self._features(rows))[:, 1])


@pytest.fixture(scope="session")
def click_model():
    return ClickModel


@pytest.fixture(scope="session")
def best_auc():
    def function(folder, day):
        return json.loads((folder / "best_auc" / f"day=2024-01-{day:02d}.json").read_text())

    return function
