"""What a run and its nodes left."""

import dataclasses
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True)
class NodeRun:
    """One node of a finished or running pipeline.

    Attributes:
        node_id: the node.
        state: ``running``, ``complete``, ``cached``, ``skipped`` (a Pusher or serving check whose
            model is not blessed) or ``failed``.
        seconds: wall time, 0 while it runs.
        rows: examples that it worked on, where it says so.
        malformed: rows that it read and left out, where it says so.
        outputs: URIs of its output artifacts by output name.
        bytes: that it wrote; None where it wrote nothing, or it is not known.
    """

    node_id: str
    state: str
    seconds: float = 0.0
    rows: int | None = None
    outputs: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    malformed: int | None = None
    bytes: int | None = None


@dataclasses.dataclass(frozen=True)
class RunResult:
    """What a run left.

    Attributes:
        run_id: of this run.
        nodes: the nodes in the order in which they ran.
        blessed: whether the candidate passed the gate and, where there is one, the serving check.
        pushed_to: folder of the pushed version, or None.
        folder: the run's own folder, with ``report.html``, ``run.json`` and ``log.txt``.
        window: with a window of spans, which of them trained (``train``) and tested (``test``), the
            same in ``words``, which trained the models before on which its own went on
            (``before``), what `spans_of_run` says of labels, and what was done for it, see
            `WindowRun.record`.
        notes: sentences on who was told of the run's end, and who could not be.
        seconds: wall time of all nodes, some of which ran at the same time; None where it is not
            known.
    """

    run_id: str
    nodes: list[NodeRun]
    blessed: bool
    pushed_to: str | None
    folder: Path
    window: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    seconds: float | None = None

    def output(self, node_id: str, name: str) -> str:
        """URI of a node's output artifact.

        Raises:
            KeyError: no such node or output.
        """
        for node in self.nodes:
            if node.node_id == node_id:
                return node.outputs[name][0]
        raise KeyError(node_id)

    @property
    def blessing(self) -> str:
        """URI of the blessing, whichever node gave it."""
        return next(
            node.outputs["blessing"][0] for node in self.nodes if "blessing" in node.outputs
        )

    @property
    def infra_blessing(self) -> str | None:
        """URI of what the serving check left; None where there is none."""
        outputs = (node.outputs.get("infra_blessing") for node in self.nodes)
        return next((uris[0] for uris in outputs if uris), None)


class RunFailed(RuntimeError):
    """A run did not come to its end; the message says where, why, and what became of the model.

    Attributes:
        pushed_to: folder of the version that holds the run's model, where it was pushed before
            that; None where it was not.
        where: the node that failed, or before or after which.
    """

    def __init__(self, message: str, pushed_to: str | None = None, where: str = ""):
        super().__init__(message)
        self.pushed_to, self.where = pushed_to, where
