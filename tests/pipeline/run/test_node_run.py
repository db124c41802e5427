"""What a node left, as ML-Metadata tells it, and what a compiled pipeline left open."""

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import compiler
from tfx.orchestration import metadata
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.portable.mlmd import execution_lib
from tfx.types import standard_artifacts

from mtlx.components.event_keys import keys_of
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.graph.graph import create_pipeline
from mtlx.pipeline.run import node_run
from mtlx.pipeline.run.node_run import NodeFailed, NodeState, bind_parameters, node_ids, run_node

EXPERIMENT = """\
name: small
data: {reader: csv, path: logs/*.csv, split: {by: row}}
features:
  item: {kind: categorical}
tasks:
  click: {label: click}
model: {network: mmoe}
"""


@pytest.fixture
def compiled(tmp_path):
    """The small experiment's compiled pipeline."""
    path = tmp_path / "x.yaml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    database = str(tmp_path / "new folder" / "metadata.sqlite")
    connection = metadata.sqlite_metadata_connection_config(database)
    graph = create_pipeline(read_experiment(path), str(tmp_path / "root"), connection)
    return compiler.Compiler().compile(graph)


def test_nodes_are_in_an_order_in_which_they_can_run(compiled):
    names = node_ids(compiled)
    assert len(names) == len(set(names))
    before = {}
    for node in compiled.nodes:
        before[node.pipeline_node.node_info.id] = set(node.pipeline_node.upstream_nodes)
    for place, name in enumerate(names):
        assert before[name] <= set(names[:place]), name
    assert names[0] == "LogExampleGen" and names.index("RelaImpGate") < names.index("Report")


def test_an_unknown_node_is_named_with_those_that_there_are(compiled):
    bind_parameters(compiled, "run")
    with pytest.raises(NodeFailed, match="no node 'Trainr' in this pipeline.*Known: LogExampleGen"):
        run_node(compiled, "Trainr")


def test_a_node_whose_inputs_are_not_there_says_so(compiled, tmp_path):
    """And the folder of the database is made, as for a first run."""
    bind_parameters(compiled, "run")
    with pytest.raises(NodeFailed, match="^StatisticsGen: "):
        run_node(compiled, "StatisticsGen")
    assert (tmp_path / "new folder" / "metadata.sqlite").exists()


def test_the_run_id_is_bound_everywhere(compiled):
    bind_parameters(compiled, "run-ä-7")
    text = str(compiled)
    assert compiled.runtime_spec.pipeline_run_id.field_value.string_value == "run-ä-7"
    assert "pipeline-run-id" not in text.replace("structural_runtime_parameter", "")


@pytest.fixture
def store(tmp_path):
    config = sqlite_metadata_connection_config(str(tmp_path / "outcomes.sqlite"))
    return ml_metadata.MetadataStore(config)


def _execution(store, state, outputs=(), inputs=(), pushed=None):
    """Puts an execution with artifacts by output name and URI; returns its number."""
    states = metadata_store_pb2.Execution
    kind = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Node"))
    made = metadata_store_pb2.Execution(type_id=kind, last_known_state=getattr(states.State, state))
    (execution,) = store.put_executions([made])
    thing = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Thing"))
    for pairs, event_type in (
        (outputs, metadata_store_pb2.Event.OUTPUT), (inputs, metadata_store_pb2.Event.INPUT),
    ):  # fmt: skip
        for name, uri in pairs:
            artifact = metadata_store_pb2.Artifact(type_id=thing, uri=uri)
            if pushed is not None:
                artifact.custom_properties["pushed"].int_value = pushed
            (number,) = store.put_artifacts([artifact])
            event = metadata_store_pb2.Event(
                artifact_id=number, execution_id=execution, type=event_type
            )
            event.path.steps.add().key = name
            store.put_events([event])
    return execution


@pytest.mark.parametrize(
    ("state", "expected"),
    [("COMPLETE", NodeState.COMPLETE), ("CACHED", NodeState.CACHED)],
)
def test_outputs_are_those_of_the_store_by_name(store, state, expected):
    outputs = [("model", "/a/1"), ("run", "/b/1"), ("model", "/a/2")]
    execution = _execution(store, state, outputs, [("examples", "/raw")])
    outcome = node_run.outcome_of(store, "Trainer", execution)
    assert (outcome.node_id, outcome.state) == ("Trainer", expected)
    assert {name: sorted(uris) for name, uris in outcome.outputs.items()} == {
        "model": ["/a/1", "/a/2"],
        "run": ["/b/1"],
    }
    assert outcome.execution_id == execution


def test_an_artifact_in_two_outputs_is_in_both(tmp_path):
    """As TFX writes it: ML-Metadata keeps one event of it, with the names one behind the other."""
    connection = metadata.sqlite_metadata_connection_config(str(tmp_path / "two.sqlite"))
    with metadata.Metadata(connection) as handle:
        model = standard_artifacts.Model()
        model.uri = "/a/1"
        kind = metadata_store_pb2.ExecutionType(name="Resolver")
        execution = execution_lib.put_execution(
            handle,
            execution_lib.prepare_execution(handle, kind, metadata_store_pb2.Execution.COMPLETE),
            [],
            output_artifacts={"model": [model]},
        )
        again = standard_artifacts.Model()
        again.set_mlmd_artifact(model.mlmd_artifact)
        second = execution_lib.put_execution(
            handle,
            execution_lib.prepare_execution(handle, kind, metadata_store_pb2.Execution.COMPLETE),
            [],
            output_artifacts={"baseline": [model], "anchor": [again]},
            output_event_type=metadata_store_pb2.Event.INTERNAL_OUTPUT,
        )
        (event,) = handle.store.get_events_by_execution_ids([second.id])
        assert keys_of(event) == ["baseline", "anchor"]
        outcome = node_run.outcome_of(handle.store, "Found", second.id)
    assert outcome.outputs == {"baseline": ["/a/1"], "anchor": ["/a/1"]}
    assert execution.id != second.id


@pytest.mark.parametrize(("pushed", "state"), [(0, NodeState.SKIPPED), (1, NodeState.COMPLETE)])
def test_a_pusher_that_did_not_push_was_skipped(store, pushed, state):
    execution = _execution(store, "COMPLETE", [("pushed_model", "/p")], pushed=pushed)
    assert node_run.outcome_of(store, "Pusher", execution).state is state


@pytest.mark.parametrize("state", ["FAILED", "CANCELED", "RUNNING"])
def test_an_execution_that_did_not_end_well_is_a_failure(store, state):
    execution = _execution(store, state)
    with pytest.raises(NodeFailed, match=f"Trainer: its execution ended as {state}"):
        node_run.outcome_of(store, "Trainer", execution)
