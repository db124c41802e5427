"""Two days in whole runs: the second begins with the model that the first one had blessed."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.run.local_run import run_experiment
from mtlx.trainer.warm_start.base_model import BaseModel
from mtlx.transform.analysis.finished_analysis import kept_numbers


def _numbers(result):
    path = kept_numbers(result.output("Transform", "transform_graph"))
    return json.loads(Path(path).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def second_day(finished, tmp_path_factory):
    """The finished experiment on other files, in a root of its own with a copy of the metadata."""
    path, first = finished
    folder = tmp_path_factory.mktemp("second_day")
    (folder / "root").mkdir()
    shutil.copy(first.folder.parents[1] / "metadata.sqlite", folder / "root")
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    values["data"]["path"] = values["data"]["path"].replace("day=*", "day=0[3-8]")
    start = {"from": "latest_blessed", "new_rows": "mean", "optimizer": True}
    values["training"] |= {"epochs": 1, "warm_start": start}
    values["transform"] = {"reuse": "base_model"}
    values["run"]["pipeline_root"] = str(folder / "root")
    values["serving"] |= {"push_to": str(folder / "serving"), "check": None}
    changed = folder / "experiment.yaml"
    changed.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return changed, run_experiment(read_experiment(changed))


def test_the_second_day_begins_with_the_first_day_s_model(finished, second_day):
    _, first = finished
    _, second = second_day
    model = BaseModel(first.output("Trainer", "model"))
    assert second.output("BaseModel", "model") == first.output("Trainer", "model")
    run = Path(second.output("Trainer", "model_run"))
    history = json.loads((run / "history.json").read_text(encoding="utf-8"))
    assert history["notes"][0].startswith(f"Warm start from {model.folder}: ")
    assert any("Values of item_id: " in note for note in history["notes"])
    assert any("The optimiser starts anew" in note for note in history["notes"])
    # The first day was not asked to keep the optimiser's state for another; this one was.
    assert "optimizer" in BaseModel(second.output("Trainer", "model")).state()
    assert model.state().get("optimizer") is None
    # Numbers mean what they meant, of other rows.
    assert _numbers(second) == _numbers(first) == model.numbers()
    assert second.blessed


def test_the_same_day_once_more_begins_where_it_began(second_day):
    """Although its own model is the latest blessed one by now; so the cache serves it."""
    path, second = second_day
    again = run_experiment(read_experiment(path))
    states = {node.node_id: node.state for node in again.nodes}
    assert states["Transform"] == states["Trainer"] == states["RelaImpGate"] == "cached"
    assert again.output("BaseModel", "model") == second.output("BaseModel", "model")
