"""What a run keeps: enough to run it again, and to know what it gave."""

import json
import subprocess

import pytest
import yaml

from mtlx.components.slice_evaluation.intervals.confidence_curve import ConfidenceCurve
from mtlx.components.slice_evaluation.results import (
    Comparison,
    SeedMetrics,
    SliceMetrics,
    SliceResults,
    TrainedSeeds,
)
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.run.record.run_record import (
    ExperimentSource,
    describe_run,
    keep_experiment,
    metrics_record,
)
from mtlx.pipeline.tracking.run_entries import run_entries

TEXT = """# What I think of this experiment.
name: record
data: {path: /logs/*.csv, split: {by: time, column: day, test_from: 2024-01-08}}
features: {item: {kind: categorical}, price: {kind: numeric}}
tasks: {click: {label: click}}
model: {preset: ple}
gate: {baseline: reference, reference: {network: mmoe}, reference_training: {seed: 5}}
"""
OVERRIDES = ("training.epochs=3", "training.seed=7", "features.price.transform=log")


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return ExperimentSource.read(str(path), OVERRIDES)


@pytest.fixture
def experiment(source):
    return read_experiment(source.path, OVERRIDES)


def test_the_kept_experiment_runs_the_same_again(tmp_path, source, experiment):
    keep_experiment(tmp_path / "run", experiment, source)
    again = read_experiment(tmp_path / "run" / "experiment.yaml")
    assert again.anchored().model_dump() == experiment.anchored().model_dump()
    assert again.training.epochs == 3 and again.features["price"].transform == "log"
    assert (tmp_path / "run" / "experiment.given.yaml").read_text(encoding="utf-8") == TEXT
    first_line = (tmp_path / "run" / "experiment.yaml").read_text(encoding="utf-8").split("\n")[0]
    assert all(override in first_line for override in OVERRIDES)


def test_file_overrides_seeds_and_versions_are_named(source, experiment):
    record = describe_run(experiment, source)
    assert record["experiment"]["file"] == source.path
    assert record["experiment"]["overrides"] == list(OVERRIDES)
    assert record["seeds"] == {"candidate": 7, "reference": 5}
    several = read_experiment(source.path, [*OVERRIDES, "training.repeats=3"])
    assert describe_run(several, source)["seeds"]["candidate"] == [7, 8, 9]
    assert record["versions"]["tensorflow"].startswith("2.")
    json.dumps(record)


def test_the_revision_and_whether_something_changed_since(tmp_path, source, experiment):
    assert describe_run(experiment, source)["git"] is None
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "mine.yaml"], [*identity, "commit", "-qm", "First"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    (tmp_path / ".git" / "info" / "exclude").write_text("run/\n")
    git = describe_run(experiment, source)["git"]
    assert len(git["revision"]) == 40 and git["changed"] is False
    (tmp_path / "mine.yaml").write_text(TEXT + "# changed\n", encoding="utf-8")
    assert describe_run(experiment, source)["git"]["changed"] is True


def test_an_experiment_of_a_program_is_kept_without_a_file(tmp_path, experiment):
    keep_experiment(tmp_path / "run", experiment, None)
    record = describe_run(experiment, None)
    assert record["experiment"] is None and record["git"] is None
    kept = yaml.safe_load((tmp_path / "run" / "experiment.yaml").read_text(encoding="utf-8"))
    assert kept["name"] == "record"


def test_metrics_are_kept_and_what_is_left_out_is_counted():
    metrics = [
        SliceMetrics("candidate", "click", (("age", str(age)),), 0.7, 0.6, 0.8, 0.5, 1.0, 30, 100)
        for age in range(1200)
    ]
    comparison = Comparison("reference", "click", (), -1.0, -2.0, 0.5, -0.01, -0.02, 0.005)
    results = SliceResults(("candidate",), ("click",), 0.95, None, metrics, [comparison])
    record = metrics_record(results)
    assert len(record["metrics"]) == 1000 and record["metrics_left_out"] == 200
    assert record["metrics"][0]["auc"] == 0.7
    assert record["comparisons"][0]["relaimp"] == -1.0


def test_further_metrics_are_kept_flat():
    curve = ConfidenceCurve(-0.5, (0.6, 0.61, 0.62))
    metric = SliceMetrics(
        *("candidate", "click", (), 0.7, 0.6, 0.8, 0.5, 1.0, 30, 100),
        auc_curve=curve,
        values={
            "auc": Estimate(0.7, 0.6, 0.8),
            "calibration": Estimate(1.0, 0.9, 1.1),
            "gauc": Estimate(0.61, 0.6, 0.62, None, curve),
            "mrr": Estimate(reason="no requests with a positive"),
        },
        left_out={"gauc": 5},
    )
    compared = Comparison(
        *("reference", "click", (), -1.0, -2.0, 0.5, -0.01, -0.02, 0.005),
        differences={"gauc": Estimate(0.01, -0.01, 0.03)},
        relative={"gauc": Estimate(2.0)},
    )
    measured = ("auc", "log_loss", "calibration", "gauc", "mrr")
    results = SliceResults(
        *(("candidate",), ("click",), 0.95, None, [metric], [compared]), measured=measured
    )
    record = json.loads(json.dumps(metrics_record(results)))
    (one,), (other,) = record["metrics"], record["comparisons"]
    assert (one["gauc"], one["gauc_lower"], one["calibration_upper"]) == (0.61, 0.6, 1.1)
    assert not {"mrr", "values", "auc_curve"} & set(one) and one["auc"] == 0.7
    assert (other["gauc_difference"], other["gauc_relaimp"]) == (0.01, 2.0)
    entries = run_entries({"nodes": [], "seconds": 1, "run_id": "r", "outcome": "o", **record}, {})
    assert entries.metrics["gauc/click/overall.lower"] == 0.6
    assert entries.metrics["over_reference/gauc_difference/click/overall.upper"] == 0.03


def test_what_each_seed_measures_is_kept():
    by_seed = [SeedMetrics("candidate", seed, "click", (), {"auc": 0.7}) for seed in (1, 2, 3)]
    results = SliceResults(
        *(("candidate",), ("click",), 0.95, None, [], []),
        seeds={"candidate": TrainedSeeds((1, 2, 3), 2)},
        by_seed=by_seed,
    )
    record = json.loads(json.dumps(metrics_record(results)))
    assert record["trained_from"] == {"candidate": {"seeds": [1, 2, 3], "exported": 2}}
    assert [one["seed"] for one in record["metrics_by_seed"]] == [1, 2, 3]
    assert record["metrics_by_seed"][0]["slice"] == "overall"
    assert record["metrics_by_seed"][0]["values"] == {"auc": 0.7}
    once = SliceResults(("candidate",), ("click",), 0.95, None, [], [])
    assert "metrics_by_seed" not in metrics_record(once)
