"""What the kinds of object have in common by which a cluster trains on several machines."""

import abc
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import kubernetes

from mtlx.kubeflow.training_job.settings import TrainingJobSettings


@dataclasses.dataclass(frozen=True)
class JobKind(abc.ABC):
    """A kind, as the cluster's API knows it.

    Attributes:
        name: of the kind.
        group: of the API.
        version: of the API.
        plural: in addresses and roles.
        pod_label: that the pods of a job have; its value is the job's name.
        container: of a worker's pod, in which it trains.
        operator: whose kind it is, for people.
        success: condition of a job whose workers have trained.
        runtime: name of the `TrainingRuntime` that a job names; None for none.
    """

    name: str
    group: str
    version: str
    plural: str
    pod_label: str
    container: str
    operator: str
    success: str
    runtime: str | None = None

    @property
    def rights(self) -> str:
        """What the task's service account must be allowed, for people."""
        text = f"create, get and delete on {self.plural}"
        if self.runtime is not None:
            text += " and get on trainingruntimes"
        return f"{text} ({self.group}), get and list on pods and pods/log, and list on events"

    @abc.abstractmethod
    def spec(self, settings: TrainingJobSettings, arguments_uri: str) -> dict[str, Any]:
        """The job's ``spec``.

        Args:
            settings: of its machines.
            arguments_uri: what the workers are told, see `mtlx.kubeflow.task.training_worker`.
        """

    @abc.abstractmethod
    def workers(
        self, job: Mapping[str, Any], pods: Sequence[kubernetes.client.V1Pod]
    ) -> dict[str, int]:
        """Number of workers by state."""

    @abc.abstractmethod
    def restart(self, job: Mapping[str, Any]) -> str | None:
        """What tells a restart from any other, while there is one; None else, and where the cluster
        itself bounds them."""

    def objects(self, name: str) -> tuple[str, ...]:
        """Names of the objects of a job, other than its pods, that events may be about."""
        return (name,)

    def state(self, job: Mapping[str, Any]) -> str:
        """How a job stands, in a word or two."""
        conditions = (job.get("status") or {}).get("conditions") or []
        holding = [one["type"] for one in conditions if one.get("status") == "True"]
        return holding[-1] if holding else "not yet seen by the operator"

    def outcome(self, job: Mapping[str, Any]) -> str | None:
        """`success` or ``Failed`` for a finished job, else None."""
        for kind in (self.success, "Failed"):
            if self.condition(job, kind):
                return kind
        return None

    @staticmethod
    def condition(job: Mapping[str, Any], kind: str) -> dict[str, Any] | None:
        """The job's condition of a type, where it holds."""
        for condition in (job.get("status") or {}).get("conditions") or []:
            if condition.get("type") == kind and condition.get("status") == "True":
                return condition
        return None

    def runtime_problem(
        self, runtime: Mapping[str, Any], settings: TrainingJobSettings
    ) -> str | None:
        """Why the cluster's runtime does not do for a job, and what to do; None where it does."""
        return None

    def problems(self, settings: TrainingJobSettings) -> Iterator[str]:
        """What the cluster's API would refuse of a job with these settings."""
        yield from ()
