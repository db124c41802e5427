"""Drift in whole runs: what is said of a quiet log, and a run that stops at one that moved."""

import csv
import json
import shutil

import pytest
import yaml

from mtlx.components.drift_guard.drift_result import Drift
from mtlx.pipeline import command_line
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.run.local_run import RunFailed, run_experiment
from mtlx.pipeline.terminal.drift_lines import drift_lines


def test_a_quiet_log_is_said_to_be_one_in_terminal_report_and_record(finished):
    _, result = finished
    quiet, moved = drift_lines(result.nodes)
    assert moved == [] and len(quiet) == 1
    assert quiet[0].startswith("Drift, split test against split train: none of ")
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "No feature and no label rate moved beyond its threshold." in page
    assert "Distribution of price before" in page
    record = json.loads((result.folder / "run.json").read_text(encoding="utf-8"))
    assert record["drift"] == []
    (comparison,) = Drift.load(result.output("DriftGuard", "drift")).comparisons
    # What serves for grouping alone is not looked at.
    assert {feature.name for feature in comparison.features} >= {"price", "category", "clicked"}
    domains = {movement.detail for movement in comparison.labels if movement.of == "click"}
    assert domains == {"", "home_feed", "search", "product_page"}


@pytest.fixture
def moved(finished, logs, tmp_path):
    """The finished experiment over logs in whose last day prices are threefold."""
    path, _ = finished
    shutil.copytree(logs / "logs", tmp_path / "logs")
    for file in sorted((tmp_path / "logs").glob("day=*"))[-1].glob("*.csv"):
        with open(file, encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        with open(file, "w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0])
            writer.writeheader()
            for row in rows:
                price = row["price"] and f"{3 * float(row['price']):.2f}"
                writer.writerow({**row, "price": price})
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    values["data"]["path"] = str(tmp_path / "logs/day=*/*.csv")
    values["run"]["pipeline_root"] = str(tmp_path / "root")
    values["drift"] = {"on_drift": "stop"}
    changed = tmp_path / "experiment.yaml"
    changed.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return changed


def test_a_feature_that_moved_stops_the_run_before_it_trains(moved, capsys):
    with pytest.raises(RunFailed) as caught:
        run_experiment(read_experiment(moved))
    lines = str(caught.value).splitlines()
    assert lines[0] == "DriftGuard: the data moved in 1 places:"
    assert lines[1].startswith("  split test against split train: price: jensen shannon 0.")
    assert "--set drift.on_drift=warn" in lines[2]
    assert not list(moved.parent.glob("root/artifacts/Transform"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("drift.features={prise: {missing: 0.1}}", "drift.features names no feature: 'prise'"),
        ("drift.label_rates={clik: 0.1}", "drift.label_rates names no task: 'clik'"),
        ("drift.on_drift=halt", "drift.on_drift"),
        ("drift.thresholds.psi=0", "drift.thresholds.psi"),
    ],
)
def test_wrong_settings_are_refused_by_name(finished, capsys, override, message):
    path, _ = finished
    assert command_line.main(["run", str(path), "--set", override]) == 2
    assert message in capsys.readouterr().err
