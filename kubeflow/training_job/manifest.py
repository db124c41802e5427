"""The document of a training job, of any kind."""

from typing import Any

from mtlx.kubeflow.training_job.kinds import KINDS
from mtlx.kubeflow.training_job.settings import TrainingJobSettings

#: Annotation with the URI of what the workers are told.
ARGUMENTS = "mtlx/arguments"


def training_job_manifest(
    name: str,
    namespace: str,
    settings: TrainingJobSettings,
    arguments_uri: str,
    owner: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Builds the job.

    Args:
        name: of the job.
        namespace: of the job.
        settings: its kind, and its machines.
        arguments_uri: what the workers are told, see `mtlx.kubeflow.task.training_worker`.
        owner: reference to an object whose deletion deletes the job; None for none.
    """
    kind = KINDS[settings.kind]
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "labels": {"app.kubernetes.io/name": "mtlx", "app.kubernetes.io/component": "training"},
        "annotations": {ARGUMENTS: arguments_uri},
    }
    if owner is not None:
        metadata["ownerReferences"] = [owner]
    return {
        "apiVersion": f"{kind.group}/{kind.version}",
        "kind": kind.name,
        "metadata": metadata,
        "spec": kind.spec(settings, arguments_uri),
    }
