"""The `TFJob` of the Training Operator v1: one replica per worker, all alike."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import kubernetes

from mtlx.kubeflow.training_job.job_kind import JobKind
from mtlx.kubeflow.training_job.settings import TrainingJobSettings
from mtlx.kubeflow.training_job.worker_pod import (
    PORT,
    RESTRICTED_CONTAINER,
    RESTRICTED_POD,
    command,
    environment,
    resources,
    toleration,
    volumes_and_mounts,
)


@dataclasses.dataclass(frozen=True)
class TFJob(JobKind):
    """kubeflow.org/v1. Its operator sets ``TF_CONFIG`` in the container ``tensorflow`` only.

    A worker that leaves with an exit code from 128 on (killed, out of memory, or its peers were
    lost) is replaced; any other code but 0 fails the job at once, and leaves the pod for its log.
    """

    name: str = "TFJob"
    group: str = "kubeflow.org"
    version: str = "v1"
    plural: str = "tfjobs"
    pod_label: str = "training.kubeflow.org/job-name"
    container: str = "tensorflow"
    operator: str = "the Training Operator v1"
    success: str = "Succeeded"

    def spec(self, settings: TrainingJobSettings, arguments_uri: str) -> dict[str, Any]:
        """One replica per worker, and bounds of time and restarts."""
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
            "template": self._pod_template(settings, arguments_uri),
        }
        return {"runPolicy": policy, "tfReplicaSpecs": {"Worker": worker}}

    def _pod_template(self, settings: TrainingJobSettings, arguments_uri: str) -> dict[str, Any]:
        volumes, mounts = volumes_and_mounts(settings)
        container: dict[str, Any] = {
            "name": self.container,
            "image": settings.image,
            "imagePullPolicy": settings.image_pull_policy,
            "command": command(arguments_uri),
            "ports": [{"name": "tfjob-port", "containerPort": PORT}],
            "env": environment(settings),
            "resources": resources(settings),
            "volumeMounts": mounts,
            "securityContext": dict(RESTRICTED_CONTAINER),
        }
        spec: dict[str, Any] = {
            "serviceAccountName": settings.service_account,
            # Workers never call the cluster's API; the task that awaits them does.
            "automountServiceAccountToken": False,
            "containers": [container],
            "volumes": volumes,
            "securityContext": dict(RESTRICTED_POD),
        }
        if settings.node_selector:
            spec["nodeSelector"] = dict(settings.node_selector)
        if settings.tolerations:
            spec["tolerations"] = [toleration(one) for one in settings.tolerations]
        if settings.image_pull_secrets:
            spec["imagePullSecrets"] = [{"name": secret} for secret in settings.image_pull_secrets]
        # The workers' own traffic does not pass a mesh's proxy, which would hold up the start.
        return {"metadata": {"annotations": {"sidecar.istio.io/inject": "false"}}, "spec": spec}

    def workers(
        self, job: Mapping[str, Any], pods: Sequence[kubernetes.client.V1Pod]
    ) -> dict[str, int]:
        """As the operator counts them."""
        counts = ((job.get("status") or {}).get("replicaStatuses") or {}).get("Worker") or {}
        return {state: number for state, number in counts.items() if isinstance(number, int)}

    def restart(self, job: Mapping[str, Any]) -> str | None:
        """The operator itself sets no bound to restarts."""
        restarting = self.condition(job, "Restarting") or {}
        return restarting.get("lastTransitionTime") or restarting.get("lastUpdateTime")
