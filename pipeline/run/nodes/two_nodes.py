"""Two nodes at the same time, one of which works in a second process."""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

from tfx.orchestration.portable import data_types
from tfx.orchestration.portable.python_executor_operator import PythonExecutorOperator
from tfx.proto.orchestration import (
    executable_spec_pb2,
    execution_invocation_pb2,
    execution_result_pb2,
)

from mtlx.pipeline.process.second_process import SecondProcess
from mtlx.pipeline.run.node_run import NodeOutcome

#: By the kind of an executor what makes the object that runs it, as TFX's launcher takes them.
Operators: TypeAlias = Mapping[Any, Any]


@dataclasses.dataclass
class NodeEnd:
    """How one of the nodes ended.

    Attributes:
        outcome: what it left; None where it failed.
        error: why it failed.
        seconds: wall time.
    """

    outcome: NodeOutcome | None = None
    error: Exception | None = None
    seconds: float = 0.0


class TwoNodes:
    """Runs two nodes of which neither waits for the other.

    Both are launched here, and the executor of the first works in a second process. What TFX does
    around the executors, which asks and writes ML-Metadata, is done for one node at a time.

    Args:
        second: is used while `run` is at work.
        run_node: runs a node, with the operators that run its executor.
    """

    def __init__(
        self, second: SecondProcess, run_node: Callable[[str, Operators], NodeOutcome]
    ) -> None:
        self._second, self._run_node = second, run_node
        self._turn = threading.Lock()

    def run(self, first: str, other: str) -> dict[str, NodeEnd]:
        """Runs both to their ends, whatever becomes of one of them.

        Args:
            first: the node whose executor works in the second process.
            other: the node whose executor works here.
        """
        ends = {first: NodeEnd(), other: NodeEnd()}
        begun = threading.Event()
        there = _operators(_There, self._second, self._turn, begun)

        def beside() -> None:
            try:
                self._run(first, ends[first], there)
            finally:
                begun.set()

        # Where this process is stopped, nobody waits for it.
        thread = threading.Thread(target=beside, name=first, daemon=True)
        thread.start()
        begun.wait()
        self._run(other, ends[other], _operators(_Here, self._turn))
        thread.join()
        return ends

    def _run(self, node_id: str, end: NodeEnd, operators: Operators) -> None:
        started = time.monotonic()
        try:
            with self._turn:
                end.outcome = self._run_node(node_id, operators)
        except Exception as error:  # noqa: BLE001 (raised by the caller, once both have ended)
            end.error = error
        end.seconds = time.monotonic() - started


def _operators(kind: type, *given: Any) -> Operators:
    return {executable_spec_pb2.PythonClassExecutableSpec: partial(kind, *given)}


class _Here(PythonExecutorOperator):
    """Runs an executor in this process, and lets the other node have its turn meanwhile."""

    def __init__(self, turn: threading.Lock, **given: Any) -> None:
        super().__init__(**given)
        self._turn = turn

    def run_executor(
        self, execution_info: data_types.ExecutionInfo
    ) -> execution_result_pb2.ExecutorOutput:
        """See TFX."""
        with _left(self._turn):
            return super().run_executor(execution_info)


class _There(PythonExecutorOperator):
    """Runs an executor in the second process, as TFX does on a machine of its own."""

    def __init__(
        self, second: SecondProcess, turn: threading.Lock, begun: threading.Event, **given: Any
    ) -> None:
        super().__init__(**given)
        self._second, self._turn, self._begun = second, turn, begun

    def run_executor(
        self, execution_info: data_types.ExecutionInfo
    ) -> execution_result_pb2.ExecutorOutput:
        """See TFX."""
        spec = self._executor_spec.SerializeToString()
        invocation = execution_info.to_proto().SerializeToString()
        with _left(self._turn):
            self._begun.set()
            made = self._second.call(run_executor, spec, invocation)
        return execution_result_pb2.ExecutorOutput.FromString(made)


def run_executor(spec: bytes, invocation: bytes) -> bytes:
    """Runs an executor in this process.

    Args:
        spec: a ``PythonClassExecutableSpec``.
        invocation: an ``ExecutionInvocation``.

    Returns:
        An ``ExecutorOutput``.
    """
    made = executable_spec_pb2.PythonClassExecutableSpec.FromString(spec)
    told = execution_invocation_pb2.ExecutionInvocation.FromString(invocation)
    info = data_types.ExecutionInfo.from_proto(told)
    output: bytes = PythonExecutorOperator(made).run_executor(info).SerializeToString()
    return output


@contextmanager
def _left(turn: threading.Lock) -> Iterator[None]:
    """Gives the turn away for a while."""
    turn.release()
    try:
        yield
    finally:
        turn.acquire()
