"""The serving check in whole runs: what it says of a sound model, and what a refusal keeps away."""

import json
from pathlib import Path

import ml_metadata
import tensorflow as tf
from ml_metadata.proto import metadata_store_pb2
from tfx.types import standard_artifacts
from tfx.types.artifact_utils import deserialize_artifact

from mtlx.components.model_pusher.model_files import model_digest
from mtlx.components.model_pusher.serving_folder.push_record import PushRecord
from mtlx.pipeline import command_line
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.graph.resolvers.previous_blessed_model import PreviousBlessedModelStrategy
from mtlx.pipeline.run.local_run import run_experiment

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


#: No model is fast enough for it.
IMPOSSIBLE = "{rows: [1], calls: 1, latency: [{rows: 1, milliseconds: 1.0e-6}]}"


def test_a_model_that_is_refused_is_not_pushed_and_no_baseline_until_it_passes(finished, capsys):
    path, first = finished
    runs, serving = first.folder.parent, Path(first.pushed_to).parent
    arguments = ["run", str(path), "--set", f"serving.check={IMPOSSIBLE}"]
    assert command_line.main(arguments) == command_line.EXIT_NOT_BLESSED
    output = capsys.readouterr().out
    problem = "p50 of 1 rows is "
    assert f"✘ serving check: {problem}" in output
    assert "NOT BLESSED: the candidate passed the gate, but cannot be served as it should" in output
    record = json.loads((runs / "latest/run.json").read_text(encoding="utf-8"))
    states = {node["node_id"]: node["state"] for node in record["nodes"]}
    assert (record["blessed"], record["pushed_to"], states["Pusher"]) == (False, None, "skipped")
    assert states["ServingCheck"] == "complete" and states["Trainer"] == "cached"
    page = (runs / "latest/report.html").read_text(encoding="utf-8")
    assert "passed the gate, but cannot be served" in page and problem in page
    assert "not blessed</title>" in page
    assert command_line.main(["report", str(path)]) == 0
    output = capsys.readouterr().out
    assert ": not blessed" in output and f"serving check: {problem}" in output
    # The next run would find no model to compare with: the gate's blessing alone is none.
    assert _baselines(runs.parent) == 0 and _baselines(runs.parent, infra_blessing=False) == 1
    # TFX's cache holds an earlier check that passed, and is not asked.
    again = run_experiment(read_experiment(path))
    assert again.blessed and again.pushed_to == first.pushed_to
    assert {node.node_id: node.state for node in again.nodes}["ServingCheck"] == "complete"
    assert _baselines(runs.parent) == 1
    assert [folder.name for folder in serving.iterdir() if folder.name.isdecimal()] == ["1"]


def _baselines(root, infra_blessing=True):
    """How many models the next run's resolver finds, whatever its candidate."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(root / "metadata.sqlite")
    store = ml_metadata.MetadataStore(config)
    histories = {}
    for kind in (standard_artifacts.Model, standard_artifacts.ModelBlessing,
                 standard_artifacts.InfraBlessing, standard_artifacts.Examples):  # fmt: skip
        known = store.get_artifact_type(kind.TYPE_NAME)
        found = store.get_artifacts_by_type(kind.TYPE_NAME)
        histories[kind] = [deserialize_artifact(known, artifact) for artifact in found]
    names = ("model", "model_blessing", "infra_blessing", "examples")
    inputs = dict(zip(names, histories.values(), strict=True))
    if not infra_blessing:
        del inputs["infra_blessing"]
    return len(PreviousBlessedModelStrategy().resolve_artifacts(None, inputs)["model"])
