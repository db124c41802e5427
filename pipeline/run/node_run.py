"""Runs one node of a compiled pipeline: the one execution path, local and on a cluster."""

import dataclasses
import enum
import os
from collections.abc import Mapping
from typing import Any, TypeAlias

import ml_metadata

# These register the messages that a compiled pipeline packs as Any.
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import launcher, runtime_parameter_utils
from tfx.proto.orchestration import (  # noqa: F401
    executable_spec_pb2,
    local_deployment_config_pb2,
    pipeline_pb2,
    platform_config_pb2,
)

from mtlx.components.event_keys import keys_of
from mtlx.components.serving_check.infra_blessing import CHECKED_PROPERTY
from mtlx.pipeline.graph.run_parameters import DATA_PATH, RANGE_CONFIG, range_json
from mtlx.pipeline.process import stack
from mtlx.pipeline.process.beam_signatures import remember_signatures
from mtlx.pipeline.run.unknown_outputs import check_outputs_known

#: Connection to ML-Metadata: to a database, or to a server.
ConnectionConfig: TypeAlias = (
    metadata_store_pb2.ConnectionConfig | metadata_store_pb2.MetadataStoreClientConfig
)

_RUN_ID = "pipeline-run-id"
#: Nodes of which the libraries' versions are an execution property, and so part of the cache key;
#: nodes behind them see other inputs. Their names are those of `mtlx.pipeline.graph.graph`.
_DEPEND_ON_LIBRARIES = ("Transform", "Trainer", "ReferenceTrainer")


class NodeState(enum.Enum):
    """How a node ended."""

    COMPLETE = "complete"
    CACHED = "cached"
    SKIPPED = "skipped"


class NodeFailed(RuntimeError):
    """A node ended without its outputs."""


@dataclasses.dataclass(frozen=True)
class NodeOutcome:
    """What one node left.

    Attributes:
        node_id: the node.
        state: whether it ran, was served from the cache, or left out what it is for: a Pusher, or
            a serving check, whose model is not blessed.
        execution_id: of its execution in ML-Metadata.
        outputs: URIs of its output artifacts by output name, as ML-Metadata records them.
    """

    node_id: str
    state: NodeState
    execution_id: int
    outputs: dict[str, list[str]]


def bind_parameters(
    pipeline: pipeline_pb2.Pipeline,
    run_id: str,
    data_path: str | None = None,
    span: int | str | None = None,
) -> None:
    """Fixes, in place, what a compiled pipeline left open, before its nodes are run.

    Args:
        pipeline: compiled pipeline.
        run_id: of this run.
        data_path: folder that the patterns of the logs start from; None or empty for the
            compiled one.
        span: the portion of the logs to read, a number or a date (YYYY-MM-DD); empty for the
            latest, None for the compiled one.

    Raises:
        ValueError: not a span; or a path or span for a pipeline that leaves neither open.
    """
    given = {DATA_PATH: data_path or None}
    given[RANGE_CONFIG] = None if span is None else range_json(span)
    values = {name: value for name, value in given.items() if value is not None}
    bound = runtime_parameter_utils.substitute_runtime_parameter(
        pipeline, {_RUN_ID: run_id, **values}
    )
    if bound.get(RANGE_CONFIG, "") is None:
        # TFX does not tell an empty default from none.
        runtime_parameter_utils.substitute_runtime_parameter(pipeline, {RANGE_CONFIG: ""})
    closed = [name for name in values if name not in bound]
    if closed:
        raise ValueError(
            f"this pipeline does not leave {' and '.join(closed)} open: compile it with "
            "runtime_parameters=True"
        )


def node_ids(pipeline: pipeline_pb2.Pipeline) -> list[str]:
    """The nodes of a compiled pipeline in topological order."""
    return [node.pipeline_node.node_info.id for node in pipeline.nodes]


def run_node(
    pipeline: pipeline_pb2.Pipeline,
    node_id: str,
    connection: ConnectionConfig | None = None,
    operators: Mapping[Any, Any] | None = None,
) -> NodeOutcome:
    """Runs one node in this process: driver, executor, publisher.

    A node that already succeeded in this run (same run id) is not run again.

    Args:
        pipeline: compiled pipeline with a bound run id.
        node_id: the node.
        connection: to ML-Metadata; that of the compiled pipeline if None.
        operators: what runs the node's executor, by its kind, as TFX's launcher takes them; None
            for what runs it in this process.

    Returns:
        The outcome, read from ML-Metadata: after a cache hit the launcher's own output paths
        do not exist.

    Raises:
        NodeFailed: the inputs did not resolve, or the node left no successful execution.
        OutputsUnknown: the metadata store was emptied beside its artifacts.
        Exception: whatever the executor raised.
    """
    deployment = runner_utils.extract_local_deployment_config(pipeline)
    connection_config = connection or connection_of(pipeline)
    node = _find(pipeline, node_id)
    if node_id in _DEPEND_ON_LIBRARIES:
        # Here and not in the graph: what counts is where the node runs, not where it was compiled.
        node.parameters.parameters["libraries"].field_value.string_value = stack.libraries()
    stack.run_beam_in_process()
    stack.read_few_executions()
    remember_signatures()
    with metadata.Metadata(connection_config) as handle:
        root = pipeline.runtime_spec.pipeline_root.field_value.string_value
        check_outputs_known(node, root, handle.store)
    info = launcher.Launcher(
        pipeline_node=node,
        mlmd_connection=metadata.Metadata(connection_config),
        pipeline_info=pipeline.pipeline_info,
        pipeline_runtime_spec=pipeline.runtime_spec,
        executor_spec=runner_utils.extract_executor_spec(deployment, node_id),
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node_id),
        custom_executor_operators=operators,
    ).launch()
    if info is None or info.execution_id is None:
        raise NodeFailed(f"{node_id}: a node before it left no outputs, so it could not run")
    with metadata.Metadata(connection_config) as handle:
        return outcome_of(handle.store, node_id, info.execution_id)


def connection_of(pipeline: pipeline_pb2.Pipeline) -> metadata_store_pb2.ConnectionConfig:
    """The connection to ML-Metadata that a pipeline was compiled with.

    Args:
        pipeline: compiled, for a run on this machine.
    """
    chosen = runner_utils.extract_local_deployment_config(pipeline).metadata_connection_config
    config = getattr(chosen, chosen.WhichOneof("connection_config"))
    database = getattr(config, "sqlite", None)
    if database is not None and database.filename_uri:
        os.makedirs(os.path.dirname(database.filename_uri), exist_ok=True)
    return config


def _find(pipeline: pipeline_pb2.Pipeline, node_id: str) -> pipeline_pb2.PipelineNode:
    for node in pipeline.nodes:
        if node.pipeline_node.node_info.id == node_id:
            return node.pipeline_node
    raise NodeFailed(
        f"no node {node_id!r} in this pipeline. Known: {', '.join(node_ids(pipeline))}"
    )


def outcome_of(store: ml_metadata.MetadataStore, node_id: str, execution_id: int) -> NodeOutcome:
    """Reads state and outputs of an execution back from ML-Metadata.

    Raises:
        NodeFailed: it did not end well.
    """
    (execution,) = store.get_executions_by_id([execution_id])
    states = metadata_store_pb2.Execution.State
    names = {states.COMPLETE: NodeState.COMPLETE, states.CACHED: NodeState.CACHED}
    if execution.last_known_state not in names:
        raise NodeFailed(
            f"{node_id}: its execution ended as {states.Name(execution.last_known_state)}; "
            "the inputs may be missing"
        )
    events = [
        event
        for event in store.get_events_by_execution_ids([execution_id])
        if event.type in (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INTERNAL_OUTPUT)
    ]
    artifacts = store.get_artifacts_by_id([event.artifact_id for event in events])
    uris = {artifact.id: artifact.uri for artifact in artifacts}
    outputs: dict[str, list[str]] = {}
    for event in events:
        for key in keys_of(event):
            outputs.setdefault(key, []).append(uris[event.artifact_id])
    skipped = any(_is_left_out(artifact) for artifact in artifacts)
    state = NodeState.SKIPPED if skipped else names[execution.last_known_state]
    return NodeOutcome(node_id, state, execution_id, outputs)


def _is_left_out(artifact: metadata_store_pb2.Artifact) -> bool:
    """Whether a Pusher, ours or the stock one, or a serving check left this instead of its work."""
    properties = artifact.custom_properties
    return any(
        name in properties and properties[name].int_value == 0
        for name in ("pushed", CHECKED_PROPERTY)
    )
