"""What a rehearsal knows of one task."""

import dataclasses
from typing import Any

#: States in which a task has done its work.
DONE = ("complete", "cached", "finished")


@dataclasses.dataclass(frozen=True)
class TaskRun:
    """One task of a rehearsal.

    Attributes:
        name: of the task.
        node_id: the TFX node that it runs, or the name where it runs none.
        state: ``running``, ``retrying``, ``complete``, ``cached``, ``finished`` (where the
            process does not say which), ``failed``, ``skipped`` (its condition does not hold)
            or ``blocked`` (a task before it failed).
        seconds: wall time of all attempts.
        attempts: how many processes it took.
        parameters: output parameters.
        uris: of the TFX artifacts, by output name.
        problem: why it failed.
    """

    name: str
    node_id: str
    state: str
    seconds: float = 0.0
    attempts: int = 0
    parameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    uris: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    problem: str = ""

    @property
    def done(self) -> bool:
        """Whether its outputs are there."""
        return self.state in DONE
