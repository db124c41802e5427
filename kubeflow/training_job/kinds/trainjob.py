"""The `TrainJob` of Kubeflow Trainer 2.2 and newer, on the `TrainingRuntime` of our manifests."""

import collections
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import kubernetes

from mtlx.kubeflow.training_job.job_kind import JobKind
from mtlx.kubeflow.training_job.jobset_workers import WORKERS
from mtlx.kubeflow.training_job.settings import TrainingJobSettings
from mtlx.kubeflow.training_job.worker_pod import (
    command,
    environment,
    resources,
    toleration,
    volumes_and_mounts,
)

#: Name that Trainer asks of the replicated job and of the container in which a node trains.
NODE = "node"
#: Who writes the patches of the runtime: Trainer wants ``<domain>/<name>``.
MANAGER = "mtlx/training"
_RESTARTS = "jobset.sigs.k8s.io/restart-attempt"
_LONGEST_IMAGE = 500
_MOST_IN_A_LIST = 128


@dataclasses.dataclass(frozen=True)
class TrainJob(JobKind):
    """trainer.kubeflow.org/v1alpha1. Trainer makes a JobSet of it: one job, a pod per worker.

    What is the same for every job stands in the runtime (`kubeflow/manifests/trainer`): security,
    the names of the workers, and what is done about failures. A worker that ends with 1 or 2 fails
    the job at once; where one ends otherwise, all are started again, three times at most.
    """

    name: str = "TrainJob"
    group: str = "trainer.kubeflow.org"
    version: str = "v1alpha1"
    plural: str = "trainjobs"
    pod_label: str = "jobset.sigs.k8s.io/jobset-name"
    container: str = NODE
    operator: str = "Kubeflow Trainer, 2.2 or newer"
    success: str = "Complete"
    runtime: str | None = "mtlx-training"

    def spec(self, settings: TrainingJobSettings, arguments_uri: str) -> dict[str, Any]:
        """What this job has others than the runtime, and how many workers there are."""
        number = {"name": WORKERS, "value": str(settings.workers)}
        pod = {"spec": self._pod(settings)}
        node = {"name": NODE, "template": {"spec": {"template": pod}}}
        patch = {"template": {"spec": {"replicatedJobs": [node]}}}
        spec: dict[str, Any] = {
            "runtimeRef": {"apiGroup": self.group, "kind": "TrainingRuntime", "name": self.runtime},
            "trainer": {
                "numNodes": settings.workers,
                "image": settings.image,
                "command": command(arguments_uri),
                "env": [*environment(settings), number],
                "resourcesPerNode": resources(settings),
            },
            "runtimePatches": [{"manager": MANAGER, "trainingRuntimeSpec": patch}],
        }
        if settings.timeout_seconds is not None:
            spec["activeDeadlineSeconds"] = settings.timeout_seconds
        return spec

    @staticmethod
    def _pod(settings: TrainingJobSettings) -> dict[str, Any]:
        """What the pods have beside what the runtime gives them."""
        # Mounts are a map by the volume's name in this API: a claim at two places is two volumes.
        volumes, mounts = volumes_and_mounts(settings, a_volume_per_mount=True)
        pod: dict[str, Any] = {
            "serviceAccountName": settings.service_account,
            "volumes": volumes,
            "containers": [{"name": NODE, "volumeMounts": mounts}],
        }
        if settings.node_selector:
            pod["nodeSelector"] = dict(settings.node_selector)
        if settings.tolerations:
            pod["tolerations"] = [toleration(one) for one in settings.tolerations]
        if settings.image_pull_secrets:
            pod["imagePullSecrets"] = [{"name": secret} for secret in settings.image_pull_secrets]
        return pod

    def objects(self, name: str) -> tuple[str, ...]:
        """The TrainJob and the JobSet have one name; the JobSet's one job has another."""
        return (name, f"{name}-{NODE}-0")

    def state(self, job: Mapping[str, Any]) -> str:
        """Trainer has conditions for complete, failed and suspended, and none for running."""
        status = job.get("status") or {}
        if any(one.get("status") == "True" for one in status.get("conditions") or []):
            return super().state(job)
        jobs = status.get("jobsStatus") or []
        if not jobs:
            return super().state(job)
        return "Running" if any(one.get("active") for one in jobs) else "Starting"

    def workers(
        self, job: Mapping[str, Any], pods: Sequence[kubernetes.client.V1Pod]
    ) -> dict[str, int]:
        """By the phases of the pods: the status counts jobs, of which there is one."""
        counts = collections.Counter(pod.status.phase for pod in pods)
        attempts = [int((pod.metadata.labels or {}).get(_RESTARTS, 0)) for pod in pods]
        return {**counts, "restarts": max(attempts, default=0)}

    def restart(self, job: Mapping[str, Any]) -> str | None:
        """The runtime bounds restarts."""
        return None

    def runtime_problem(
        self, runtime: Mapping[str, Any], settings: TrainingJobSettings
    ) -> str | None:
        """A TrainJob can't say when its image is pulled: the runtime must say the same."""
        jobs = runtime["spec"]["template"]["spec"]["replicatedJobs"]
        pods = [job["template"]["spec"]["template"]["spec"] for job in jobs if job["name"] == NODE]
        containers = [one for pod in pods for one in pod["containers"] if one["name"] == NODE]
        policies = {one.get("imagePullPolicy", "IfNotPresent") for one in containers}
        if policies == {settings.image_pull_policy}:
            return None
        return (
            f"it pulls images {', '.join(sorted(policies)) or 'of no container of ours'}, but "
            f"kubeflow.image_pull_policy is {settings.image_pull_policy}, which a TrainJob can't "
            "say: write the same into kubeflow/manifests/trainer and apply it"
        )

    def problems(self, settings: TrainingJobSettings) -> Iterator[str]:
        """Bounds of the API's schema."""
        if len(settings.image) > _LONGEST_IMAGE:
            yield (
                f"the image's name has {len(settings.image)} characters, more than "
                f"{_LONGEST_IMAGE}, which a TrainJob takes"
            )
        trainer = self.spec(settings, "")["trainer"]
        if len(trainer["env"]) > _MOST_IN_A_LIST:
            yield (
                f"{len(trainer['env'])} environment variables, more than {_MOST_IN_A_LIST}, which "
                "a TrainJob takes"
            )
