"""Waiting for a job: progress, success, failure with the log, too many restarts."""

import pytest
from absl import logging

from mtlx.kubeflow.training_job.manifest import training_job_manifest
from mtlx.kubeflow.training_job.waiting import TrainingJobFailed, wait

NAME = "run-1-trainer"


@pytest.fixture
def running(client, cluster, settings):
    """A client, with a job in the cluster."""
    client.create(training_job_manifest(NAME, "ranking", settings(), "/pipeline/arguments.json"))
    return client


@pytest.fixture
def lines(monkeypatch):
    """What is logged."""
    said = []
    monkeypatch.setattr(logging, "info", lambda text, *values: said.append(text % values))
    return said


def test_returns_on_success_and_says_what_changed(running, cluster, states, lines):
    cluster.script = [
        {},
        states["created"],
        states["running"],
        states["running"],
        states["running"],
        states["succeeded"],
    ]
    wait(running, NAME, 0.01, restarts=3)
    assert lines == [
        f"TFJob {NAME}: not yet seen by the operator",
        f"TFJob {NAME}: Created",
        f"TFJob {NAME}: Running; 2 active",
        f"TFJob {NAME}: Succeeded; 2 succeeded",
    ]
    assert NAME in cluster.jobs, "a finished job stays for people to look at"


def test_says_what_pods_wait_for(running, cluster, states, lines):
    pull = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
    cluster.add_pod(NAME, 0, pull, phase="Pending")
    cluster.add_pod(NAME, 1, {"waiting": {"reason": "ContainerCreating"}}, phase="Pending")
    cluster.script = [states["created"], states["succeeded"]]
    wait(running, NAME, 0.01, restarts=3)
    assert lines[0] == f"TFJob {NAME}: Created; {NAME}-worker-0: ErrImagePull no such image"


def test_bears_with_outages_while_it_waits(running, cluster, states):
    cluster.script = [states["running"], states["running"], states["succeeded"]]
    cluster.failures = [500, 0, 503]
    wait(running, NAME, 0.01, restarts=3)


def test_failure_names_reason_and_log_of_the_worker_that_failed_by_itself(running, cluster, states):
    cluster.script = [states["running"], states["failed"]]
    cluster.add_pod(NAME, 0, {"terminated": {"exitCode": 138}}, "lost worker 1", "Failed")
    cluster.add_pod(NAME, 1, {"terminated": {"exitCode": 1}}, "ValueError: no rows", "Failed")
    with pytest.raises(TrainingJobFailed) as raised:
        wait(running, NAME, 0.01, restarts=3)
    text = str(raised.value)
    assert f"TFJob {NAME}: TFJobFailed: TFJob has failed because 1 Worker" in text
    assert f"{NAME}-worker-1 (exit code 1):\nValueError: no rows" in text
    assert "lost worker" not in text
    assert NAME in cluster.jobs, "a failed job stays for people to look at"


def test_failure_without_pods_says_so(running, cluster, states):
    cluster.script = [states["failed"]]
    with pytest.raises(TrainingJobFailed, match="no failed pod is left"):
        wait(running, NAME, 0.01, restarts=3)


def test_gives_up_after_too_many_restarts(running, cluster, states):
    """The operator itself would go on for ever."""
    restarting = []
    for minute in range(9):
        one = states["of"](("Restarting", "TFJobRestarting", "TFJob is restarting"), active=1)
        one["conditions"][0]["lastTransitionTime"] = f"2026-01-01T00:{minute:02d}:00Z"
        restarting += [one, one, states["running"]]
    cluster.script = restarting
    cluster.add_pod(NAME, 1, {"terminated": {"exitCode": 137}}, "Killed", "Failed")
    with pytest.raises(TrainingJobFailed, match="(?s)given up after 2 restarts.*Killed"):
        wait(running, NAME, 0.01, restarts=2)
    assert cluster.deleted == [NAME]


def test_a_deleted_job_is_a_failure(running, cluster):
    cluster.jobs.clear()
    with pytest.raises(TrainingJobFailed, match="was deleted"):
        wait(running, NAME, 0.01, restarts=3)
