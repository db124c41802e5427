"""What a task is told about the machines that train for it: ``MTLX_TRAINING_JOB``."""

import json
import os
from collections.abc import Mapping
from typing import Annotated

import pydantic

from mtlx.pipeline.experiment.kubeflow_settings import DnsName, NodeSettings, TrainingJobKind
from mtlx.transform.config.settings import SettingsError

#: Environment variable of a task whose training a job of the cluster does; JSON of
#: `TrainingJobSettings`.
TRAINING_JOB = "MTLX_TRAINING_JOB"
#: Environment variables by which the node's entry point says whose training this is.
RUN_ID, NODE = "MTLX_RUN_ID", "MTLX_NODE"
#: What a Trainer calls in the place of `mtlx.pipeline.graph.graph.RUN_FN` to have such a job train.
RUN_FN = "mtlx.kubeflow.training_job.run_fn.run_fn"


class TrainingJobSettings(NodeSettings):
    """The settings of the node, those of its section that pods need, and the job's own.

    Attributes:
        kind: of the job.
        workers: machines that train together.
        image: container image of all of them.
        namespace: of the job; that of the task's own pod if None.
        service_account: of the pods.
        image_pull_policy: ``Always``, ``IfNotPresent`` or ``Never``.
        image_pull_secrets: names of secrets with registry credentials.
        timeout_seconds: longest time of the job; None for no limit.
        restarts: how often lost machines are replaced before a `TFJob` counts as failed; a
            `TrainJob`'s runtime says it.
        keep_seconds: how long a finished `TFJob` stays for people to look at; a `TrainJob`'s
            runtime says it.
        poll_seconds: between two looks at the job.
    """

    kind: TrainingJobKind = "TFJob"
    workers: Annotated[int, pydantic.Field(ge=2)]
    image: Annotated[str, pydantic.Field(min_length=1)]
    namespace: DnsName | None = None
    service_account: DnsName = "mtlx-pipeline"
    image_pull_policy: Annotated[str, pydantic.Field(pattern="^(Always|IfNotPresent|Never)$")] = (
        "IfNotPresent"
    )
    image_pull_secrets: list[DnsName] = []
    restarts: Annotated[int, pydantic.Field(ge=0)] = 3
    keep_seconds: Annotated[int, pydantic.Field(ge=0)] = 86_400
    poll_seconds: Annotated[float, pydantic.Field(gt=0)] = 10.0

    @classmethod
    def of_environment(
        cls, environment: Mapping[str, str] | None = None
    ) -> "TrainingJobSettings | None":
        """Reads ``MTLX_TRAINING_JOB``.

        Args:
            environment: variables by name; those of the process if None.

        Returns:
            The settings; None where the variable is not set.

        Raises:
            ValueError: it is no JSON, or its values are not what they must be.
        """
        text = (os.environ if environment is None else environment).get(TRAINING_JOB, "")
        if not text.strip():
            return None
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"{TRAINING_JOB} is no JSON: {error}. Received: {text!r}") from None
        if not isinstance(values, dict):
            raise ValueError(f"{TRAINING_JOB} must be a JSON object. Received: {text!r}")
        try:
            return cls.read(values)
        except SettingsError as error:
            raise ValueError(f"{TRAINING_JOB}: {error}") from None
