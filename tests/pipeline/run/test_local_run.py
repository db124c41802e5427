"""The whole pipeline in one process: real Beam, ML-Metadata, Transform, training, TFMA, Pusher."""

import json
import re
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from mtlx.components.slice_evaluation.results import load_results
from mtlx.pipeline import command_line
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.history.list_runs import list_runs
from mtlx.pipeline.run import node_run
from mtlx.pipeline.run.local_run import run_experiment
from mtlx.pipeline.run.run_folder import RunFolder
from mtlx.pipeline.run.run_lock import PipelineRootInUse, run_lock
from mtlx.pipeline.run.run_result import RunFailed

NODES = [
    "LogExampleGen", "StatisticsGen", "BlessedSchema", "SchemaGen", "ExampleValidator", "AnomalyGuard",
    "DriftGuard", "Transform", "Trainer", "LatestBlessedModel", "SliceEvaluation", "RelaImpGate",
    "ServingCheck", "Report", "Pusher",
]  # fmt: skip


def test_every_node_runs_and_says_how_much_it_did(finished):
    _, result = finished
    assert sorted(node.node_id for node in result.nodes) == sorted(NODES)
    rows = {node.node_id: node.rows for node in result.nodes}
    assert rows["LogExampleGen"] == 3000
    assert rows["Trainer"] > 0
    assert all(node.seconds > 0 for node in result.nodes)


def test_blessed_model_is_pushed_and_serves_raw_examples(finished):
    _, result = finished
    assert result.blessed
    served = tf.saved_model.load(result.pushed_to)
    files = tf.io.gfile.glob(result.output("LogExampleGen", "examples") + "/Split-test/*")
    examples = list(tf.data.TFRecordDataset(files, "GZIP").take(5))
    probabilities = served.signatures["serving_default"](tf.stack(examples))
    assert set(probabilities) == {"click", "add_to_cart", "purchase"}
    assert all(value.shape == (5,) for value in probabilities.values())


def test_what_is_evaluated_covers_tasks_domains_and_crosses(finished):
    _, result = finished
    results = load_results(result.output("SliceEvaluation", "evaluation"))
    slices = {metric.slice for metric in results.metrics if metric.task == "click"}
    assert {"overall", "domain=home_feed", "domain=search", "domain=product_page"} <= slices
    assert any("gender=" in name for name in slices)
    clicks = results.metric("candidate", "click").positives
    assert results.metric("candidate", "add_to_cart").examples == clicks


def test_training_cannot_read_the_test_split(finished):
    _, result = finished
    transformed = Path(result.output("Transform", "transformed_examples"))
    assert sorted(path.name for path in transformed.iterdir()) == [
        "Split-train",
        "Split-validation",
    ]


def test_report_and_summary_lie_in_the_runs_folder(finished):
    path, result = finished
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "mmoe (experts 2, embedding_size 4)" in page
    assert "batch_size 256, epochs 2" in page
    summary = json.loads((result.folder / "run.json").read_text(encoding="utf-8"))
    assert summary["blessed"] is True
    assert summary["pushed_to"] == result.pushed_to
    # From the run's beginning on, which is before its nodes.
    assert summary["seconds"] >= result.seconds > 0
    assert summary["metrics"][0]["slice"] == "overall" and 0 < summary["metrics"][0]["auc"] < 1
    assert summary["seeds"] == {"candidate": 1}
    assert summary["versions"]["tfx"]
    assert (summary["outcome"], summary["model"]) == ("blessed", "mmoe")
    sizes = {node["node_id"]: node["bytes"] for node in summary["nodes"]}
    files = [file for file in Path(result.output("Trainer", "model")).rglob("*") if file.is_file()]
    assert sizes["Trainer"] >= sum(file.stat().st_size for file in files) > 100_000
    assert sizes["LatestBlessedModel"] is None
    kept = read_experiment(result.folder / "experiment.yaml")
    assert kept.model_dump() == read_experiment(path).anchored().model_dump()
    assert (result.folder.parent / "latest").resolve() == result.folder


def test_second_run_is_served_from_the_cache_and_pushes_nothing_new(finished):
    path, first = finished
    second = run_experiment(read_experiment(path))
    states = {node.node_id: node.state for node in second.nodes}
    # A resolver has nothing to cache, and Pusher looks whether the model is still served.
    looking = {"BlessedSchema", "LatestBlessedModel", "Pusher"}
    assert {node for node, state in states.items() if state != "cached"} <= looking
    assert second.pushed_to == first.pushed_to
    assert _versions(first) == ["1"]


def test_a_model_below_the_threshold_is_not_pushed(finished, capsys):
    path, first = finished
    arguments = ["run", str(path), "--set", "gate.thresholds=[{rule: auc, minimum: 0.999}]"]
    assert command_line.main(arguments) == command_line.EXIT_NOT_BLESSED
    output = capsys.readouterr().out
    assert "NOT BLESSED" in output
    assert "report.html" in output
    assert "Pushed to" not in output
    assert _versions(first) == ["1"]
    # That nothing was pushed, nor served on trial, shows wherever the nodes are listed.
    assert re.search(r"○ ServingCheck +skipped ", output)
    assert re.search(r"○ Pusher +skipped ", output)
    summary = json.loads((first.folder.parent / "latest/run.json").read_text(encoding="utf-8"))
    states = {node["node_id"]: node["state"] for node in summary["nodes"]}
    assert (states["Pusher"], summary["pushed_to"]) == ("skipped", None)
    assert (states["ServingCheck"], summary["serving_check"]["checked"]) == ("skipped", False)
    assert command_line.main(["report", str(path)]) == 0
    output = capsys.readouterr().out
    assert re.search(r"  Pusher +skipped ", output)
    assert "pushed to" not in output


def _versions(result):
    """Names of the versions in the serving folder."""
    folder = Path(result.pushed_to).parent
    return sorted(path.name for path in folder.iterdir() if path.name.isdecimal())


def test_a_given_model_is_the_baseline(finished):
    path, first = finished
    overrides = [
        f"gate.given_model={json.dumps(first.pushed_to)}",
        "gate.thresholds=[{rule: relaimp, minimum: 0.5, bound: point}]",
    ]
    result = run_experiment(read_experiment(path, overrides))
    results = load_results(result.output("SliceEvaluation", "evaluation"))
    # The given model is the candidate's own copy.
    assert results.comparison("baseline", "click").auc_difference == pytest.approx(0)
    assert not result.blessed


def test_anomalies_stop_the_run_unless_allowed(finished, tmp_path):
    path, first = finished
    schema = Path(first.output("SchemaGen", "schema")) / "schema.pbtxt"
    reviewed = tmp_path / "schema.pbtxt"
    text = schema.read_text(encoding="utf-8")
    reviewed.write_text(text.replace('name: "price"', 'name: "cost"'), encoding="utf-8")
    override = f"validation.schema_path={reviewed}"
    with pytest.raises(RunFailed, match="(?s)AnomalyGuard: .*price"):
        run_experiment(read_experiment(path, [override]))


def test_a_run_that_fails_leaves_its_record_and_latest_as_it_was(finished, monkeypatch):
    path, _ = finished
    latest = read_experiment(path).anchored().run.pipeline_root + "/runs/latest"
    before = Path(latest).resolve()
    monkeypatch.setattr("mtlx.pipeline.run.node_run.run_node", _fail_at_trainer)
    with pytest.raises(RunFailed) as caught:
        run_experiment(read_experiment(path))
    assert caught.value.where == "Trainer"
    assert Path(latest).resolve() == before
    failed = list_runs(before.parent.parent)[-1]
    assert (failed.verdict, failed.message) == ("failed at Trainer", "the loss is no number")
    assert failed.nodes[-1].state == "failed" and failed.nodes[0].state == "cached"
    assert failed.model == "mmoe" and failed.seconds > 0


_run_node = node_run.run_node


def _fail_at_trainer(pipeline, node_id):
    if node_id == "Trainer":
        raise ValueError("the loss is no number")
    return _run_node(pipeline, node_id)


#: Says what it is told, and fails.
FAILING = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read()); sys.exit('no such channel')"


@pytest.mark.parametrize("ends", ["blocked", "failed"])
def test_a_notifier_is_told_and_its_failure_changes_nothing(
    finished, tmp_path, capsys, monkeypatch, ends
):
    path, first = finished
    told = tmp_path / "told.txt"
    command = json.dumps([sys.executable, "-c", FAILING, str(told)])
    arguments = ["run", str(path), "--set", f"notify.command={command}"]
    if ends == "failed":
        monkeypatch.setattr("mtlx.pipeline.run.node_run.run_node", _fail_at_trainer)
        assert command_line.main(arguments) == command_line.EXIT_FAILED
        said = capsys.readouterr().err
        lines = ["Trainer: the loss is no number", "The model was not pushed."]
    else:
        arguments += ["--set", "gate.thresholds=[{rule: auc, minimum: 0.999}]"]
        assert command_line.main(arguments) == command_line.EXIT_NOT_BLESSED
        said = capsys.readouterr().out
        lines = ["Report: "]
    assert f"Not notified ({ends}): {sys.executable} ended with code 1: no such channel" in said
    for line in lines:
        assert line in told.read_text(encoding="utf-8")
    newest = max(folder.path for folder in RunFolder.all(first.folder.parent.parent))
    assert f"Not notified ({ends})" in (newest / "log.txt").read_text(encoding="utf-8")


def test_a_second_run_at_the_same_time_is_refused(finished):
    path, first = finished
    with run_lock(first.folder.parent.parent):
        with pytest.raises(PipelineRootInUse, match="another run is at work here"):
            run_experiment(read_experiment(path))


def test_a_failing_node_is_named_with_the_log(write_experiment, tmp_path):
    path = write_experiment(data={"path": str(tmp_path / "nothing" / "*.csv")})
    with pytest.raises(RunFailed, match=r"(?s)LogExampleGen: .*nothing.*Log: .*log\.txt"):
        run_experiment(read_experiment(path))
