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


def read_outputs(output: dict[str, Any]) -> tuple[str, dict[str, list[str]]]:
    """State and TFX URIs from the metadata of a task's artifacts, see `mtlx.kubeflow.page`."""
    for listed in output.get("artifacts", {}).values():
        metadata = listed["artifacts"][0].get("metadata", {})
        if "tfx_state" not in metadata:
            continue
        found = [(*key.split("/")[1:], "0") for key in metadata if key.startswith("tfx_uri/")]
        uris: dict[str, list[str]] = {}
        # A message's map has no order; the second of an output's artifacts is at tfx_uri/name/1.
        for name, number, *_ in sorted(found, key=lambda item: (item[0], int(item[1]))):
            key = f"tfx_uri/{name}" + (f"/{number}" if number != "0" else "")
            uris.setdefault(name, []).append(metadata[key])
        return metadata["tfx_state"], uris
    return "finished", {}
