"""How a run ended, read from what the API of Kubeflow Pipelines says of its tasks.

The API (v2beta1) gives no output parameters of a finished task, so the boolean ``blessed`` itself
cannot be read. What is read is `run.state`, and `state` and `display_name` of
`run.run_details.task_details`: the gate's task, the Pusher's, and the condition around Pusher,
which is skipped unless gate and serving check let the candidate pass. Names are compared without
case and punctuation. Where the package has no Pusher, the API knows no verdict; the run's page and
the blessing in the pipeline root do.
"""

import enum
from dataclasses import dataclass
from typing import Any

from mtlx.kubeflow.submission.run_plan import RunPlan, task_key

#: States of a run that has ended.
OVER = ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED")


class RunEnd(enum.Enum):
    """How a run ended."""

    PUSHED = "pushed"
    NOT_BLESSED = "not blessed"
    FAILED = "failed"
    VERDICT_UNKNOWN = "succeeded, verdict unknown"


@dataclass(frozen=True)
class TaskState:
    """One task of a run.

    Attributes:
        name: as in the package.
        state: as in the API: ``PENDING``, ``RUNNING``, ``SUCCEEDED``, ``SKIPPED``, ``FAILED`` …
        seconds: from its start to its end, None before.
        error: message, or None.
    """

    name: str
    state: str
    seconds: float | None = None
    error: str | None = None


def task_states(run: Any, names: tuple[str, ...]) -> dict[str, TaskState]:
    """Returns the tasks that the API lists, by the package's name, in the package's order.

    Args:
        run: `kfp_server_api.V2beta1Run`.
        names: of tasks and conditions.
    """
    details = (run.run_details.task_details if run.run_details else None) or []
    by_key: dict[str, Any] = {}
    for detail in details:
        key = task_key(detail.display_name or "")
        # A repeated task is listed again; the last one counts.
        if key not in by_key or _started(detail) >= _started(by_key[key]):
            by_key[key] = detail
    found = ((name, by_key.get(task_key(name))) for name in names)
    return {name: _state(name, detail) for name, detail in found if detail is not None}


def run_end(run: Any, plan: RunPlan) -> RunEnd | None:
    """Returns how a run ended, None while it goes on.

    Args:
        run: `kfp_server_api.V2beta1Run`.
        plan: of its package.
    """
    if run.state not in OVER:
        return None
    if run.state != "SUCCEEDED":
        return RunEnd.FAILED
    if plan.pusher is None:
        return RunEnd.VERDICT_UNKNOWN
    groups = tuple(reversed(plan.conditions))
    states = task_states(run, (plan.pusher, *groups, *([plan.gate] if plan.gate else [])))
    # From the inside out: the first one that says something.
    for name in (plan.pusher, *groups):
        if name in states and states[name].state == "SUCCEEDED":
            return RunEnd.PUSHED
        if name in states and states[name].state == "SKIPPED":
            return RunEnd.NOT_BLESSED
    # A backend that lists no skipped tasks: the gate decided, all is over, Pusher never was.
    if plan.gate in states and states[plan.gate].state == "SUCCEEDED":
        return RunEnd.NOT_BLESSED
    return RunEnd.VERDICT_UNKNOWN


def _started(detail: Any) -> float:
    moment = detail.start_time or detail.create_time
    return moment.timestamp() if moment else 0.0


def _state(name: str, detail: Any) -> TaskState:
    seconds = None
    # The API writes the year 1970 or 1 for what has not happened.
    if detail.start_time and detail.end_time and detail.end_time >= detail.start_time:
        seconds = (detail.end_time - detail.start_time).total_seconds()
    message = detail.error.message if detail.error else None
    return TaskState(name, detail.state or "RUNTIME_STATE_UNSPECIFIED", seconds, message)
