"""Versions that real runs pushed: what is noted beside them, an older span, a withdrawn model."""

import hashlib
import shutil
from pathlib import Path

import pytest
import yaml

from mtlx.components.model_pusher.serving_folder.push_record import PushRecord
from mtlx.components.model_pusher.serving_folder.versions import Versions
from mtlx.components.relaimp_gate.verdict import Verdict
from mtlx.components.slice_evaluation.results import load_results
from mtlx.pipeline import command_line
from mtlx.pipeline.cleaning.clean import clean
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.run.local_run import run_experiment
from mtlx.pipeline.run.workplace import Workplace
from mtlx.pipeline.versions.roll_back import roll_back

FEATURES = ("user_id", "item_id", "price", "scenario")


def test_what_a_version_was_made_of_stands_beside_it(finished):
    _, result = finished
    record = PushRecord.load(result.pushed_to)
    lineage = record.lineage
    assert (record.run_id, lineage.experiment) == (result.run_id, "default")
    assert lineage.verdict == {"blessed": True, "against": None, "checks": 1}
    # Of the gate's one task, what the evaluation measured on all rows.
    results = load_results(result.output("SliceEvaluation", "evaluation"))
    click = results.metric("candidate", "click")
    assert lineage.metrics == {
        "click": {"auc": {"value": click.auc, "lower": click.auc_lower, "upper": click.auc_upper}}
    }
    schema = Path(result.output("SchemaGen", "schema")) / "schema.pbtxt"
    assert lineage.schema_digest == hashlib.sha256(schema.read_bytes()).hexdigest()
    assert lineage.tested_on == ()  # these logs have no spans


@pytest.fixture(scope="module")
def daily(finished, logs, tmp_path_factory):
    """An experiment on single days, beside the version of the finished run."""
    path, first = finished
    folder = tmp_path_factory.mktemp("daily")
    shutil.copytree(Path(first.pushed_to).parent, folder / "serving")
    (folder / "root").mkdir()
    shutil.copy(first.folder.parents[1] / "metadata.sqlite", folder / "root")
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    values["data"] |= {
        "path": str(logs / "logs/day={SPAN:2}/*.csv"),
        "split": {"by": "hash", "of": "user_id", "train": 0.5, "validation": 0.1, "test": 0.4},
    }
    values["gate"] |= {"minimum_positives": 1}
    # What is learnt, and of what, is not asked here: one task of two features besides the keys.
    values["features"] = {name: values["features"][name] for name in FEATURES}
    values["tasks"] = {"click": values["tasks"]["click"]}
    values["evaluation"] |= {"slices": [["domain"]]}
    values["model"] = {"network": "shared_bottom", "embedding_size": 4}
    values["training"] |= {"epochs": 1}
    values["serving"] |= {"push_to": str(folder / "serving"), "check": None}
    values["run"]["pipeline_root"] = str(folder / "root")
    values.pop("kubeflow", None)  # whose logs have no spans
    changed = folder / "experiment.yaml"
    changed.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return changed, run_experiment(read_experiment(changed))


def test_an_older_span_is_held_back_by_what_serves_though_the_store_is_new(daily, tmp_path, capsys):
    path, newest = daily
    assert newest.blessed and newest.pushed_to.endswith("/2")
    assert PushRecord.load(newest.pushed_to).lineage.spans == "8"
    arguments = ["run", str(path), "--set", "data.span=7"]
    arguments += ["--set", f"run.pipeline_root={tmp_path}/root"]
    words = (
        "the candidate was tested on the span 7, older than the span 8 on which version 2, which "
        "serves, was tested"
    )
    assert command_line.main(arguments) == command_line.EXIT_NOT_BLESSED
    out = " ".join(capsys.readouterr().out.split())
    assert words in out and "NOT BLESSED" in out and "--set gate.allow_older_span=true" in out
    (report,) = (tmp_path / "root/runs").glob("2*/report.html")
    assert words in report.read_text(encoding="utf-8")
    versions = Versions(str(path.parent / "serving"))
    assert versions.serving.number == 2
    # Where it is asked for it becomes the newest; only the verdict is made anew.
    assert command_line.main([*arguments, "--set", "gate.allow_older_span=true"]) == 0
    assert "gate.allow_older_span lets it pass" in " ".join(capsys.readouterr().out.split())
    serving = Versions(versions.base).serving
    assert (serving.number, serving.record.lineage.spans) == (3, "7")


def test_a_withdrawn_model_does_not_come_back_with_a_cached_rerun(daily):
    path, newest = daily
    experiment = read_experiment(path)
    versions = Versions(str(path.parent / "serving"))
    done = roll_back(Workplace.here(experiment), 1, False, lambda done: None)
    assert done.is_baseline and 2 in done.withdrawn
    again = run_experiment(experiment)
    states = {node.node_id: node.state for node in again.nodes}
    assert states["Trainer"] == states["LogExampleGen"] == "cached"
    assert not again.blessed and again.pushed_to is None
    verdict = Verdict.load(again.output("RelaImpGate", "blessing"))
    (blocked,) = [check for check in verdict.checks if not check.passed]
    assert blocked.rule == "withdrawn" and "mtlx rollback --to" in blocked.message
    assert Versions(versions.base).serving.number == done.number


def test_a_cleaned_root_serves_a_rerun_from_the_cache(daily):
    """After the runs above; what they share with each other and with the first one is needed."""
    path, _ = daily
    experiment = read_experiment(path)
    place = Workplace.here(experiment)
    plan = clean(place, 1, None, False)
    assert any(removal.kind == "Report/report" for removal in plan.removals)
    assert all(removal.path.startswith(str(place.root)) for removal in plan.removals)
    again = run_experiment(experiment)
    states = {node.node_id: node.state for node in again.nodes}
    # The candidate is withdrawn, so that it is not served on trial either.
    cached = {node for node, state in states.items() if state in ("cached", "skipped")}
    # Pusher looks every time, and a resolver has nothing to cache.
    resolvers = {"BlessedSchema", "LatestBlessedModel", "AnchorModel"}
    assert set(states) - cached <= {*resolvers, "Pusher"}
