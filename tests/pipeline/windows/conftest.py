"""A small windowed experiment on simulated days, and its first days, shared by these tests."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.run.local_run import RunResult, run_experiment
from mtlx.pipeline.simulation.settings import SimulationSettings
from mtlx.pipeline.simulation.simulator import simulate

FEATURES = ("user_id", "age", "item_id", "category", "scenario")
TRAIN = 3


class Days:
    """Simulated days that come one by one, and the experiment that is run on them.

    Args:
        source: the simulated logs, all days.
        path: of the experiment file, beside whose folder ``logs`` is filled.
    """

    def __init__(self, source: Path, path: Path) -> None:
        self.source, self.path = source, path
        self.logs = path.parent / "logs"

    def come(self, *days: int) -> None:
        """Puts the files of days where the experiment looks for them."""
        for day in days:
            shutil.copytree(self.source / f"day={day:02d}", self.logs / f"day={day:02d}")

    def run(self, *overrides: str) -> tuple[RunResult, list[str]]:
        """Runs the experiment; returns the result and what was said."""
        lines: list[str] = []
        experiment = read_experiment(self.path, overrides)
        return run_experiment(experiment, on_progress=lines.append), lines


class FirstDays(NamedTuple):
    """Results and lines of the runs of days 4, 5 and 6, the last after a file of day 4 changed."""

    days: Days
    first: tuple[RunResult, list[str]]
    second: tuple[RunResult, list[str]]
    third: tuple[RunResult, list[str]]


@pytest.fixture(scope="session")
def simulated_days(tmp_path_factory):
    """Eight days of 500 impressions."""
    folder = tmp_path_factory.mktemp("days")
    settings = {"rows": 4000, "days": 8, "users": 100, "items": 100, "seed": 1}
    simulate(SimulationSettings.read(settings), folder / "simulated")
    return folder / "simulated/logs"


@pytest.fixture(scope="session")
def write_days(simulated_days, write_experiment):
    """Writes a windowed experiment with no logs yet; see `Days`."""

    def function(**sections) -> Days:
        path = write_experiment()
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        values["data"] = {
            "path": str(path.parent / "logs/day={SPAN:2}/*.csv"),
            "window": {"train": TRAIN, "test": 1},
        }
        values["features"] = {name: values["features"][name] for name in FEATURES}
        values["evaluation"] = {"slices": [["domain"]]}
        values["validation"] = {"allow_anomalies": True}
        values.pop("report")
        values.pop("kubeflow")
        for name, section in sections.items():
            values[name] = {**values.get(name, {}), **section}
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return Days(simulated_days, path)

    return function


@pytest.fixture(scope="session")
def first_days(write_days):
    """Runs the first days; every test reads what they left."""
    days = write_days()
    days.come(1, 2, 3, 4)
    first = days.run()
    days.come(5)
    second = days.run()
    days.come(6)
    changed = next((days.logs / "day=04").glob("*.csv"))
    lines = changed.read_text(encoding="utf-8").splitlines(keepends=True)
    changed.write_text("".join(lines[:-10]), encoding="utf-8")
    third = days.run()
    return FirstDays(days, first, second, third)
