"""The job that a Trainer's run_fn makes, what it takes of it, and what it refuses to make."""

import json
import os

import pytest

from mtlx.kubeflow.training_job import run_fn as module
from mtlx.kubeflow.training_job.arguments import read_arguments
from mtlx.kubeflow.training_job.client import ClusterError
from mtlx.kubeflow.training_job.waiting import TrainingJobFailed
from tests.kubeflow.training_job.run_fn.conftest import JOB, NAME, task_arguments


def test_creates_a_job_and_takes_its_model(finishing, task, tmp_path):
    arguments = task_arguments(tmp_path, "first")
    module.run_fn(arguments)
    job = finishing.jobs[NAME]
    assert job["spec"]["tfReplicaSpecs"]["Worker"]["replicas"] == 2
    uri = job["metadata"]["annotations"]["mtlx/arguments"]
    passed = read_arguments(uri)
    assert passed.train_files == arguments.train_files
    assert passed.custom_config == arguments.custom_config
    assert passed.data_accessor is None
    assert os.path.exists(os.path.join(arguments.serving_model_dir, "saved_model.pb"))
    assert "ownerReferences" not in job["metadata"]


def test_a_trainjob_without_its_runtime_is_not_made(cluster, trainjob, tmp_path):
    cluster.runtimes["mtlx-training"]["spec"]["template"]["spec"]["replicatedJobs"] = []
    with pytest.raises(
        ClusterError, match="TrainingRuntime mtlx-training in namespace ranking: it"
    ):
        module.run_fn(task_arguments(tmp_path, "first"))
    cluster.runtimes.clear()
    with pytest.raises(ClusterError, match="has no TrainingRuntime mtlx-training"):
        module.run_fn(task_arguments(tmp_path, "first"))
    assert {method for method, _ in cluster.requests} == {"GET"}


def test_the_job_belongs_to_the_tasks_pod(finishing, task, tmp_path, monkeypatch):
    monkeypatch.setenv("KFP_POD_NAME", "run-1-pod")
    monkeypatch.setenv("KFP_POD_UID", "12-34")
    monkeypatch.setattr(module, "own_namespace", lambda: "ranking")
    module.run_fn(task_arguments(tmp_path, "first"))
    (owner,) = finishing.jobs[NAME]["metadata"]["ownerReferences"]
    assert owner == {"apiVersion": "v1", "kind": "Pod", "name": "run-1-pod", "uid": "12-34"}
    # An owner of another namespace would take the job with it at once.
    monkeypatch.setattr(module, "own_namespace", lambda: "elsewhere")
    assert module._owner("ranking") is None


def test_a_failed_job_raises_with_its_log(cluster, states, task, tmp_path):
    cluster.script = [states["running"], states["failed"]]
    cluster.add_pod(NAME, 1, {"terminated": {"exitCode": 1}}, "TrainingDiverged: nan", "Failed")
    with pytest.raises(TrainingJobFailed, match="(?s)TFJobFailed.*TrainingDiverged: nan"):
        module.run_fn(task_arguments(tmp_path, "first"))
    assert NAME in cluster.jobs


def test_says_that_the_workers_left_nothing(cluster, states, task, tmp_path):
    cluster.script = [states["succeeded"]]
    with pytest.raises(TrainingJobFailed, match="left nothing at .*first.* volume"):
        module.run_fn(task_arguments(tmp_path, "first"))


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("MTLX_TRAINING_JOB", "MTLX_TRAINING_JOB is not set"),
        ("MTLX_RUN_ID", "MTLX_RUN_ID is not set"),
        ("MTLX_NODE", "MTLX_NODE is not set"),
    ],
)
def test_says_what_the_environment_lacks(cluster, task, tmp_path, monkeypatch, missing, words):
    monkeypatch.delenv(missing)
    with pytest.raises(ValueError, match=words):
        module.run_fn(task_arguments(tmp_path, "first"))
    assert not cluster.requests


def test_needs_a_namespace_outside_of_pods(cluster, task, tmp_path, monkeypatch):
    monkeypatch.setenv("MTLX_TRAINING_JOB", json.dumps({**JOB, "namespace": None}))
    with pytest.raises(ValueError, match="names no namespace"):
        module.run_fn(task_arguments(tmp_path, "first"))


def test_boosting_is_refused_before_a_job_is_made(cluster, task, tmp_path):
    model = json.dumps({"network": "lightgbm", "sequence_encoder": "none"})
    with pytest.raises(ValueError, match="'gradient_boosting' runs on one machine, not on 2"):
        module.run_fn(task_arguments(tmp_path, "first", model=model))
    assert not cluster.requests


def test_needs_a_cluster(task, tmp_path, monkeypatch):
    monkeypatch.delenv("KUBECONFIG", raising=False)
    with pytest.raises(ClusterError, match="no access to a cluster"):
        module.run_fn(task_arguments(tmp_path, "first"))
