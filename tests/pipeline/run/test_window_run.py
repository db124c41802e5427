"""What a run does for the older spans of its window: which nodes, in which order, what it says."""

import json
import logging

import pytest
from tfx.dsl.compiler import compiler
from tfx.orchestration import metadata

from mtlx.components.log_example_gen.rejection import InputRefused, NoRows
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.graph.graph import create_pipeline
from mtlx.pipeline.run import node_run
from mtlx.pipeline.run.node_run import NodeOutcome, NodeState
from mtlx.pipeline.run.window_run import see_to_window

EXPERIMENT = """\
name: small
data: {path: "FOLDER/day={SPAN}/*.csv", DATA}
features: {item: {kind: categorical}}
tasks: {click: {label: click}}
model: {network: mmoe}
"""


@pytest.fixture
def compiled(tmp_path):
    """The compiled pipeline of a small experiment over days 1 to 4, and of others over `logs`."""
    for day in (1, 2, 3, 4):
        for folder in ("logs", "others"):
            (tmp_path / folder / f"day={day}").mkdir(parents=True)
            (tmp_path / folder / f"day={day}/a.csv").touch()

    def function(data):
        path = tmp_path / "x.yaml"
        text = EXPERIMENT.replace("FOLDER", str(tmp_path / "logs")).replace("DATA", data)
        path.write_text(text, encoding="utf-8")
        connection = metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
        graph = create_pipeline(read_experiment(path), str(tmp_path / "root"), connection, True)
        return compiler.Compiler().compile(graph)

    return function


@pytest.fixture
def ran(monkeypatch):
    """Nodes that were run, with run id, folder and span; those of `broken` spans fail."""
    seen = []

    def run_node(pipeline, node_id, connection=None):
        values = pipeline.nodes[0].pipeline_node.parameters.parameters
        asked = json.loads(values["range_config"].field_value.string_value)
        span = int(asked["staticRange"]["startSpanNumber"])
        base = values["input_base"].field_value.string_value.rpartition("/")[2]
        run_id = pipeline.runtime_spec.pipeline_run_id.field_value.string_value
        seen.append((run_id, node_id, span, base))
        if span in ran.broken:
            raise ran.broken[span]
        return NodeOutcome(node_id, NodeState.CACHED, 1, {})

    ran = type("Ran", (list,), {"broken": {}})()
    monkeypatch.setattr(node_run, "run_node", run_node)
    ran.seen = seen
    return ran


WINDOW = "window: {train: 2, test: 1}"


def test_the_nodes_of_older_spans_run_under_ids_of_their_own(compiled, ran):
    result = see_to_window(compiled(WINDOW), "run")
    assert ran.seen == [
        ("run.span-2", "LogExampleGen", 2, "logs"),
        ("run.span-2", "StatisticsGen", 2, "logs"),
        ("run.span-3", "LogExampleGen", 3, "logs"),
        ("run.span-3", "StatisticsGen", 3, "logs"),
    ]
    assert (result.plan.train, result.plan.test, result.read) == ((2, 3), (4,), ())
    assert result.record() == {"read": [], "missing": [], "notices": []}


def test_the_newest_span_and_the_logs_may_be_others(compiled, ran, tmp_path):
    result = see_to_window(compiled(WINDOW), "run", str(tmp_path / "others"), "3")
    assert [(span, base) for _, _, span, base in ran.seen[::2]] == [(1, "others"), (2, "others")]
    assert result.plan.newest_words == "3"


def test_a_pipeline_without_a_window_has_nothing_to_see_to(compiled, ran):
    assert see_to_window(compiled("split: {by: row}"), "run") is None
    assert ran.seen == []


def test_a_span_that_is_refused_is_named(compiled, ran):
    ran.broken = {3: InputRefused("a.csv:1: column 'click': is not there")}
    with pytest.raises(InputRefused, match="^span 3: a.csv:1: column 'click': is not there$"):
        see_to_window(compiled(WINDOW), "run")


def test_an_empty_span_stops_the_run_or_is_as_one_that_is_missing(compiled, ran, caplog):
    ran.broken = {2: NoRows("no rows in a.csv")}
    with pytest.raises(NoRows, match="^span 2: no rows in a.csv: mend it, or set data.gaps: allow"):
        see_to_window(compiled(WINDOW), "run")
    with caplog.at_level(logging.INFO):
        result = see_to_window(compiled(f"{WINDOW}, gaps: allow"), "run")
    assert (result.plan.train, result.record()["missing"]) == ((3,), [2])
    assert "span 2 has no rows; the run goes on without" in caplog.text


def test_a_gap_is_refused_before_any_node(compiled, ran, tmp_path):
    (tmp_path / "logs/day=3/a.csv").unlink()
    with pytest.raises(InputRefused, match="lack span 3"):
        see_to_window(compiled(WINDOW), "run")
    assert ran.seen == []
    see_to_window(compiled(f"{WINDOW}, gaps: allow"), "run")
    assert {span for _, _, span, _ in ran.seen} == {2}


def test_a_compiled_pipeline_knows_when_labels_are_known(compiled, ran, monkeypatch):
    """As a task on a cluster reads it, which has no experiment file."""
    tasks = "tasks: {click: {label: click}, buy: {label: buy, matures_after: 3}}"
    gate = "gate: {thresholds: [{rule: auc, task: click, minimum: 0.5}]}\n"
    late = EXPERIMENT.replace("tasks: {click: {label: click}}", tasks) + gate
    monkeypatch.setattr(f"{__name__}.EXPERIMENT", late)
    pipeline = compiled("window: {train: 4, test: 1}")
    assert see_to_window(pipeline, "run").plan.train == (1, 2, 3)
    with pytest.raises(InputRefused, match="task buy: its labels are known 3 spans later"):
        see_to_window(pipeline, "run", span=3)
