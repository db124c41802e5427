"""``mtlx.kubeflow.task.node_entry --check``: imports everything and runs a node without work."""

import tempfile
from pathlib import Path

from tfx.dsl.compiler import compiler
from tfx.dsl.component.experimental import annotations, decorators
from tfx.orchestration import metadata
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.types import standard_artifacts

# The graph imports what the nodes of any experiment need.
from mtlx.pipeline.graph import graph  # noqa: F401
from mtlx.pipeline.run import node_run


@decorators.component
def NothingToDo(  # noqa: N802
    text: annotations.Parameter[str],
    written: annotations.OutputArtifact[standard_artifacts.String],
) -> None:
    """Writes a line."""
    Path(written.uri).write_text(text, encoding="utf-8")


def check() -> str:
    """Runs the node twice, through driver, executor and publisher of the real ones.

    Returns:
        What was checked, in one line.

    Raises:
        NodeFailed: the node left no outputs, or was not served from the cache afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="mtlx-check-") as folder:
        states = [_run(folder, run_id) for run_id in ("first", "second")]
    expected = [node_run.NodeState.COMPLETE, node_run.NodeState.CACHED]
    if states != expected:
        raise node_run.NodeFailed(f"expected {expected}. Received: {states}")
    return "imports, ML-Metadata, a node and its cache: as they should be"


def _run(folder: str, run_id: str) -> node_run.NodeState:
    connection = metadata.sqlite_metadata_connection_config(f"{folder}/metadata.sqlite")
    compiled = compiler.Compiler().compile(
        tfx_pipeline.Pipeline(
            pipeline_name="check",
            pipeline_root=f"{folder}/artifacts",
            components=[NothingToDo(text="done")],
            enable_cache=True,
            metadata_connection_config=connection,
        )
    )
    node_run.bind_parameters(compiled, run_id)
    outcome = node_run.run_node(compiled, "NothingToDo")
    (uri,) = outcome.outputs["written"]
    if Path(uri).read_text(encoding="utf-8") != "done":
        raise node_run.NodeFailed(f"{uri} does not hold what the node wrote")
    return outcome.state
