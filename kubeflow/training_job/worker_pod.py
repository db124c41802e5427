"""What the pod of a worker is made of, whatever kind of job it belongs to."""

from typing import Any

from mtlx.kubeflow.training_job.settings import TrainingJobSettings
from mtlx.pipeline.experiment.kubeflow_settings import Secret, Toleration

#: Port at which the workers reach each other.
PORT = 2222
#: Kubernetes' restricted standard.
RESTRICTED_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
RESTRICTED_CONTAINER = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
_TEMPORARY = "/tmp"


def command(arguments_uri: str) -> list[str]:
    """What a worker's container runs."""
    module = "mtlx.kubeflow.task.training_worker"
    return ["python", "-m", module, "--arguments", arguments_uri]


def environment(settings: TrainingJobSettings) -> list[dict[str, Any]]:
    """Variables of a worker's container."""
    plain = {"TF_USE_LEGACY_KERAS": "0", **settings.env}
    variables: list[dict[str, Any]] = [{"name": k, "value": v} for k, v in plain.items()]
    for secret in settings.secrets:
        for key, name in secret.env.items():
            source = {"secretKeyRef": {"name": secret.name, "key": key}}
            variables.append({"name": name, "valueFrom": source})
    return variables


def resources(settings: TrainingJobSettings) -> dict[str, dict[str, str]]:
    """What a worker reserves, and what it may use at most."""
    requests = {"cpu": settings.cpu, "memory": settings.memory}
    limits = {"memory": settings.memory_limit or settings.memory}
    if settings.cpu_limit is not None:
        limits["cpu"] = settings.cpu_limit
    if settings.gpu:
        # Kubernetes takes no other request for such a resource than its limit.
        limits[settings.gpu_type] = requests[settings.gpu_type] = str(settings.gpu)
    return {"requests": requests, "limits": limits}


def volumes_and_mounts(
    settings: TrainingJobSettings, a_volume_per_mount: bool = False
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Volumes of the pod, and where the container mounts them.

    Args:
        settings: of the job.
        a_volume_per_mount: a claim that is mounted at two places is two volumes, else one.
    """
    volumes: dict[str, dict[str, Any]] = {}
    mounts: list[dict[str, Any]] = []
    for volume in settings.volumes:
        names = {v["persistentVolumeClaim"]["claimName"]: n for n, v in volumes.items()}
        name = f"claim-{len(volumes)}"
        if not a_volume_per_mount:
            name = names.get(volume.claim, name)
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


def toleration(one: Toleration) -> dict[str, Any]:
    """A taint to ignore, as a pod's ``spec`` has it."""
    values = {
        "key": one.key,
        "operator": one.operator,
        "value": one.value,
        "effect": one.effect,
        "tolerationSeconds": one.toleration_seconds,
    }
    return {name: value for name, value in values.items() if value is not None}
