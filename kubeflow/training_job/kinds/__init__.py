"""All kinds of training job, by the name that the setting `kubeflow.training_job` gives."""

from mtlx.kubeflow.training_job.job_kind import JobKind
from mtlx.kubeflow.training_job.kinds.tfjob import TFJob
from mtlx.kubeflow.training_job.kinds.trainjob import TrainJob

KINDS: dict[str, JobKind] = {
    "TFJob": TFJob(),
    "TrainJob": TrainJob(),
}
