"""The client against an API server: conflicts, outages, refusals."""

import pytest

from mtlx.kubeflow.training_job.client import ClusterError, connect
from mtlx.kubeflow.training_job.manifest import training_job_manifest


@pytest.fixture
def job(settings):
    return training_job_manifest("run-1-trainer", "ranking", settings(), "/pipeline/arguments.json")


def test_creates_reads_and_deletes(client, cluster, job):
    assert client.get("run-1-trainer") is None
    assert client.create(job)
    assert client.get("run-1-trainer")["spec"] == job["spec"]
    assert not client.create(job), "409 is an earlier attempt's job"
    client.delete("run-1-trainer")
    client.delete("run-1-trainer")
    assert not cluster.jobs and cluster.deleted == ["run-1-trainer"]


@pytest.mark.parametrize("failures", [[500], [503, 429, 502], [0, 500, 0]])
def test_bears_with_short_outages(client, cluster, job, failures):
    cluster.failures = list(failures)
    assert client.create(job)
    assert len(cluster.requests) == len(failures) + 1


def test_a_creation_whose_answer_was_lost_is_an_earlier_attempt(client, cluster, job):
    """The job is there although the call failed: the repetition finds it."""
    create = cluster._create

    def lost(body):
        cluster._create = create
        create(body)
        return 500, {}

    cluster._create = lost
    assert not client.create(job)
    assert list(cluster.jobs) == ["run-1-trainer"]


def test_gives_up_when_the_outage_lasts(make_client, cluster):
    cluster.failures = [503] * 100
    with pytest.raises(ClusterError, match="503"):
        make_client(patience_seconds=0.1).get("run-1-trainer")
    cluster.failures = [0] * 100
    with pytest.raises(ClusterError, match="can't be reached"):
        make_client(patience_seconds=0.1).get("run-1-trainer")


def test_says_what_the_service_account_lacks(client, cluster, job):
    cluster.failures = [403]
    with pytest.raises(ClusterError, match="needs create, get and delete on tfjobs"):
        client.create(job)
    assert len(cluster.requests) == 1, "a refusal is not repeated"


def test_says_that_the_cluster_has_no_operator(client, cluster, job, monkeypatch):
    monkeypatch.setattr(cluster, "answer", lambda *request: (404, "404 page not found\n"))
    for call in (lambda: client.create(job), lambda: client.get("run-1-trainer")):
        with pytest.raises(ClusterError, match="install the Training Operator"):
            call()


def test_a_version_that_drops_a_part_of_a_job_is_named(make_client, cluster, settings):
    """Trainer before 2.2 has no runtimePatches, without which the pods have no volumes."""
    client = make_client(kind="TrainJob")
    cluster.unknown = ("runtimePatches", "activeDeadlineSeconds")
    values = settings(kind="TrainJob", timeout_seconds=60)
    job = training_job_manifest("run-1-trainer", "ranking", values, "/pipeline/arguments.json")
    words = "does not know spec.activeDeadlineSeconds, spec.runtimePatches: .* Trainer, 2.2"
    with pytest.raises(ClusterError, match=words):
        client.create(job)
    assert not cluster.jobs, "it would train without its volumes"
    cluster.unknown = ()
    assert client.create(job)


def test_the_runtime_that_jobs_name_must_be_there(make_client, cluster):
    client = make_client(kind="TrainJob")
    assert client.require_runtime()["kind"] == "TrainingRuntime"
    cluster.runtimes.clear()
    words = (
        "no TrainingRuntime mtlx-training, which a TrainJob names: list kubeflow/manifests/trainer"
    )
    with pytest.raises(ClusterError, match=words):
        client.require_runtime()
    assert make_client().require_runtime() is None, "a TFJob names none"


def test_reads_the_clusters_warnings_about_a_job_and_what_it_is_made_of(make_client, cluster):
    cluster.add_event("Job", "run-1-trainer-node-0", "FailedCreate", "exceeded quota", second=9)
    cluster.add_event("TrainJob", "run-1-trainer", "Failed", "no runtime", second=3)
    cluster.add_event("TrainJob", "run-1-trainer", "Created", "fine", type="Normal")
    cluster.add_event("TrainJob", "run-2-trainer", "Failed", "of another")
    assert make_client(kind="TrainJob").warnings("run-1-trainer") == [
        "TrainJob: Failed: no runtime",
        "Job: FailedCreate: exceeded quota",
    ]
    assert make_client().warnings("run-1-trainer") == ["TrainJob: Failed: no runtime"]


def test_waits_until_a_deleted_job_is_gone(client, cluster, job):
    client.create(job)
    cluster.lingering = 3
    client.delete("run-1-trainer", wait_seconds=5)
    assert client.get("run-1-trainer") is None


def test_says_that_a_deleted_job_stays(client, cluster, job):
    client.create(job)
    cluster.lingering = 10_000
    with pytest.raises(ClusterError, match="still there"):
        client.delete("run-1-trainer", wait_seconds=0.1)


def test_needs_access_to_a_cluster(monkeypatch):
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ClusterError, match="set KUBECONFIG"):
        connect()


def test_a_log_that_is_gone_is_no_error(client):
    assert "can't be read" in client.log_tail("run-1-trainer-worker-0")
