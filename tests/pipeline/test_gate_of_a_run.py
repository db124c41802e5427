"""The gate in whole runs: a served model that reads what is no longer there, and an anchor."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from mtlx.components.relaimp_gate.verdict import Verdict
from mtlx.components.slice_evaluation.results import load_results
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.graph.graph import create_pipeline
from mtlx.pipeline.run.local_run import run_experiment

UPPER = {"rule": "relaimp", "task": "*", "slice": "overall", "minimum": -50.0, "bound": "upper"}


@pytest.fixture(scope="module")
def renamed(finished, tmp_path_factory):
    """The finished experiment's next run, which calls `price` `cost` and has `age` as text.

    It has a root of its own, with a copy of the metadata, so that the finished one stays as it is.
    """
    path, first = finished
    folder = tmp_path_factory.mktemp("renamed")
    (folder / "root").mkdir()
    shutil.copy(first.folder.parents[1] / "metadata.sqlite", folder / "root")
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    features = values["features"]
    features["cost"] = {**features.pop("price"), "column": "price"}
    features["age"] = {"kind": "categorical"}
    # The other tasks, and slices, are judged as these are.
    values["tasks"] = {"click": values["tasks"]["click"]}
    values["evaluation"] |= {"slices": [["domain"]]}
    values["model"] = {"network": "shared_bottom", "embedding_size": 4}
    values["training"]["epochs"] = 1
    floors = values["gate"]["thresholds"]
    values["gate"] |= {
        "thresholds": [*floors, UPPER, {**UPPER, "against": "anchor"}],
        "anchor": {"last": 3},
        "first_run": "push",
    }
    values["run"]["pipeline_root"] = str(folder / "root")
    values["serving"]["push_to"] = str(folder / "serving")
    changed = folder / "experiment.yaml"
    changed.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return run_experiment(read_experiment(changed))


def test_the_crippled_baseline_is_named_and_nothing_is_pushed(renamed):
    assert not renamed.blessed and renamed.pushed_to is None
    verdict = Verdict.load(renamed.output("RelaImpGate", "blessing"))
    blocked = [check.message for check in verdict.checks if not check.passed]
    compared = [message for message in blocked if "click, overall: not decidable" in message]
    for message, model in zip(compared, ("baseline", "anchor"), strict=True):
        assert (
            f"the {model} model reads price (column price, which the experiment calls cost), "
            "which the examples do not hold" in message
        )
        assert "reads age as a number (numeric), which the examples hold as text" in message
    # Everything up to there was done.
    results = load_results(renamed.output("SliceEvaluation", "evaluation"))
    assert results.models == ("candidate",)
    assert results.metric("candidate", "click").auc is not None
    assert "which the experiment calls cost" in (renamed.folder / "report.html").read_text(
        encoding="utf-8"
    )


def test_the_lineage_is_found_in_the_metadata(renamed, finished):
    file = Path(renamed.output("RelaImpGate", "blessing")) / "verdict.json"
    verdict = json.loads(file.read_text(encoding="utf-8"))
    models = {seen["model"]: seen for seen in verdict["lineage"]}
    assert set(models) == {"candidate", "baseline", "anchor"}
    # Both runs read the same files, and split them by day alike.
    for name in ("baseline", "anchor"):
        assert models[name]["examples"] == "16 files (16 of them read now, too)"
        assert models[name]["seen_test_rows"] == "none"
        assert models[name]["tested_on"] == models["candidate"]["tested_on"]


def test_a_given_model_leaves_the_served_one_in_view(finished):
    path, first = finished
    overrides = [f"gate.given_model={first.pushed_to}", "gate.thresholds=[{rule: auc, minimum: 0}]"]
    nodes = {
        node.id: node
        for node in create_pipeline(read_experiment(path, overrides), "root").components
    }
    gate = nodes["RelaImpGate"].inputs
    assert {"GivenModel", "LatestBlessedModel"} <= set(nodes)
    assert gate["baseline_model"].producer_component_id == "GivenModel"
    assert gate["served_model"].producer_component_id == "LatestBlessedModel"
    assert "anchor_model" not in gate and "AnchorModel" not in nodes
