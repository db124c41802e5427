"""The kinds of object by which a cluster trains on several machines."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class JobKind:
    """A kind, as the cluster's API knows it.

    Attributes:
        name: of the kind.
        group: of the API.
        version: of the API.
        plural: in addresses and roles.
        pod_label: that the pods of a job have; its value is the job's name.
        container: of a worker's pod, in which it trains.
        operator: whose kind it is, for people.
    """

    name: str
    group: str
    version: str
    plural: str
    pod_label: str
    container: str
    operator: str


TFJOB = JobKind(
    "TFJob",
    "kubeflow.org",
    "v1",
    "tfjobs",
    "training.kubeflow.org/job-name",
    "tensorflow",
    "the Training Operator v1",
)
