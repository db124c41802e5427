"""How long a task may be retried: a window that begins with its first attempt.

Argo, which runs the tasks, retries none once the ``maxDuration`` of its back-off is over, counted
from the first attempt's start, and kills a retried pod at that moment. A package has it as
``backoffMaxDuration``, which kfp's compiler cuts down to an hour.
"""

from collections.abc import Mapping

from kfp.pipeline_spec import pipeline_spec_pb2

#: The window of a task whose pods may run for ever, and the shortest: 30 days, in seconds. A pod
#: may wait long for its machine, and what bounds its work is its own deadline.
LONG_WINDOW = 30 * 24 * 3600


def needed_window(retries: int, pause: float, factor: float, timeout_seconds: int | None) -> float:
    """The seconds in which all attempts and the pauses between them have room.

    Args:
        retries: attempts after the first one.
        pause: seconds before the first retry.
        factor: by which each further pause is longer.
        timeout_seconds: longest time of a pod; None for no limit.
    """
    pauses = sum(pause * factor**number for number in range(retries))
    if timeout_seconds is None:
        return max(LONG_WINDOW, pauses)
    return (retries + 1) * timeout_seconds + pauses


def widen_windows(spec: pipeline_spec_pb2.PipelineSpec, timeouts: Mapping[str, int | None]) -> None:
    """Gives every task that is retried a window in which all its retries have room.

    Args:
        spec: of the pipeline; is changed.
        timeouts: longest time of a pod by task, None for no limit.
    """
    for component in (spec.root, *spec.components.values()):
        for name, task in component.dag.tasks.items():
            policy = task.retry_policy
            if name not in timeouts or not policy.max_retry_count:
                continue
            pause = policy.backoff_duration.ToTimedelta().total_seconds()
            needed = needed_window(
                policy.max_retry_count, pause, policy.backoff_factor, timeouts[name]
            )
            policy.backoff_max_duration.FromSeconds(int(max(LONG_WINDOW, needed)))
