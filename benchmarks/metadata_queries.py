"""What a node of a long-lived pipeline root waits for before it runs: ML-Metadata's query for its
executions, as TFX asks and as `mtlx.pipeline.process.stack` does.

    python -m benchmarks.metadata_queries [--runs 1000] [--nodes 13]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.orchestration.portable.mlmd import execution_lib

from mtlx.pipeline.process import stack

_KINDS = ("pipeline", "pipeline_run", "node")


def fill(store: Any, runs: int, nodes: int) -> list[Any]:
    """Records runs of one pipeline; returns the contexts of the last run's last node."""
    kinds = {
        kind: store.put_context_type(metadata_store_pb2.ContextType(name=kind)) for kind in _KINDS
    }
    work = store.put_execution_type(metadata_store_pb2.ExecutionType(name="work"))

    def context(kind: str, name: str) -> Any:
        made = metadata_store_pb2.Context(type_id=kinds[kind], name=name)
        (made.id,) = store.put_contexts([made])
        return made

    pipeline = context("pipeline", "p")
    own = [context("node", f"p.{node}") for node in range(nodes)]
    for run in range(runs):
        this = context("pipeline_run", f"run-{run}")
        for node in own:
            execution = metadata_store_pb2.Execution(type_id=work)
            store.put_execution(execution, [], [pipeline, this, node])
    return [pipeline, this, own[-1]]


def seconds(query: Callable[[], list[Any]]) -> float:
    """The median of five."""
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        (_found,) = query()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--nodes", type=int, default=13)
    arguments = parser.parse_args()
    theirs = execution_lib.get_executions_associated_with_all_contexts
    stack.read_few_executions()
    ours = execution_lib.get_executions_associated_with_all_contexts
    with tempfile.TemporaryDirectory() as folder:
        config = metadata.sqlite_metadata_connection_config(str(Path(folder) / "metadata.sqlite"))
        with metadata.Metadata(config) as handle:
            contexts = fill(handle.store, arguments.runs, arguments.nodes)
            for name, query in (("TFX", theirs), ("mtlx.pipeline.process.stack", ours)):
                taken = seconds(lambda query=query: query(handle, contexts))
                print(f"{name}: {1000 * taken:.1f} ms, {arguments.runs} runs of {arguments.nodes}")


if __name__ == "__main__":
    main()
