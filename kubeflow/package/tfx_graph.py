"""The TFX pipeline of a package: its bytes, the same on every machine, and its edges."""

import dataclasses
import hashlib
from collections.abc import Mapping

from google.protobuf import any_pb2
from tfx.dsl.compiler import compiler
from tfx.proto.orchestration import pipeline_pb2

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.graph import graph


@dataclasses.dataclass(frozen=True)
class TfxGraph:
    """A compiled TFX pipeline.

    Attributes:
        content: the serialised IR, without a metadata connection.
        digest: SHA-256 of `content`, in hexadecimal.
        upstream: the nodes that each node waits for, in topological order.
    """

    content: bytes
    digest: str
    upstream: dict[str, tuple[str, ...]]


def compile_graph(
    experiment: Experiment, pipeline_root: str, run_fns: Mapping[str, str] | None = None
) -> TfxGraph:
    """Compiles the experiment's graph, with the run's parameters left open.

    Args:
        experiment: the experiment as it will run.
        pipeline_root: folder or URI of all artifacts.
        run_fns: what Trainers call in the place of their own, by node id.
    """
    pipeline = compiler.Compiler().compile(
        graph.create_pipeline(experiment, pipeline_root, runtime_parameters=True, run_fns=run_fns)
    )
    _order_maps(pipeline.deployment_config)
    content = pipeline.SerializeToString(deterministic=True)
    nodes = [node.pipeline_node for node in pipeline.nodes]
    upstream = {node.node_info.id: tuple(sorted(node.upstream_nodes)) for node in nodes}
    return TfxGraph(content, hashlib.sha256(content).hexdigest(), upstream)


def _order_maps(packed: any_pb2.Any) -> None:
    """Packs a deployment configuration again: its maps were packed in no order."""
    config = pipeline_pb2.IntermediateDeploymentConfig()
    packed.Unpack(config)
    packed.Pack(config, deterministic=True)
