"""A small experiment on simulated logs, and its finished run, shared by the tests of this folder."""

import time
from pathlib import Path

import psutil
import pytest
import yaml
from absl import logging

from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.run.local_run import run_experiment
from mtlx.pipeline.simulation.settings import SimulationSettings
from mtlx.pipeline.simulation.simulator import simulate
from tests.graph_rewriting import rewritten

#: Of the default experiment's features: one of every kind and transformation that is not told from
#: another by its name alone. Each feature costs every run of a pipeline half a second.
FEATURES = (
    "user_id", "age", "gender", "item_id", "category", "brand", "price", "rating", "scenario",
    "clicked",
)  # fmt: skip

CONFIGS = Path(__file__).parents[2] / "configs"

#: Everything here runs below it: whatever takes a path apart, or quotes it, shows.
ODD_NAME = "Größe 'a' \"b\" #1 %41 & c"


@pytest.fixture(scope="session")
def logs(tmp_path_factory):
    """3,000 simulated impressions."""
    folder = tmp_path_factory.mktemp("simulated") / ODD_NAME
    simulate(SimulationSettings.read({"rows": 3000, "seed": 1}), folder)
    return folder


@pytest.fixture(scope="session")
def write_experiment(logs, tmp_path_factory):
    """Writes the default experiment, made small, with the given sections changed."""

    def function(**sections):
        values = yaml.safe_load((CONFIGS / "default.yaml").read_text(encoding="utf-8"))
        folder = tmp_path_factory.mktemp("experiment") / ODD_NAME
        folder.mkdir()
        values["data"]["path"] = str(logs / "logs/day=*/*.csv")
        values["features"] = {name: values["features"][name] for name in FEATURES}
        values["model"] = {"network": "mmoe", "options": {"experts": 2}, "embedding_size": 4}
        values["training"] = {"epochs": 2, "batch_size": 256, "checkpoint_every_steps": 2}
        # What `auto` chooses hangs on the machine.
        values["training"]["precision"] = "float32"
        values["gate"] = {"thresholds": [_auc(0.3)], "minimum_positives": 10}
        # What a call takes is asked of the check alone.
        values["serving"] = {"push_to": str(folder / "serving"), "check": {"calls": 3}}
        values["run"] = {"pipeline_root": str(folder / "root")}
        values["report"] = {"best_possible": str(logs / "best_auc.json")}
        for name, section in sections.items():
            values[name] = {**values.get(name, {}), **section}
        path = folder / "experiment.yaml"
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return path

    return function


def _auc(minimum):
    return {
        "rule": "auc",
        "task": "click",
        "slice": "overall",
        "minimum": minimum,
        "bound": "point",
    }


@pytest.fixture(scope="session")
def finished(write_experiment):
    """The small experiment's file and the result of its first run."""
    path = write_experiment()
    with rewritten():
        return path, run_experiment(read_experiment(path))


@pytest.fixture
def wait_until_dead():
    """Fails if a process lives on; one that was killed takes a moment, and somebody to reap it."""

    def function(process):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                if process.status() == psutil.STATUS_ZOMBIE:
                    return
            except psutil.NoSuchProcess:
                return
            time.sleep(0.01)
        raise AssertionError(f"{process} lives on")

    return function


@pytest.fixture
def absl_as_at_start():
    """Logs no more than in a process of its own: what other tests had TFX do may have raised it."""
    before = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)
    yield
    logging.set_verbosity(before)
