"""Waits for a training job, says on the way how it stands, and why it failed."""

import time
from collections.abc import Mapping
from typing import Any

import kubernetes
from absl import logging

from mtlx.kubeflow.training_job.client import TrainingJobClient
from mtlx.kubeflow.training_job.manifest import CONTAINER


class TrainingJobFailed(RuntimeError):
    """The training on the cluster ended without a model."""


def outcome(job: Mapping[str, Any]) -> str | None:
    """``Succeeded`` or ``Failed`` for a finished job, else None."""
    for kind in ("Succeeded", "Failed"):
        if _condition(job, kind):
            return kind
    return None


def wait(client: TrainingJobClient, name: str, poll_seconds: float, restarts: int) -> None:
    """Returns once the job has succeeded.

    Args:
        client: of the job's namespace.
        name: of the job.
        poll_seconds: between two looks.
        restarts: how often workers may start again; the operator itself sets no bound to that.

    Raises:
        TrainingJobFailed: the job failed, was restarted too often, or was deleted by someone.
        ClusterError: the API refuses, or is away for too long.
    """
    line, seen = "", set()
    while True:
        job = client.get(name)
        if job is None:
            raise TrainingJobFailed(f"TFJob {name} was deleted while it was awaited")
        pods = client.pods(name)
        now = _line(job, pods)
        if now != line:
            logging.info("TFJob %s: %s", name, now)
            line = now
        ended = outcome(job)
        if ended == "Succeeded":
            return
        if ended == "Failed":
            raise TrainingJobFailed(_report(client, name, _condition(job, "Failed") or {}, pods))
        restarting = _condition(job, "Restarting")
        if restarting:
            seen.add(restarting.get("lastTransitionTime") or restarting.get("lastUpdateTime"))
            if len(seen) > restarts:
                text = _report(client, name, restarting, pods)
                client.delete(name)
                raise TrainingJobFailed(f"given up after {restarts} restarts: {text}")
        time.sleep(poll_seconds)


def _condition(job: Mapping[str, Any], kind: str) -> dict[str, Any] | None:
    """The job's condition of a kind, where it holds."""
    for condition in (job.get("status") or {}).get("conditions") or []:
        if condition.get("type") == kind and condition.get("status") == "True":
            return condition
    return None


def _line(job: Mapping[str, Any], pods: list[kubernetes.client.V1Pod]) -> str:
    """How the job stands: its latest condition, its workers by state, what pods wait for."""
    status = job.get("status") or {}
    holding = [c["type"] for c in status.get("conditions") or [] if c.get("status") == "True"]
    counts = (status.get("replicaStatuses") or {}).get("Worker") or {}
    workers = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()) if number)
    waiting = [text for pod in pods if (text := _waits_for(pod))]
    parts = [holding[-1] if holding else "not yet seen by the operator", workers, *waiting]
    return "; ".join(part for part in parts if part)


def _waits_for(pod: kubernetes.client.V1Pod) -> str:
    """Why a pod does not run yet, where the cluster says so."""
    for status in pod.status.container_statuses or []:
        waiting = status.state.waiting if status.state else None
        if waiting and waiting.reason != "ContainerCreating":
            return f"{pod.metadata.name}: {waiting.reason} {waiting.message or ''}".rstrip()
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.status == "False":
            return f"{pod.metadata.name}: {condition.reason} {condition.message or ''}".rstrip()
    return ""


def _report(
    client: TrainingJobClient,
    name: str,
    condition: Mapping[str, Any],
    pods: list[kubernetes.client.V1Pod],
) -> str:
    """The job's reason and message, and the end of the log of the pod that failed first."""
    text = f"TFJob {name}: {condition.get('reason')}: {condition.get('message')}"
    failed = [(pod, code) for pod in pods if (code := _exit_code(pod))]
    if not failed:
        return f"{text}\n(no failed pod is left to read a log from)"
    # A worker that failed by itself leaves with a lower code than those that lost it.
    pod, code = min(failed, key=lambda pair: pair[1])
    log = client.log_tail(pod.metadata.name)
    return f"{text}\nthe last lines of {pod.metadata.name} (exit code {code}):\n{log}"


def _exit_code(pod: kubernetes.client.V1Pod) -> int:
    """The worker's exit code, of this or the last start; 0 where it did not fail."""
    for status in pod.status.container_statuses or []:
        if status.name != CONTAINER:
            continue
        for state in (status.state, status.last_state):
            if state and state.terminated and state.terminated.exit_code:
                return state.terminated.exit_code
    return 0
