"""The TrainJob: by the schema of its kind, and its pods as Trainer makes them of it and the runtime."""

import copy
import json
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest

from mtlx.kubeflow.training_job.job_name import job_name
from mtlx.kubeflow.training_job.kinds import KINDS
from mtlx.kubeflow.training_job.manifest import training_job_manifest
from tests.kubeflow.training_job.conftest import RUNTIME
from tests.kubeflow.training_job.kinds.conftest import LARGE

SCHEMA = json.loads((Path(__file__).parent / "trainjob_schema.json").read_text())
URI = "/pipeline/Trainer/model_run/7/training_job/arguments.json"
NAME = "run-1-trainer"
KIND = KINDS["TrainJob"]
#: By what Kubernetes merges lists of a patch with those that are there.
MERGE_KEYS = {"volumes": "name", "containers": "name", "volumeMounts": "mountPath", "env": "name"}


def _merged(there, patch, key=None):
    """A strategic merge, as far as these documents need one."""
    if isinstance(patch, dict):
        kept = there if isinstance(there, dict) else {}
        return {**kept, **{k: _merged(kept.get(k), v, k) for k, v in patch.items()}}
    if isinstance(patch, list) and key in MERGE_KEYS:
        by = MERGE_KEYS[key]
        items = {one[by]: one for one in there or []}
        return list(
            {**items, **{one[by]: _merged(items.get(one[by]), one) for one in patch}}.values()
        )
    return patch


def _as_trainer_does(job):
    """The job of the JobSet that Trainer makes, as a document of batch/v1."""
    (node,) = copy.deepcopy(RUNTIME["spec"]["template"]["spec"]["replicatedJobs"])
    (patch,) = job["spec"]["runtimePatches"]
    (patched,) = patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
    assert patched["name"] == node["name"] == "node"
    template = _merged(node["template"], patched["template"])
    (container,) = template["spec"]["template"]["spec"]["containers"]
    trainer = job["spec"]["trainer"]
    for name in ("image", "command"):
        container[name] = trainer[name]
    container["env"] = _merged(container["env"], trainer["env"], "env")
    container["resources"] = trainer["resourcesPerNode"]
    template["spec"].update(parallelism=trainer["numNodes"], completions=trainer["numNodes"])
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{job['metadata']['name']}-node-0", **template["metadata"]},
        "spec": template["spec"],
    }


@pytest.fixture
def build(settings):
    def make(owner=None, **values):
        return training_job_manifest(
            NAME, "ranking", settings(kind="TrainJob", **values), URI, owner
        )

    return make


@pytest.mark.parametrize("values", [{}, LARGE])
def test_is_a_trainjob_whose_job_kubernetes_takes(build, as_kubernetes_reads_it, values):
    job = build({"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}, **values)
    jsonschema.validate(job, SCHEMA)
    made = _as_trainer_does(job)
    kubernetes_validate.validate(made, "1.32", strict=True)
    template = made["spec"]["template"]
    assert as_kubernetes_reads_it(template, "V1PodTemplateSpec") == template
    # What a release before 1.31 drops, and waits for all workers then.
    del made["spec"]["successPolicy"]
    kubernetes_validate.validate(made, "1.28", strict=True)


def test_the_checks_find_a_wrong_field(build):
    job = build()
    job["spec"]["podTemplateOverrides"] = []
    with pytest.raises(jsonschema.ValidationError, match="podTemplateOverrides"):
        jsonschema.validate(job, SCHEMA)


def test_names_our_runtime_and_says_how_many_workers(build):
    spec = build()["spec"]
    assert spec["runtimeRef"] == {
        "apiGroup": "trainer.kubeflow.org",
        "kind": "TrainingRuntime",
        "name": RUNTIME["metadata"]["name"],
    }
    trainer = spec["trainer"]
    assert trainer["numNodes"] == 2
    assert {"name": "MTLX_WORKERS", "value": "2"} in trainer["env"]
    assert trainer["command"][-2:] == ["--arguments", URI]
    assert "activeDeadlineSeconds" not in spec
    assert build(timeout_seconds=60)["spec"]["activeDeadlineSeconds"] == 60


@pytest.mark.parametrize("values", [{}, LARGE])
def test_pods_are_restricted(build, values):
    made = _as_trainer_does(build(**values))["spec"]["template"]
    pod = made["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert made["metadata"]["labels"]["sidecar.istio.io/inject"] == "false"
    assert "/tmp" in [mount["mountPath"] for mount in container["volumeMounts"]]
    assert "memory" in container["resources"]["limits"]


def test_pods_have_what_the_node_asks_for(build):
    made = _as_trainer_does(build(**LARGE))["spec"]
    pod = made["template"]["spec"]
    (container,) = pod["containers"]
    assert made["parallelism"] == made["completions"] == 4
    assert container["resources"] == {
        "requests": {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "2"},
        "limits": {"cpu": "16", "memory": "48Gi", "nvidia.com/gpu": "2"},
    }
    claims = {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"]
        for volume in pod["volumes"]
        if "persistentVolumeClaim" in volume
    }
    paths = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert {path: claims.get(name, name) for path, name in paths.items()} == {
        "/pipeline": "mtlx-root",
        "/logs": "logs",
        "/again": "mtlx-root",
        "/secrets/bucket": "secret-0",
        "/dev/shm": "shared-memory",
        "/tmp": "temporary",
    }
    # The API takes each name once, in the list of volumes and in that of mounts.
    assert len(set(paths.values())) == len(paths) == len(pod["volumes"])
    variables = {variable["name"]: variable for variable in container["env"]}
    assert variables["ACCESS_KEY"]["valueFrom"]["secretKeyRef"] == {
        "name": "keys",
        "key": "access-key",
    }
    assert variables["NCCL_DEBUG"]["value"] == "WARN" and "MTLX_JOBSET" in variables
    assert pod["nodeSelector"] == {"accelerator": "h100"}
    assert pod["tolerations"][1]["tolerationSeconds"] == 60
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert pod["serviceAccountName"] == "trainer"


def test_a_volume_of_ones_own_may_lie_at_tmp(build):
    made = _as_trainer_does(build(volumes=[{"claim": "scratch", "mount": "/tmp"}]))
    assert [volume["name"] for volume in made["spec"]["template"]["spec"]["volumes"]] == ["claim-0"]


def test_longest_names_leave_room_for_what_a_jobset_appends():
    assert len(job_name("r" * 80, "ReferenceTrainer") + "-node-0-9999-abcde") <= 63


def test_says_what_the_api_would_refuse(settings):
    image = "registry.example/" + "x" * 500
    variables = {f"V{number}": "" for number in range(128)}
    found = list(KIND.problems(settings(kind="TrainJob", image=image, env=variables)))
    assert len(found) == 2 and "517 characters" in found[0] and "130 environment" in found[1]
    assert not list(KIND.problems(settings(kind="TrainJob")))


def test_the_runtime_must_pull_images_as_the_experiment_says(settings):
    assert KIND.runtime_problem(RUNTIME, settings(kind="TrainJob")) is None
    always = settings(kind="TrainJob", image_pull_policy="Always")
    assert "pulls images IfNotPresent" in KIND.runtime_problem(RUNTIME, always)
    other = copy.deepcopy(RUNTIME)
    other["spec"]["template"]["spec"]["replicatedJobs"][0]["name"] = "other"
    assert "no container of ours" in KIND.runtime_problem(other, settings(kind="TrainJob"))
