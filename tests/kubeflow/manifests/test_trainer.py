"""The training runtime beside the worker's program, the base and the role."""

import pytest

from mtlx.kubeflow.task import training_worker
from mtlx.kubeflow.training_job.kinds import KINDS
from tests.kubeflow.kustomization import build
from tests.kubeflow.manifests.conftest import MANIFESTS

KIND = KINDS["TrainJob"]


@pytest.fixture(scope="module")
def jobset():
    (runtime,) = build(MANIFESTS / "trainer")
    assert runtime["metadata"]["name"] == KIND.runtime
    assert runtime["apiVersion"] == f"{KIND.group}/{KIND.version}"
    return runtime["spec"]["template"]["spec"]


def test_own_failures_end_the_job_and_lost_workers_start_all_again(jobset):
    (node,) = jobset["replicatedJobs"]
    job = node["template"]["spec"]
    (rule,) = job["podFailurePolicy"]["rules"]
    codes = rule["onExitCodes"]
    assert (rule["action"], codes["operator"]) == ("FailJob", "In")
    own = {training_worker.EXIT_FAILED, training_worker.EXIT_WRONG_INPUT}
    assert own <= set(codes["values"]) and max(codes["values"]) < 128
    assert training_worker.EXIT_LOST_WORKERS not in codes["values"]
    # Any other end fails the job as well, for another reason: the set of jobs starts again.
    assert (job["backoffLimit"], job["template"]["spec"]["restartPolicy"]) == (0, "Never")
    (rule,) = jobset["failurePolicy"]["rules"]
    assert (rule["action"], rule["onJobFailureReasons"]) == ("FailJobSet", ["PodFailurePolicy"])
    assert 0 < jobset["failurePolicy"]["maxRestarts"] <= 10


def test_names_are_found_before_pods_are_ready_and_the_first_worker_decides(jobset):
    assert jobset["network"] == {"enableDNSHostnames": True, "publishNotReadyAddresses": True}
    (node,) = jobset["replicatedJobs"]
    assert node["template"]["metadata"]["labels"] == {
        "trainer.kubeflow.org/trainjob-ancestor-step": "trainer"
    }
    assert node["template"]["spec"]["successPolicy"] == {"rules": [{"succeededIndexes": "0"}]}


def test_clusters_without_trainer_are_not_asked_for_it():
    """The kind is unknown there, and the base could not be applied."""
    for folder in ("base", "overlays/second-experiment"):
        kinds = {item["kind"] for item in build(MANIFESTS / folder)}
        assert "TrainingRuntime" not in kinds


def test_the_role_has_what_the_task_does(objects):
    rules = objects["Role", "mtlx-training"]["rules"]
    given = {
        (group, resource): set(rule["verbs"])
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert {"create", "get", "delete"} <= given[KIND.group, KIND.plural]
    assert given[KIND.group, "trainingruntimes"] == {"get"}
    assert given["", "events"] == {"list"}
