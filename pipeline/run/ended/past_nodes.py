"""How the nodes of a run ended, read from ML-Metadata by a process that ran none of them."""

import dataclasses
from collections.abc import Iterable, Mapping

import ml_metadata
from ml_metadata.proto import metadata_store_pb2
from tfx.proto.orchestration import pipeline_pb2

from mtlx.components.relaimp_gate.verdict import Verdict
from mtlx.components.serving_check.serving_outcome import ServingOutcome
from mtlx.pipeline.run.node_run import outcome_of
from mtlx.pipeline.run.record.written_bytes import bytes_of_node
from mtlx.pipeline.run.run_result import NodeRun

_RUN, _NODE = "pipeline_run", "node"
_STATES = metadata_store_pb2.Execution.State
_ENDED_WELL = (_STATES.COMPLETE, _STATES.CACHED)
_PUSHER = "Pusher"


@dataclasses.dataclass(frozen=True)
class PastNodes:
    """The nodes of a run.

    Attributes:
        ended_well: those that did, in topological order.
        stuck: those that did not although all before them did; none where the run came to its
            end. A Pusher whose model is not blessed is not among them.
        tried: of `stuck`, those that ML-Metadata has an execution of.
        begun: when the run's first node began, in milliseconds since 1970; None where none did.
        ended: when the last one was heard of, likewise.
    """

    ended_well: list[NodeRun]
    stuck: tuple[str, ...]
    tried: frozenset[str]
    begun: int | None
    ended: int | None


def past_nodes(
    store: ml_metadata.MetadataStore, pipeline: pipeline_pb2.Pipeline, run_id: str
) -> PastNodes:
    """Reads how the nodes of a run ended.

    A node that was tried several times counts as its last success.

    Args:
        store: of the run.
        pipeline: compiled; its parameters may be open.
        run_id: of the run.
    """
    nodes = [node.pipeline_node for node in pipeline.nodes]
    run = store.get_context_by_type_and_name(_RUN, run_id)
    executions = [] if run is None else list(store.get_executions_by_context(run.id))
    by_node = _by_node(store, executions, f"{pipeline.pipeline_info.id}.")
    ended = {}
    for node in nodes:
        node_id = node.node_info.id
        good = [one for one in by_node.get(node_id, ()) if one.last_known_state in _ENDED_WELL]
        if good:
            ended[node_id] = _node_run(store, node_id, max(good, key=lambda one: int(one.id)))
    stuck = tuple(
        node.node_info.id
        for node in nodes
        if node.node_info.id not in ended
        and all(before in ended for before in node.upstream_nodes)
        and not (node.node_info.id == _PUSHER and not _is_blessed(ended.values()))
    )
    begun = min((one.create_time_since_epoch for one in executions), default=None)
    last = max((one.last_update_time_since_epoch for one in executions), default=None)
    tried = frozenset(stuck) & by_node.keys()
    return PastNodes(list(ended.values()), stuck, tried, begun, last)


def _by_node(
    store: ml_metadata.MetadataStore,
    executions: Iterable[metadata_store_pb2.Execution],
    prefix: str,
) -> Mapping[str, list[metadata_store_pb2.Execution]]:
    """Executions by the node that they are of; resolvers share one type, but no context."""
    kind = store.get_context_type(_NODE).id if executions else None
    found: dict[str, list[metadata_store_pb2.Execution]] = {}
    for execution in executions:
        for context in store.get_contexts_by_execution(execution.id):
            if context.type_id == kind:
                found.setdefault(context.name.removeprefix(prefix), []).append(execution)
    return found


def _node_run(
    store: ml_metadata.MetadataStore, node_id: str, execution: metadata_store_pb2.Execution
) -> NodeRun:
    outcome = outcome_of(store, node_id, execution.id)
    lasted = execution.last_update_time_since_epoch - execution.create_time_since_epoch
    state = outcome.state.value
    size = bytes_of_node(node_id, state, outcome.outputs)
    return NodeRun(node_id, state, lasted / 1000.0, None, outcome.outputs, bytes=size)


def _is_blessed(nodes: Iterable[NodeRun]) -> bool:
    """What the gate decided and, where there is one, the serving check."""
    found = {name: uris for node in nodes for name, uris in node.outputs.items() if uris}
    if "infra_blessing" in found:
        return ServingOutcome.load(found["infra_blessing"][0]).blessed
    return "blessing" in found and Verdict.of_blessing(found["blessing"][0]).blessed
