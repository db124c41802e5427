"""The `TFJob` document: one replica per worker, all alike."""

from typing import Any

from mtlx.kubeflow.training_job.settings import TrainingJobSettings
from mtlx.pipeline.experiment.kubeflow_settings import Secret, Toleration

GROUP, VERSION, PLURAL = "kubeflow.org", "v1", "tfjobs"
#: The operator sets ``TF_CONFIG`` in the container of this name only.
CONTAINER = "tensorflow"
#: Port at which the workers reach each other; the operator's default.
PORT = 2222
#: Annotation with the URI of what the workers are told.
ARGUMENTS = "mtlx/arguments"
_TEMPORARY = "/tmp"


def training_job_manifest(
    name: str,
    namespace: str,
    settings: TrainingJobSettings,
    arguments_uri: str,
    owner: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Builds the `TFJob` (kubeflow.org/v1).

    A worker that leaves with an exit code from 128 on (killed, out of memory, or its peers were
    lost) is replaced; any other code but 0 fails the job at once, and leaves the pod for its log.

    Args:
        name: of the job.
        namespace: of the job.
        settings: of its machines.
        arguments_uri: what the workers are told, see `mtlx.kubeflow.task.training_worker`.
        owner: reference to an object whose deletion deletes the job; None for none.
    """
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "labels": {"app.kubernetes.io/name": "mtlx", "app.kubernetes.io/component": "training"},
        "annotations": {ARGUMENTS: arguments_uri},
    }
    if owner is not None:
        metadata["ownerReferences"] = [owner]
    policy: dict[str, Any] = {
        "cleanPodPolicy": "Running",
        "ttlSecondsAfterFinished": settings.keep_seconds,
        "backoffLimit": settings.restarts * settings.workers,
    }
    if settings.timeout_seconds is not None:
        policy["activeDeadlineSeconds"] = settings.timeout_seconds
    worker = {
        "replicas": settings.workers,
        "restartPolicy": "ExitCode",
        "template": _pod_template(settings, arguments_uri),
    }
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "TFJob",
        "metadata": metadata,
        "spec": {"runPolicy": policy, "tfReplicaSpecs": {"Worker": worker}},
    }


def _pod_template(settings: TrainingJobSettings, arguments_uri: str) -> dict[str, Any]:
    volumes, mounts = _volumes(settings)
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": settings.image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": [
            "python",
            "-m",
            "mtlx.kubeflow.task.training_worker",
            "--arguments",
            arguments_uri,
        ],
        "ports": [{"name": "tfjob-port", "containerPort": PORT}],
        "env": _environment(settings),
        "resources": _resources(settings),
        "volumeMounts": mounts,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec: dict[str, Any] = {
        "serviceAccountName": settings.service_account,
        # Workers never call the cluster's API; the task that awaits them does.
        "automountServiceAccountToken": False,
        "containers": [container],
        "volumes": volumes,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    }
    if settings.node_selector:
        spec["nodeSelector"] = dict(settings.node_selector)
    if settings.tolerations:
        spec["tolerations"] = [_toleration(one) for one in settings.tolerations]
    if settings.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": secret} for secret in settings.image_pull_secrets]
    # The workers' own traffic does not pass a mesh's proxy, which would hold it up at the start.
    return {"metadata": {"annotations": {"sidecar.istio.io/inject": "false"}}, "spec": spec}


def _environment(settings: TrainingJobSettings) -> list[dict[str, Any]]:
    plain = {"TF_USE_LEGACY_KERAS": "0", **settings.env}
    variables: list[dict[str, Any]] = [{"name": k, "value": v} for k, v in plain.items()]
    for secret in settings.secrets:
        for key, name in secret.env.items():
            source = {"secretKeyRef": {"name": secret.name, "key": key}}
            variables.append({"name": name, "valueFrom": source})
    return variables


def _resources(settings: TrainingJobSettings) -> dict[str, dict[str, str]]:
    requests = {"cpu": settings.cpu, "memory": settings.memory}
    limits = {"memory": settings.memory_limit or settings.memory}
    if settings.cpu_limit is not None:
        limits["cpu"] = settings.cpu_limit
    if settings.gpu:
        # Kubernetes takes no other request for such a resource than its limit.
        limits[settings.gpu_type] = requests[settings.gpu_type] = str(settings.gpu)
    return {"requests": requests, "limits": limits}


def _volumes(settings: TrainingJobSettings) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Volumes of the pod, each once, and where the container mounts them."""
    volumes: dict[str, dict[str, Any]] = {}
    mounts: list[dict[str, Any]] = []
    for volume in settings.volumes:
        names = {v["persistentVolumeClaim"]["claimName"]: n for n, v in volumes.items()}
        name = names.get(volume.claim, f"claim-{len(names)}")
        claim = {"claimName": volume.claim}
        volumes[name] = {"name": name, "persistentVolumeClaim": claim}
        mounts.append({"name": name, "mountPath": volume.mount})
    mounted = [secret for secret in settings.secrets if secret.mount is not None]
    for index, secret in enumerate(mounted):
        volumes[f"secret-{index}"] = _secret_volume(f"secret-{index}", secret)
        mounts.append({"name": f"secret-{index}", "mountPath": secret.mount, "readOnly": True})
    if settings.gpu:
        memory = {"medium": "Memory", "sizeLimit": settings.shared_memory}
        volumes["shared-memory"] = {"name": "shared-memory", "emptyDir": memory}
        mounts.append({"name": "shared-memory", "mountPath": "/dev/shm"})
    if not any(mount["mountPath"] == _TEMPORARY for mount in mounts):
        # The one place of the root file system that libraries write to.
        volumes["temporary"] = {"name": "temporary", "emptyDir": {}}
        mounts.append({"name": "temporary", "mountPath": _TEMPORARY})
    return list(volumes.values()), mounts


def _secret_volume(name: str, secret: Secret) -> dict[str, Any]:
    return {"name": name, "secret": {"secretName": secret.name}}


def _toleration(toleration: Toleration) -> dict[str, Any]:
    values = {
        "key": toleration.key,
        "operator": toleration.operator,
        "value": toleration.value,
        "effect": toleration.effect,
        "tolerationSeconds": toleration.toleration_seconds,
    }
    return {name: value for name, value in values.items() if value is not None}
