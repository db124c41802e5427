"""TF_CONFIG of what a JobSet and Kubernetes tell a worker."""

import json

import pytest

from mtlx.kubeflow.training_job.jobset_workers import tf_config
from mtlx.trainer.distribution.cluster import Cluster, WrongCluster
from tests.kubeflow.training_job.conftest import RUNTIME

#: Of the second of three pods of the job 0 of the replicated job `node` of a JobSet.
POD = {
    "MTLX_JOBSET": "run-1-trainer",
    "MTLX_REPLICATED_JOB": "node",
    "MTLX_JOB": "0",
    "MTLX_WORKERS": "3",
    "JOB_COMPLETION_INDEX": "1",
}


def test_names_all_workers_as_the_jobset_names_its_pods():
    text = tf_config(POD)
    assert json.loads(text) == {
        "cluster": {
            "worker": [
                "run-1-trainer-node-0-0.run-1-trainer:2222",
                "run-1-trainer-node-0-1.run-1-trainer:2222",
                "run-1-trainer-node-0-2.run-1-trainer:2222",
            ]
        },
        "task": {"type": "worker", "index": 1},
    }
    assert Cluster.of_environment({"TF_CONFIG": text}) == Cluster(3, 1)


@pytest.mark.parametrize("others", [{"TF_CONFIG": "{}"}, {"MTLX_JOBSET": ""}])
def test_leaves_alone_what_others_said(others):
    """The Training Operator sets the variable itself; a process of this machine has no JobSet."""
    assert tf_config({**POD, **others}) is None


@pytest.mark.parametrize("missing", sorted(set(POD) - {"MTLX_JOBSET"}))
def test_names_what_is_missing(missing):
    with pytest.raises(WrongCluster, match=f"{missing} is not set .* kubeflow/manifests/trainer"):
        tf_config({name: value for name, value in POD.items() if name != missing})


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"JOB_COMPLETION_INDEX": "3"}, "JOB_COMPLETION_INDEX is 3, but there are 3 workers"),
        ({"JOB_COMPLETION_INDEX": "x"}, "JOB_COMPLETION_INDEX must be a number.*'x'"),
        ({"MTLX_WORKERS": "-1"}, "MTLX_WORKERS must be a number"),
    ],
)
def test_names_what_is_wrong(others, words):
    with pytest.raises(WrongCluster, match=words):
        tf_config({**POD, **others})


def test_the_runtime_gives_every_variable_that_kubernetes_and_the_job_do_not():
    (node,) = RUNTIME["spec"]["template"]["spec"]["replicatedJobs"]
    (container,) = node["template"]["spec"]["template"]["spec"]["containers"]
    given = {
        one["name"]: one["valueFrom"]["fieldRef"]["fieldPath"].split("/")[-1].rstrip("']")
        for one in container["env"]
    }
    assert given == {
        "MTLX_JOBSET": "jobset-name",
        "MTLX_REPLICATED_JOB": "replicatedjob-name",
        "MTLX_JOB": "job-index",
    }
    assert container["ports"] == [{"name": "training", "containerPort": 2222}]
    assert node["template"]["spec"]["completionMode"] == "Indexed"
