"""The nodes of a run, one after the other; two trainings side by side where that saves time."""

import contextlib
import glob
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.process.second_process import SecondProcess
from mtlx.pipeline.run.record.run_journal import RunJournal
from mtlx.pipeline.run.record.written_bytes import bytes_of_node, written_bytes
from mtlx.pipeline.run.run_result import NodeRun
from mtlx.trainer.examples.available_memory import available_memory

if TYPE_CHECKING:  # These take seconds to import.
    from tfx.proto.orchestration import pipeline_pb2

    from mtlx.pipeline.run.node_run import NodeOutcome
    from mtlx.pipeline.run.window_run import WindowRun

#: Trainings of which neither waits for the other; the first one's executor may work elsewhere.
PAIR = ("ReferenceTrainer", "Trainer")
#: Of transformed examples, beyond which one training after the other has work for all processors.
MOST_BYTES = 2**26
#: Ids that the contract hashes into: above it a table takes more than the examples tell.
MOST_HASHED = 1_000_000
#: Memory that must be left for two trainings on so few examples, twice what they take.
LEAST_MEMORY = 2**31
#: Files that are there where a processor for graphics is: two trainings would share its memory.
_GPU_FILES = ("/dev/nvidia[0-9]*", "/dev/kfd", "/dev/dxg")


class RunNodes:
    """Runs all nodes of a compiled pipeline.

    Args:
        pipeline: compiled.
        experiment: that it was compiled from.
        nodes: is given each node that has ended, a failed one as the last.
        on_node: is told when a node starts and when it ends.
        journal: of the run.
    """

    def __init__(
        self,
        pipeline: "pipeline_pb2.Pipeline",
        experiment: Experiment,
        nodes: list[NodeRun],
        on_node: Callable[[NodeRun], None],
        journal: RunJournal,
    ) -> None:
        self._pipeline, self._experiment, self._nodes = pipeline, experiment, nodes
        self._on_node, self._journal = on_node, journal

    def run(self) -> "WindowRun | None":
        """Runs them in order.

        Returns:
            With a window what was done for its spans; the time of the first node is theirs, too.
        """
        from mtlx.pipeline.run import node_run

        rest = node_run.node_ids(self._pipeline)
        # Before anything has begun, since it is forked.
        paired = any(tuple(rest[at : at + 2]) == PAIR for at in range(len(rest)))
        second = SecondProcess(PAIR[0]) if paired and is_for_two() and not has_begun() else None
        with contextlib.ExitStack() as stack:
            if second is not None:
                stack.callback(second.end)
            seen = self._run_one(rest.pop(0), first=True)
            while rest:
                if tuple(rest[:2]) != PAIR:
                    self._run_one(rest.pop(0))
                    continue
                del rest[:2]
                if second is not None and self._is_small():
                    self._run_pair(second)
                else:
                    for node_id in PAIR:
                        self._run_one(node_id)
                # What it holds in memory is for those behind.
                stack.close()
        return seen

    def _run_one(self, node_id: str, first: bool = False) -> "WindowRun | None":
        from mtlx.pipeline.run import node_run
        from mtlx.pipeline.run.window_run import see_to_window

        self._start(node_id)
        seen = None
        started = time.monotonic()
        try:
            if first:
                span, run_id = self._experiment.data.span, self._journal.run_id
                seen = see_to_window(self._pipeline, run_id, span=span)
                newest = None if seen is None else seen.plan.newest_words
                node_run.bind_parameters(self._pipeline, run_id, span=newest)
            outcome = node_run.run_node(self._pipeline, node_id)
        except Exception:
            self._failed(node_id, time.monotonic() - started)
            raise
        self._ended(node_id, outcome, time.monotonic() - started)
        return seen

    def _run_pair(self, second: SecondProcess) -> None:
        """Runs both trainings to their ends; then raises what the first that failed has raised."""
        from mtlx.pipeline.run import node_run
        from mtlx.pipeline.run.nodes.two_nodes import TwoNodes

        self._start(*PAIR)
        pair = TwoNodes(
            second, lambda node_id, how: node_run.run_node(self._pipeline, node_id, operators=how)
        )
        ends = pair.run(*PAIR)
        failed = [node_id for node_id, end in ends.items() if end.error is not None]
        for node_id, end in ends.items():
            if end.outcome is not None:
                self._ended(node_id, end.outcome, end.seconds)
        for node_id in failed[:1]:
            self._failed(node_id, ends[node_id].seconds)
            error = ends[node_id].error
            assert error is not None
            raise error

    def _is_small(self) -> bool:
        """Whether two trainings at once take no memory that is not there, and save time."""
        uris = (node.outputs for node in self._nodes if node.node_id == "Transform")
        size = written_bytes(uri for outputs in uris for uri in outputs["transformed_examples"])
        memory, contract = available_memory(), self._experiment.contract
        kinds = (*contract.features.values(), *contract.crosses.values())
        hashed = sum(getattr(kind, "hash_buckets", None) or 0 for kind in kinds)
        fits = memory is not None and memory >= LEAST_MEMORY and hashed <= MOST_HASHED
        return fits and size is not None and size <= MOST_BYTES

    def _start(self, *node_ids: str) -> None:
        # Noted before it is said: whoever reads that it runs may end it.
        self._journal.node(self._nodes, " and ".join(node_ids))
        for node_id in node_ids:
            self._on_node(NodeRun(node_id, "running"))

    def _failed(self, node_id: str, seconds: float) -> None:
        self._add(NodeRun(node_id, "failed", seconds))

    def _ended(self, node_id: str, outcome: "NodeOutcome", seconds: float) -> None:
        rows, malformed = _rows(node_id, outcome.outputs)
        state = outcome.state.value
        size = bytes_of_node(node_id, state, outcome.outputs)
        self._add(NodeRun(node_id, state, seconds, rows, outcome.outputs, malformed, size))

    def _add(self, node: NodeRun) -> None:
        self._nodes.append(node)
        self._journal.node(self._nodes)
        self._on_node(node)


def is_for_two() -> bool:
    """Whether two trainings at once would each have a processor of this machine for itself."""
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
        return False
    return "TF_CONFIG" not in os.environ and not any(glob.glob(files) for files in _GPU_FILES)


def has_begun() -> bool:
    """Whether TensorFlow has threads here, which would be missing in a forked process."""
    from tensorflow.python.eager import context

    # There is no public word for it.
    begun = context._context
    return begun is not None and getattr(begun, "_initialized", True)


def _rows(node_id: str, outputs: dict[str, list[str]]) -> tuple[int | None, int | None]:
    """Examples that a node worked on and rows that it left out, read from what it wrote."""
    if node_id == "LogExampleGen":
        from mtlx.components.log_example_gen.ingestion_summary import read_ingestion_summary

        summary = read_ingestion_summary(outputs["examples"][0])
        if summary is not None:
            return sum(summary["rows"].values()), sum(summary["malformed"].values())
    if node_id in PAIR:
        from mtlx.trainer.validation.history import read_history

        history = read_history(outputs["model_run"][0])
        if history is not None:
            return sum(epoch["examples"] for epoch in history["epochs"]), None
    return None, None
