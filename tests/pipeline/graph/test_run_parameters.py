"""Where the logs lie and which span is read: from the experiment, or given to a compiled run."""

import json
from pathlib import Path

import pytest
from tfx.dsl.compiler import compiler
from tfx.orchestration import metadata

from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment
from mtlx.pipeline.graph.graph import create_pipeline
from mtlx.pipeline.run.node_run import bind_parameters, run_node

EXPERIMENT = """\
name: small
data:
  reader: csv
  path: {path}
  split: {{by: row, train: 0.5, validation: 0.25, test: 0.25}}
features:
  item: {{kind: categorical}}
tasks:
  click: {{label: click}}
model: {{network: mmoe}}
{further}
"""
SPANS = {"day-1": 8, "day-2": 12}


def _write(folder: Path, rows: int) -> None:
    folder.mkdir(parents=True)
    lines = [f"{index % 3},{index % 2}" for index in range(rows)]
    (folder / "log.csv").write_text("\n".join(["item,click", *lines]) + "\n", encoding="utf-8")


@pytest.fixture
def logs(tmp_path):
    """Two spans of logs, and two other ones elsewhere."""
    for name, rows in SPANS.items():
        _write(tmp_path / "here" / name, rows)
        _write(tmp_path / "there" / name, rows + 100)
    return tmp_path


@pytest.fixture
def rows_read(logs):
    """Compiles the experiment, runs its ExampleGen and returns the rows that it read."""

    def function(data="", node="LogExampleGen", pattern="day-{SPAN}/*.csv", **bound):
        path = logs / "experiment.yaml"
        text = EXPERIMENT.format(path=logs / "here" / pattern, further="")
        path.write_text(text, encoding="utf-8")
        experiment = read_experiment(path, [data] if data else [])
        root = str(logs / "root")
        connection = metadata.sqlite_metadata_connection_config(f"{root}/metadata.sqlite")
        open_parameters = bound.pop("runtime_parameters", True)
        graph = create_pipeline(experiment, root, connection, open_parameters)
        pipeline = compiler.Compiler().compile(graph)
        bind_parameters(pipeline, bound.pop("run_id", "run"), **bound)
        outputs = run_node(pipeline, node).outputs
        summary = Path(outputs["examples"][0]) / "ingestion" / "summary.json"
        return sum(json.loads(summary.read_text(encoding="utf-8"))["rows"].values())

    return function


def test_the_latest_span_is_read_unless_another_is_named(rows_read):
    assert rows_read(runtime_parameters=False, run_id="1") == 12
    assert rows_read("data.span=1", runtime_parameters=False, run_id="2") == 8
    assert rows_read(run_id="3") == 12
    assert rows_read(run_id="4", span="1") == 8


def test_an_empty_span_asks_for_the_latest_whatever_was_compiled(rows_read):
    assert rows_read("data.span=1", run_id="1") == 8
    assert rows_read("data.span=1", run_id="2", span="") == 12


def test_other_logs_are_read_from_another_folder(rows_read, logs):
    assert rows_read(run_id="1", data_path=str(logs / "there"), span="2") == 112
    assert rows_read(run_id="2", data_path="") == 12


def test_dates_are_spans(rows_read, logs):
    _write(logs / "here" / "2026-02-28", 8)
    _write(logs / "here" / "2026-03-01", 16)
    assert rows_read(pattern="{YYYY}-{MM}-{DD}/*.csv", run_id="1") == 16
    assert rows_read(pattern="{YYYY}-{MM}-{DD}/*.csv", run_id="2", span="2026-02-28") == 8


def test_a_folder_that_cannot_be_seen_when_compiled_ends_with_a_slash(rows_read, logs):
    assert rows_read(pattern="day-1/", data_path=str(logs / "there" / "day-2")) == 112


def test_a_span_without_files_is_refused(rows_read):
    with pytest.raises(InputRefused, match=r"(?s)3.*day-\{SPAN\}.*check data.path"):
        rows_read(span="3")


def test_a_span_without_a_place_is_refused(rows_read):
    with pytest.raises(InputRefused, match="no data.path has {SPAN}"):
        rows_read(pattern="day-1/*.csv", span="1")
    with pytest.raises(ExperimentFileError, match=r"data: span is 1, but no data.path has {SPAN}"):
        rows_read("data.span=1", pattern="day-1/*.csv")


@pytest.mark.parametrize("span", ["latest", "-1", "1.5", "2026-13-01", "1" * 11])
def test_what_is_no_span_is_refused(rows_read, span):
    with pytest.raises(ValueError, match="span|month"):
        rows_read(span=span)


def test_a_pipeline_that_leaves_nothing_open_refuses_parameters(rows_read):
    with pytest.raises(ValueError, match="does not leave range_config open"):
        rows_read(runtime_parameters=False, span="1")


def test_the_stock_component_takes_them_too(tmp_path):
    for day, rows in (("1", 8), ("2", 12)):
        for split in ("train", "validation", "test"):
            _write(tmp_path / f"day-{day}" / split, rows)
    path = tmp_path / "experiment.yaml"
    further = "components: {example_gen: stock, statistics: stock}"
    text = EXPERIMENT.format(path=f"{tmp_path}/elsewhere/", further=further)
    patterns = ", ".join(
        f'{split}: ["day-{{SPAN}}/{split}/*.csv"]' for split in ("train", "validation", "test")
    )
    split = "{by: row, train: 0.5, validation: 0.25, test: 0.25}"
    path.write_text(text.replace(split, f"{{by: file, {patterns}}}"), encoding="utf-8")
    connection = metadata.sqlite_metadata_connection_config(f"{tmp_path}/metadata.sqlite")
    graph = create_pipeline(read_experiment(path), str(tmp_path / "root"), connection, True)
    pipeline = compiler.Compiler().compile(graph)
    bind_parameters(pipeline, "run", str(tmp_path), "1")
    outcome = run_node(pipeline, "CsvExampleGen")
    with metadata.Metadata(connection) as handle:
        (artifact,) = handle.store.get_artifacts_by_uri(outcome.outputs["examples"][0])
    properties = artifact.custom_properties
    assert properties["span"].string_value == "1" or properties["span"].int_value == 1
