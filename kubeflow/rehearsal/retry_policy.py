"""Which ended attempts the backend repeats: Argo's retry policies.

A container that failed by itself (its exit code, a memory kill, a deadline) is a *failure* to Argo;
a pod that was lost (deleted, or with its machine) is an *error*. Installations differ in which of
them they repeat, see ``docs/kubeflow.md``.
"""

import enum


class RetryPolicy(enum.Enum):
    """A policy, by Argo's name."""

    #: What installations without defaults of their own have.
    ON_FAILURE = "OnFailure"
    #: What the manifests of Kubeflow Pipelines 2.17 set.
    ON_ERROR = "OnError"
    #: What ``docs/kubeflow.md`` recommends.
    ALWAYS = "Always"

    def repeats(self, lost: bool) -> bool:
        """Whether an attempt is repeated.

        Args:
            lost: whether its pod was lost, rather than failed.
        """
        return self is not (RetryPolicy.ON_FAILURE if lost else RetryPolicy.ON_ERROR)
