"""The TFJob: by the schema of its kind, its pods by Kubernetes' own, and what is where."""

import json
from pathlib import Path

import jsonschema
import pytest

from mtlx.kubeflow.training_job.manifest import training_job_manifest
from tests.kubeflow.training_job.kinds.conftest import LARGE

SCHEMA = json.loads((Path(__file__).parent / "tfjob_schema.json").read_text())
URI = "/pipeline/Trainer/model_run/7/training_job/arguments.json"


def _pod(job):
    return job["spec"]["tfReplicaSpecs"]["Worker"]["template"]["spec"]


@pytest.mark.parametrize("values", [{}, LARGE])
@pytest.mark.parametrize(
    "owner", [None, {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}]
)
def test_is_a_tfjob_whose_pods_kubernetes_reads_whole(
    settings, as_kubernetes_reads_it, values, owner
):
    job = training_job_manifest("run-1-trainer", "ranking", settings(**values), URI, owner)
    jsonschema.validate(job, SCHEMA)
    template = job["spec"]["tfReplicaSpecs"]["Worker"]["template"]
    assert as_kubernetes_reads_it(template, "V1PodTemplateSpec") == template
    assert json.loads(json.dumps(job)) == job


def test_the_check_of_pods_finds_a_wrong_field(settings, as_kubernetes_reads_it):
    job = training_job_manifest("run-1-trainer", "ranking", settings(), URI)
    template = job["spec"]["tfReplicaSpecs"]["Worker"]["template"]
    template["spec"]["containers"][0]["resource"] = {}
    assert as_kubernetes_reads_it(template, "V1PodTemplateSpec") != template
    job["spec"]["runPolicy"]["backOffLimit"] = 1
    with pytest.raises(jsonschema.ValidationError, match="backOffLimit"):
        jsonschema.validate(job, SCHEMA)


def test_small_job(settings):
    job = training_job_manifest("run-1-trainer", "ranking", settings(), URI)
    assert job["metadata"]["annotations"] == {"mtlx/arguments": URI}
    assert job["spec"]["runPolicy"] == {
        "cleanPodPolicy": "Running",
        "ttlSecondsAfterFinished": 86_400,
        "backoffLimit": 6,
    }
    worker = job["spec"]["tfReplicaSpecs"]["Worker"]
    assert (worker["replicas"], worker["restartPolicy"]) == (2, "ExitCode")
    pod = _pod(job)
    (container,) = pod["containers"]
    assert container["name"] == "tensorflow"
    assert container["command"] == [
        "python", "-m", "mtlx.kubeflow.task.training_worker", "--arguments", URI,
    ]  # fmt: skip
    assert container["resources"] == {
        "requests": {"cpu": "1", "memory": "4Gi"},
        "limits": {"memory": "4Gi"},
    }
    assert pod["volumes"] == [
        {"name": "claim-0", "persistentVolumeClaim": {"claimName": "mtlx-root"}},
        {"name": "temporary", "emptyDir": {}},
    ]
    assert container["volumeMounts"] == [
        {"name": "claim-0", "mountPath": "/pipeline"},
        {"name": "temporary", "mountPath": "/tmp"},
    ]
    assert not {"nodeSelector", "tolerations", "imagePullSecrets"} & set(pod)


@pytest.mark.parametrize("values", [{}, LARGE])
def test_pods_are_restricted(settings, values):
    """As those of the manifests are: see tests/kubeflow/test_manifests.py."""
    pod = _pod(training_job_manifest("run-1-trainer", "ranking", settings(**values), URI))
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "/tmp" in [mount["mountPath"] for mount in container["volumeMounts"]]
    assert "memory" in container["resources"]["limits"]


def test_a_volume_of_ones_own_may_lie_at_tmp(settings):
    volumes = [{"claim": "scratch", "mount": "/tmp"}]
    pod = _pod(training_job_manifest("run-1-trainer", "ranking", settings(volumes=volumes), URI))
    assert [volume["name"] for volume in pod["volumes"]] == ["claim-0"]


def test_large_job(settings):
    job = training_job_manifest("run-1-trainer", "ranking", settings(**LARGE), URI)
    assert job["spec"]["runPolicy"]["activeDeadlineSeconds"] == 7200
    pod = _pod(job)
    (container,) = pod["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "2"},
        "limits": {"cpu": "16", "memory": "48Gi", "nvidia.com/gpu": "2"},
    }
    assert [(mount["name"], mount["mountPath"]) for mount in container["volumeMounts"]] == [
        ("claim-0", "/pipeline"),
        ("claim-1", "/logs"),
        ("claim-0", "/again"),
        ("secret-0", "/secrets/bucket"),
        ("shared-memory", "/dev/shm"),
        ("temporary", "/tmp"),
    ]
    names = [volume["name"] for volume in pod["volumes"]]
    assert names == ["claim-0", "claim-1", "secret-0", "shared-memory", "temporary"]
    assert pod["volumes"][3]["emptyDir"] == {"medium": "Memory", "sizeLimit": "8Gi"}
    variables = {variable["name"]: variable for variable in container["env"]}
    assert variables["NCCL_DEBUG"]["value"] == "WARN"
    assert variables["ACCESS_KEY"]["valueFrom"] == {
        "secretKeyRef": {"name": "keys", "key": "access-key"}
    }
    assert pod["nodeSelector"] == {"accelerator": "h100"}
    assert pod["tolerations"] == [
        {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"},
        {
            "key": "spot",
            "operator": "Equal",
            "value": "yes",
            "effect": "NoExecute",
            "tolerationSeconds": 60,
        },
    ]
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert pod["serviceAccountName"] == "trainer"
