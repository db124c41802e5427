"""Waits for a run to end, through failures of the API that go away."""

import time
from collections.abc import Callable
from typing import Any

from mtlx.kubeflow.submission.pipelines_client import ApiUnreachable, PipelinesClient
from mtlx.kubeflow.submission.run_plan import RunPlan
from mtlx.kubeflow.submission.run_verdict import RunEnd, TaskState, run_end, task_states

#: Seconds between two looks.
POLL_SECONDS = 10.0
#: Seconds for which the API may be away before the waiting is given up.
PATIENCE_SECONDS = 300.0


class RunTimedOut(RuntimeError):
    """The run is still going on; nothing was done to it."""


def follow_run(
    client: PipelinesClient,
    run_id: str,
    plan: RunPlan,
    *,
    timeout: float | None = None,
    on_states: Callable[[dict[str, TaskState]], None] = lambda states: None,
    on_problem: Callable[[str], None] = lambda message: None,
    poll_seconds: float = POLL_SECONDS,
    patience_seconds: float = PATIENCE_SECONDS,
) -> tuple[RunEnd, Any]:
    """Looks at a run until it is over.

    Args:
        client: of Kubeflow Pipelines.
        run_id: the run.
        plan: of its package.
        timeout: seconds; None waits for ever.
        on_states: is given the tasks that the API lists, after every look.
        on_problem: is told of an API that does not answer.
        poll_seconds: between two looks.
        patience_seconds: for which the API may be away.

    Returns:
        How it ended, and the run.

    Raises:
        RunTimedOut: it did not end in time.
        ApiUnreachable: the API was away for too long.
        AccessRefused: the token is no longer accepted.
    """
    started = answered = time.monotonic()
    while True:
        try:
            run = client.get_run(run_id)
        except ApiUnreachable as error:
            if time.monotonic() - answered > patience_seconds:
                raise
            on_problem(str(error))
        else:
            answered = time.monotonic()
            on_states(task_states(run, plan.tasks))
            end = run_end(run, plan)
            if end is not None:
                return end, run
        left = float("inf") if timeout is None else started + timeout - time.monotonic()
        if left <= 0:
            raise RunTimedOut(f"run {run_id} is not over after {timeout:,.0f} s; it goes on")
        time.sleep(min(poll_seconds, left))
