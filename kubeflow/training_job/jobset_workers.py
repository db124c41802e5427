"""``TF_CONFIG`` of a worker that a JobSet started: who the others are, by its names and its index.

The pods of a job of a JobSet have the host names ``<set>-<replicated job>-<job>-<index>`` in the
subdomain ``<set>``, known before they start; Kubernetes tells an indexed job's pod its index. The
`TrainingRuntime` of our manifests hands the names on as variables.
"""

import json
from collections.abc import Mapping

from mtlx.kubeflow.training_job.worker_pod import PORT
from mtlx.trainer.distribution.cluster import TF_CONFIG, WrongCluster

#: Variables of the runtime: names of the JobSet and of the replicated job, and the job's number.
JOBSET, REPLICATED_JOB, JOB = "MTLX_JOBSET", "MTLX_REPLICATED_JOB", "MTLX_JOB"
#: Variable of the TrainJob: how many workers there are.
WORKERS = "MTLX_WORKERS"
#: Variable that Kubernetes sets in the pods of an indexed job.
INDEX = "JOB_COMPLETION_INDEX"


def tf_config(environment: Mapping[str, str]) -> str | None:
    """The value of ``TF_CONFIG`` for this worker.

    Args:
        environment: variables by name.

    Returns:
        JSON; None where ``TF_CONFIG`` is given already, or no JobSet started the process.

    Raises:
        WrongCluster: a variable is missing, or is no number where it must be one; the index is not
            one of a worker.
    """
    if environment.get(TF_CONFIG) or not environment.get(JOBSET):
        return None
    names = environment[JOBSET], _text(environment, REPLICATED_JOB), _text(environment, JOB)
    workers, index = _number(environment, WORKERS), _number(environment, INDEX)
    if index >= workers:
        raise WrongCluster(
            f"{INDEX} is {index}, but there are {workers} workers by {WORKERS}: does the JobSet "
            "have as many pods as the TrainJob has nodes?"
        )
    addresses = [f"{'-'.join(names)}-{one}.{names[0]}:{PORT}" for one in range(workers)]
    task = {"type": "worker", "index": index}
    return json.dumps({"cluster": {"worker": addresses}, "task": task})


def _text(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise WrongCluster(
            f"{name} is not set beside {JOBSET}: apply kubeflow/manifests/trainer of the image's "
            "version"
        )
    return value


def _number(environment: Mapping[str, str], name: str) -> int:
    value = _text(environment, name)
    if not value.isdecimal():
        raise WrongCluster(f"{name} must be a number from 0 on. Received: {value!r}")
    return int(value)
