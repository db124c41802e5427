"""Waits for a training job, says on the way how it stands, and why it failed."""

import time
from collections.abc import Mapping
from typing import Any

import kubernetes
from absl import logging

from mtlx.kubeflow.training_job.client import ClusterError, TrainingJobClient
from mtlx.kubeflow.training_job.job_kind import JobKind


class TrainingJobFailed(RuntimeError):
    """The training on the cluster ended without a model."""


class _Complaints:
    """Logs what the cluster complains of about a job, each of its words once."""

    def __init__(self, client: TrainingJobClient, name: str) -> None:
        self._client, self._name = client, name
        self._said: set[str] = set()
        self._may_look = True

    def log_new(self) -> None:
        """Logs what is new. Where events can't be read, says so once: a job trains without them."""
        if not self._may_look:
            return
        try:
            words = self._client.warnings(self._name)
        except ClusterError as error:
            self._may_look = False
            words = [f"the cluster's events about it can't be read: {error}"]
        for text in words:
            if text not in self._said:
                logging.warning("%s %s: %s", self._client.kind.name, self._name, text)
        self._said.update(words)


def wait(client: TrainingJobClient, name: str, poll_seconds: float, restarts: int) -> None:
    """Returns once the job has succeeded.

    Args:
        client: of the job's namespace.
        name: of the job.
        poll_seconds: between two looks.
        restarts: how often workers may start again, where the cluster itself sets no bound to that.

    Raises:
        TrainingJobFailed: the job failed, was restarted too often, or was deleted by someone.
        ClusterError: the API refuses, or is away for too long.
    """
    kind, line, seen = client.kind, "", set()
    complaints = _Complaints(client, name)
    while True:
        job = client.get(name)
        if job is None:
            raise TrainingJobFailed(f"{kind.name} {name} was deleted while it was awaited")
        pods = client.pods(name)
        now = _line(kind, job, pods)
        if now != line:
            logging.info("%s %s: %s", kind.name, name, now)
            line = now
        complaints.log_new()
        ended = kind.outcome(job)
        if ended == kind.success:
            return
        if ended is not None:
            condition = kind.condition(job, ended) or {}
            raise TrainingJobFailed(_report(client, name, condition, pods))
        restart = kind.restart(job)
        if restart is not None:
            seen.add(restart)
            if len(seen) > restarts:
                text = _report(client, name, kind.condition(job, "Restarting") or {}, pods)
                client.delete(name)
                raise TrainingJobFailed(f"given up after {restarts} restarts: {text}")
        time.sleep(poll_seconds)


def _line(kind: JobKind, job: Mapping[str, Any], pods: list[kubernetes.client.V1Pod]) -> str:
    """How the job stands: its latest condition, its workers by state, what pods wait for."""
    counts = kind.workers(job, pods)
    workers = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()) if number)
    waiting = [text for pod in pods if (text := _waits_for(pod))]
    return "; ".join(part for part in (kind.state(job), workers, *waiting) if part)


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
    text = f"{client.kind.name} {name}: {condition.get('reason')}: {condition.get('message')}"
    failed = [(pod, code) for pod in pods if (code := _exit_code(pod, client.kind))]
    if not failed:
        return f"{text}\n(no failed pod is left to read a log from)"
    # A worker that failed by itself leaves with a lower code than those that lost it.
    pod, code = min(failed, key=lambda pair: pair[1])
    log = client.log_tail(pod.metadata.name)
    return f"{text}\nthe last lines of {pod.metadata.name} (exit code {code}):\n{log}"


def _exit_code(pod: kubernetes.client.V1Pod, kind: JobKind) -> int:
    """The worker's exit code, of this or the last start; 0 where it did not fail."""
    for status in pod.status.container_statuses or []:
        if status.name != kind.container:
            continue
        for state in (status.state, status.last_state):
            if state and state.terminated and state.terminated.exit_code:
                return state.terminated.exit_code
    return 0
