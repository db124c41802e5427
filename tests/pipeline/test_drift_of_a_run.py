"""Drift in whole runs: what is said of a quiet log, and a run that stops at one that moved."""

import csv
import json
import shutil

import pytest
import yaml

from mtlx.components.drift_guard.drift_result import Drift
from mtlx.pipeline import command_line
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.graph.graph import create_pipeline
from mtlx.pipeline.run.local_run import run_experiment
from mtlx.pipeline.run.run_result import RunFailed
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
def changed(finished, logs, tmp_path):
    """Writes the finished experiment over logs of which every row is changed by a function.

    It goes on from the metadata of the finished run, in a root of its own.
    """

    def function(change):
        path, first = finished
        shutil.copytree(logs / "logs", tmp_path / "logs")
        days = sorted((tmp_path / "logs").glob("day=*"))
        for day in days:
            for file in day.glob("*.csv"):
                with open(file, encoding="utf-8", newline="") as stream:
                    rows = list(csv.DictReader(stream))
                with open(file, "w", encoding="utf-8", newline="") as stream:
                    writer = csv.DictWriter(stream, rows[0])
                    writer.writeheader()
                    writer.writerows(row | change(row, day == days[-1]) for row in rows)
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        values["data"]["path"] = str(tmp_path / "logs/day=*/*.csv")
        values["run"]["pipeline_root"] = str(tmp_path / "root")
        values["drift"] = {"on_drift": "stop"}
        (tmp_path / "root").mkdir()
        shutil.copy(first.folder.parents[1] / "metadata.sqlite", tmp_path / "root")
        written = tmp_path / "experiment.yaml"
        written.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return written

    return function


def test_a_feature_that_moved_stops_the_run_before_it_trains(changed, tmp_path):
    def change(row, is_test):
        price = row["price"] and is_test and f"{3 * float(row['price']):.2f}"
        # A value that only the run before has seen in training: its schema is carried over.
        return {"gender": row["gender"] if is_test else "m", "price": price or row["price"]}

    with pytest.raises(RunFailed) as caught:
        run_experiment(read_experiment(changed(change)))
    first, *moved = str(caught.value).splitlines()
    assert first == "DriftGuard: the data moved in 3 places:"
    words = "  split test against split train: "
    named = {line.removeprefix(words).split(":")[0] for line in moved[:3]}
    assert named == {"gender (m)", "gender", "price"}
    assert "--set drift.on_drift=warn" in moved[3]
    assert not list(tmp_path.glob("root/artifacts/Transform"))


def test_a_value_that_only_the_test_split_has_stops_the_run(changed):
    def change(row, is_test):
        return {"gender": "x"} if is_test and row["item_id"].endswith("1") else {}

    with pytest.raises(RunFailed) as caught:
        run_experiment(read_experiment(changed(change)))
    lines = str(caught.value).splitlines()
    assert lines[0] == "AnomalyGuard: the data does not match its schema in 1 places:"
    assert lines[1].startswith("  split 'test', feature 'gender': Unexpected string values: ")
    assert "validation.open_features" in lines[2]


def test_the_schema_is_shown_written_and_then_what_runs_are_held_against(
    finished, tmp_path, capsys
):
    path, _ = finished
    assert command_line.main(["schema", str(path)]) == 0
    shown = capsys.readouterr().out
    assert 'name: "gender"' in shown and "inferred" not in shown
    assert command_line.main(["schema", str(path), "--write"]) == 2
    assert "validation.schema_path" in capsys.readouterr().err
    place = tmp_path / "reviewed" / "schema.pbtxt"
    write = ["schema", str(path), "--write", "--set", f"validation.schema_path={place}"]
    assert command_line.main(write) == command_line.main(write) == 0
    assert place.read_text(encoding="utf-8") == shown
    place.write_text(shown.replace("max: 1\n", "max: 2\n"), encoding="utf-8")
    capsys.readouterr()
    assert command_line.main(write) == 2
    assert "holds another schema" in capsys.readouterr().err
    assert command_line.main([*write, "--overwrite"]) == 0
    assert place.read_text(encoding="utf-8") == shown
    pipeline = create_pipeline(
        read_experiment(path, [f"validation.schema_path={place}"]), str(tmp_path)
    )
    ids = {node.id for node in pipeline.components}
    assert "ImportSchemaGen" in ids and not {"SchemaGen", "BlessedSchema"} & ids


def test_a_schema_needs_a_run(finished, tmp_path, capsys):
    path, _ = finished
    root = f"run.pipeline_root={tmp_path / 'none'}"
    assert command_line.main(["schema", str(path), "--set", root]) == 2
    assert "has no finished run to take a schema from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("drift.features={prise: {missing: 0.1}}", "drift.features names no feature: 'prise'"),
        ("drift.label_rates={clik: 0.1}", "drift.label_rates names no task: 'clik'"),
        ("validation.open_features=[itm]", "validation.open_features names no feature: 'itm'"),
        ("drift.on_drift=halt", "drift.on_drift"),
        ("drift.thresholds.psi=0", "drift.thresholds.psi"),
    ],
)
def test_wrong_settings_are_refused_by_name(finished, capsys, override, message):
    path, _ = finished
    assert command_line.main(["run", str(path), "--set", override]) == 2
    assert message in capsys.readouterr().err
