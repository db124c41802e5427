"""What to do about an answer of the cluster's API that no repetition changes."""

from kubernetes.client.exceptions import ApiException

from mtlx.kubeflow.training_job.job_kind import JobKind

#: Role of the manifests that has all rights named here.
ROLE = "mtlx-training of kubeflow/manifests/base/service_accounts.yaml"


def is_unknown_kind(error: ApiException) -> bool:
    """Whether 404 means that the cluster knows no such kind at all."""
    return error.status == 404 and "page not found" in (error.body or "")


def explain(error: ApiException, kind: JobKind, what: str, namespace: str) -> str:
    """What the API said of which object, and what to do.

    Args:
        error: the answer.
        kind: of the jobs.
        what: was asked for, such as ``TFJob x``.
        namespace: of the jobs.
    """
    said = (
        f"{what} in namespace {namespace}: the cluster's API says {error.status} {error.reason}: "
        f"{(error.body or '').strip()}"
    )
    if "admission webhook" in (error.body or ""):
        # Such an answer is 403 mostly, but no role changes it.
        return f"{said}. A rule of the cluster refuses the object: its words say what to change"
    if error.status in (401, 403):
        return (
            f"{said}. The task's service account needs {kind.rights} in namespace {namespace}: "
            f"bind the role {ROLE}"
        )
    if is_unknown_kind(error):
        return (
            f"{said}. The cluster has no {kind.name}: install {kind.operator} "
            "(docs/kubeflow.md), or set workers to 1"
        )
    if error.status == 404:
        return f"{said}. Is there a namespace {namespace} (kubeflow.namespace)?"
    if error.status == 409:
        return f"{said}. Another request changes it: the next attempt finds what became of it"
    if error.status == 410:
        return f"{said}. It was deleted; the task's next attempt makes it anew"
    return said
