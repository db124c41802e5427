"""The serving check in whole runs: what it says of a sound model, and what a refusal keeps away."""

import json
import shutil
from pathlib import Path

import ml_metadata
import pytest
import tensorflow as tf
import yaml
from ml_metadata.proto import metadata_store_pb2
from tfx.types import standard_artifacts
from tfx.types.artifact_utils import deserialize_artifact

from mtlx.components.model_pusher.model_files import model_digest
from mtlx.components.model_pusher.serving_folder.push_record import PushRecord
from mtlx.pipeline import command_line
from mtlx.pipeline.graph.previous_blessed_model import PreviousBlessedModelStrategy

WARM_UP = "assets.extra/tf_serving_warmup_requests"


def test_what_was_evaluated_is_what_a_stranger_is_served(finished):
    _, result = finished
    record = json.loads((result.folder / "run.json").read_text(encoding="utf-8"))
    outcome = record["serving_check"]
    assert outcome["blessed"] and all(finding["passed"] for finding in outcome["findings"])
    told = [finding["message"] for finding in outcome["findings"]]
    assert "serving_default gives for " in told[1] and "serving_columns gives for " in told[2]
    assert [latency["rows"] for latency in outcome["latencies"]] == [1, 100, 500]
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "The serving check" in page and told[-1] in page


def test_the_pushed_model_holds_warm_up_requests_and_has_its_digest(finished):
    _, result = finished
    pushed = Path(result.pushed_to)
    assert (pushed / WARM_UP).stat().st_size > 1000
    assert PushRecord.load(str(pushed)).digest == model_digest(str(pushed))
    records = list(tf.data.TFRecordDataset(str(pushed / WARM_UP)).as_numpy_iterator())
    assert len(records) == 4


@pytest.fixture(scope="module")
def refused(finished, tmp_path_factory):
    """Folder of the finished experiment's next run, which no model is fast enough for."""
    path, first = finished
    folder = tmp_path_factory.mktemp("refused")
    (folder / "root").mkdir()
    shutil.copy(first.folder.parents[1] / "metadata.sqlite", folder / "root")
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    limit = {"rows": 1, "quantile": "p50", "milliseconds": 1e-6}
    values["serving"] = {
        "push_to": str(folder / "serving"),
        "check": {"rows": [1], "calls": 1, "latency": [limit]},
    }
    values["run"]["pipeline_root"] = str(folder / "root")
    changed = folder / "experiment.yaml"
    changed.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return changed


def test_a_model_that_is_refused_is_not_pushed_and_no_baseline(refused, capsys):
    assert command_line.main(["run", str(refused)]) == command_line.EXIT_NOT_BLESSED
    output = capsys.readouterr().out
    problem = "p50 of 1 rows is "
    assert f"✘ serving check: {problem}" in output
    assert "NOT BLESSED: the candidate passed the gate, but cannot be served as it should" in output
    assert not (refused.parent / "serving").exists()
    folder = refused.parent / "root/runs/latest"
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    states = {node["node_id"]: node["state"] for node in record["nodes"]}
    assert (record["blessed"], record["pushed_to"], states["Pusher"]) == (False, None, "skipped")
    assert states["ServingCheck"] == "complete" and states["Trainer"] == "cached"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "passed the gate, but cannot be served" in page and problem in page
    assert "<title>" in page and "not blessed</title>" in page
    assert command_line.main(["report", str(refused)]) == 0
    output = capsys.readouterr().out
    assert ": not blessed" in output and f"serving check: {problem}" in output
    # The next run finds no model to compare with: the gate's blessing alone is none.
    kinds = ("Model", "ModelBlessing", "InfraBlessing", "Examples")
    models, blessings, infra, examples = (_artifacts(refused, kind) for kind in kinds)
    histories = {"model": models, "model_blessing": blessings, "examples": examples}
    resolve = PreviousBlessedModelStrategy().resolve_artifacts
    assert len(resolve(None, histories)["model"]) == 1
    assert resolve(None, {**histories, "infra_blessing": infra})["model"] == []


def _artifacts(experiment, kind):
    """All artifacts of a type in the run's store."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(experiment.parent / "root/metadata.sqlite")
    store = ml_metadata.MetadataStore(config)
    known = store.get_artifact_type(kind)
    assert getattr(standard_artifacts, kind).TYPE_NAME == kind
    return [deserialize_artifact(known, artifact) for artifact in store.get_artifacts_by_type(kind)]
