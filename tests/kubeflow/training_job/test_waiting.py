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


@pytest.fixture
def warned(monkeypatch):
    """What is logged as a warning."""
    said = []
    monkeypatch.setattr(logging, "warning", lambda text, *values: said.append(text % values))
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


def test_what_the_cluster_complains_of_is_said_once(running, cluster, states, warned):
    """A job whose pods may not be made has no condition: only events tell."""
    cluster.add_event("TFJob", NAME, "FailedCreatePod", "exceeded quota: gpus")
    cluster.script = [states["created"], states["created"], states["succeeded"]]
    wait(running, NAME, 0.01, restarts=3)
    assert warned == [f"TFJob {NAME}: TFJob: FailedCreatePod: exceeded quota: gpus"]


def test_a_job_trains_where_events_may_not_be_read(running, cluster, states, warned, monkeypatch):
    cluster.script = [states["created"], states["running"], states["succeeded"]]
    answer = cluster.answer

    def without_events(method, path, query, body):
        return (403, "no") if path.endswith("/events") else answer(method, path, query, body)

    monkeypatch.setattr(cluster, "answer", without_events)
    wait(running, NAME, 0.01, restarts=3)
    (line,) = warned
    assert "events about it can't be read" in line and "list on events" in line


class TestTrainJob:
    """The conditions of Kubeflow Trainer, which has none for a job that runs."""

    @pytest.fixture
    def running(self, make_client, settings):
        client = make_client(kind="TrainJob")
        values = settings(kind="TrainJob")
        client.create(training_job_manifest(NAME, "ranking", values, "/pipeline/arguments.json"))
        return client

    @staticmethod
    def _status(*conditions, **counts):
        node = {"name": "node", "ready": 0, "succeeded": 0, "failed": 0, "active": 0, **counts}
        return {
            "conditions": [
                {"type": kind, "status": status, "reason": reason, "message": f"it is {reason}"}
                for kind, status, reason in conditions
            ],
            "jobsStatus": [node] if counts else [],
        }

    def test_says_how_it_goes_until_it_is_complete(self, running, cluster, lines):
        cluster.add_pod(NAME, 0, kind="TrainJob", restarts=0)
        cluster.add_pod(NAME, 1, kind="TrainJob", restarts=1)
        cluster.script = [
            {},
            self._status(("Suspended", "True", "Suspended")),
            self._status(("Suspended", "False", "Resumed"), suspended=1),
            self._status(("Suspended", "False", "Resumed"), active=1),
            self._status(("Complete", "True", "AllJobsCompleted"), succeeded=1),
        ]
        wait(running, NAME, 0.01, restarts=3)
        states = ["not yet seen by the operator", "Suspended", "Starting", "Running", "Complete"]
        assert lines == [f"TrainJob {NAME}: {one}; 2 Running, 1 restarts" for one in states]

    def test_failure_names_reason_and_log_of_the_worker_that_failed_by_itself(
        self, running, cluster
    ):
        failed = ("Failed", "True", "FailJobSetFailurePolicyAction")
        cluster.script = [self._status(active=1), self._status(failed, failed=1)]
        for index, code, log in ((0, 138, "lost worker 1"), (1, 1, "ValueError: no rows")):
            state = {"terminated": {"exitCode": code}}
            cluster.add_pod(NAME, index, state, log, "Failed", kind="TrainJob")
        with pytest.raises(TrainingJobFailed) as raised:
            wait(running, NAME, 0.01, restarts=3)
        text = str(raised.value)
        assert text.startswith(f"TrainJob {NAME}: FailJobSetFailurePolicyAction: it is")
        assert f"{NAME}-node-0-1-abcde (exit code 1):\nValueError: no rows" in text
        assert not cluster.deleted

    def test_what_keeps_the_jobset_from_being_made_is_said(self, running, cluster, warned):
        """Trainer leaves the status empty then."""
        cluster.add_event("TrainJob", NAME, "TrainJobResourcesCreationFailed", "no JobSet")
        cluster.script = [{}, self._status(("Complete", "True", "AllJobsCompleted"))]
        wait(running, NAME, 0.01, restarts=3)
        assert warned == [f"TrainJob {NAME}: TrainJob: TrainJobResourcesCreationFailed: no JobSet"]

    def test_a_deleted_job_is_a_failure(self, running, cluster):
        cluster.jobs.clear()
        with pytest.raises(TrainingJobFailed, match=f"TrainJob {NAME} was deleted"):
            wait(running, NAME, 0.01, restarts=3)
