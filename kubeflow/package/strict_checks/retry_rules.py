"""Rule on retries: the window of a task must have room for all of them."""

from collections.abc import Iterator

from mtlx.kubeflow.package.retry_window import needed_window
from mtlx.kubeflow.package.strict_checks.documents import Documents


def retry_problems(documents: Documents) -> Iterator[str]:
    """Windows that end before the last retry could."""
    for dag, name, task in documents.tasks():
        policy = task.retry_policy
        if not policy.max_retry_count:
            continue
        component = documents.spec.components.get(task.component_ref.name)
        platform = documents.platform.get(component.executor_label if component else "")
        deadline = platform.active_deadline_seconds if platform else 0
        window = policy.backoff_max_duration.ToTimedelta().total_seconds()
        pause = policy.backoff_duration.ToTimedelta().total_seconds()
        needed = needed_window(
            policy.max_retry_count, pause, policy.backoff_factor or 1.0, deadline or None
        )
        if window < needed:
            yield (
                f"{dag}: task {name}: its retries end {window:.0f} s after the first attempt's "
                f"start (backoffMaxDuration), but {policy.max_retry_count} retries need "
                f"{needed:.0f} s"
            )
