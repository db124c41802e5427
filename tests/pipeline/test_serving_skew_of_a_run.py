"""Serving skew in whole runs, on what `mtlx score` has written as a log of what was served."""

import json

import pandas as pd
import pytest
import yaml

from mtlx.components.skew_guard.skew_result import Skew
from mtlx.pipeline import command_line
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.graph.graph import create_pipeline
from mtlx.pipeline.run.local_run import run_experiment
from mtlx.pipeline.run.run_result import RunFailed
from mtlx.pipeline.terminal.drift_lines import drift_lines


@pytest.fixture(scope="module")
def served(finished, logs, tmp_path_factory):
    """The newest day, scored by the model that the finished run has pushed."""
    path, _ = finished
    folder = tmp_path_factory.mktemp("served") / "day"
    command = ["score", str(path), "--input", str(logs / "logs/day=08/*.csv")]
    command += ["--output", str(folder), "--columns", "impression_id", "--with-features"]
    assert command_line.main(command) == 0
    return folder


@pytest.fixture
def written(finished, served, tmp_path):
    """Writes the finished experiment with serving logs, of which a function changes the rows.

    What the finished run has done is served from the cache.
    """

    def function(change=lambda rows: rows, **skew):
        path, _ = finished
        (tmp_path / "served").mkdir(exist_ok=True)
        rows = change(pd.read_parquet(served))
        if rows is not None:
            rows.to_parquet(tmp_path / "served" / "part.parquet")
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        values["data"]["serving_path"] = str(tmp_path / "served" / "*.parquet")
        scores = {task: f"score_{task}" for task in values["tasks"]}
        values["skew"] = {"reader": "parquet", "scores": scores} | skew
        place = tmp_path / "experiment.yaml"
        place.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return place

    return function


def test_what_was_scored_in_bulk_is_a_serving_log(written):
    # Twice: what the run itself pushes is not taken for what served.
    for state in ("complete", "cached"):
        result = run_experiment(read_experiment(written()))
        states = {node.node_id: node.state for node in result.nodes}
        assert states.pop("SkewGuard") == state
        assert states["LogExampleGen"] == states["StatisticsGen"] == states["Trainer"] == "cached"
    skew = Skew.load(result.output("SkewGuard", "skew"))
    assert skew.beyond == [] and skew.notes == ()
    for score in skew.scores:
        assert score.compared == score.rows > 300 and score.differing == 0
        assert list(score.versions) == ["1"]
    quiet, loud = drift_lines(result.nodes)
    assert loud == []
    assert quiet[-1].startswith("Serving skew, what was served against split test: none of ")
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "No feature and no score differs beyond its threshold." in page
    assert "Distribution of price as served" in page
    record = json.loads((result.folder / "run.json").read_text(encoding="utf-8"))
    assert record["skew"] == []


def test_what_was_served_otherwise_is_named_or_stops_the_run(written, tmp_path):
    def change(rows):
        price = pd.to_numeric(rows["price"]) * 100
        return rows.assign(price=price, score_click=rows["score_click"].round(2))

    result = run_experiment(read_experiment(written(change)))
    _, (line,) = drift_lines(result.nodes)
    assert line.startswith("Serving skew, what was served against split test: score of click ")
    record = json.loads((result.folder / "run.json").read_text(encoding="utf-8"))
    # Of the changed price the model makes other scores than those that were served.
    named = {words.split(" (")[0].split(":")[0] for words in record["skew"]}
    assert named >= {"score of click", "price"}
    assert not {name for name in named if not name.startswith("score of ")} - {"price"}
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "of the measures lie beyond their thresholds." in page.split('id="skew"')[1]
    marker = tmp_path / "told.txt"
    told = {"events": ["drifted"], "command": ["sh", "-c", f"cat > '{marker}'"]}
    experiment = read_experiment(written(change, on_skew="stop"), [f"notify={json.dumps(told)}"])
    with pytest.raises(RunFailed) as caught:
        run_experiment(experiment)
    first, *_ = str(caught.value).splitlines()
    assert first.startswith("SkewGuard: what was served differs in ")
    assert "score of click" in marker.read_text(encoding="utf-8")


def test_before_there_are_serving_logs_the_run_says_so(written, capsys):
    path = written(lambda rows: None)
    result = run_experiment(read_experiment(path))
    quiet, (line,) = drift_lines(result.nodes)
    assert line.startswith("Serving skew: no serving logs are there yet: no file matches ")
    assert len(quiet) == 1 and "Serving skew" not in quiet[0]
    assert command_line.main(["check", str(path), "--set", "skew.missing_logs=refuse"]) == 2
    assert "data.serving_path: no serving logs are there yet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("skew.scores={clik: score_click}", "skew.scores names no task: 'clik'"),
        ("skew.scores={click: score_clik}", "no column 'score_clik', did you mean 'score_click'"),
        ("skew.version=version", "no column 'version'"),
        ("skew.key=impression_id", "write features.impression_id: {kind: categorical, embed: fa"),
        ("skew.features={prise: {missing: 0.1}}", "skew.features names no feature: 'prise'"),
        ("skew.reader=csv", "is a Parquet file"),
        ("skew.reader=parkett", "skew.reader: unknown reader 'parkett', did you mean 'parquet'"),
        ("serving.push_to=null", "set serving.push_to, or skew.versions_in"),
        ("components.statistics=stock", "leave data.serving_path out"),
        ("data.serving_path=logs/{SPAN}/*.csv", "data.path has none that would tell which one"),
    ],
)
def test_wrong_settings_and_logs_are_refused_in_one_line(written, capsys, override, message):
    assert command_line.main(["run", str(written()), "--set", override]) == 2
    told = capsys.readouterr().err
    assert message in told and len(told.strip().splitlines()) == 1


def test_without_serving_logs_there_is_no_node_and_with_them_nothing_is_read_anew(
    written, finished, tmp_path
):
    nodes = {}
    for path in (finished[0], written()):
        pipeline = create_pipeline(read_experiment(path), str(tmp_path))
        nodes[path] = {node.id: node for node in pipeline.components}
    before, with_logs = nodes.values()
    assert with_logs.keys() - before.keys() == {"SkewGuard"} and not before.keys() - with_logs
    data = [one["LogExampleGen"].exec_properties["data"] for one in (before, with_logs)]
    assert data[0] == data[1]
    left_out = ["data.serving_path=null"]
    pipeline = create_pipeline(read_experiment(written(), left_out), str(tmp_path))
    assert {node.id for node in pipeline.components} == before.keys()
