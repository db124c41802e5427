"""Rules on the Kubernetes settings: they belong to an executor, and make a pod that is valid."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from google.protobuf import json_format
from kfp.kubernetes.kubernetes_executor_config_pb2 import KubernetesExecutorConfig, Toleration
from kfp.pipeline_spec.pipeline_spec_pb2 import TaskInputsSpec

from mtlx.kubeflow.package.strict_checks.documents import Documents
from mtlx.kubeflow.training_job.kinds import KINDS
from mtlx.kubeflow.training_job.settings import TRAINING_JOB, TrainingJobSettings


def platform_problems(documents: Documents) -> Iterator[str]:
    """What is wrong with the platform specification."""
    for label, config in sorted(documents.platform.items()):
        place = f"platform: {label}"
        if label not in documents.deployment.executors:
            yield f"{place}: no such executor"
            continue
        container = documents.deployment.executors[label].container
        yield from _mount_problems(place, config)
        yield from _variable_problems(place, config, [one.name for one in container.env])
        yield from _toleration_problems(place, config.tolerations)
        for variable in container.env:
            if variable.name == TRAINING_JOB:
                yield from _toleration_problems(f"{place}: workers", _of_workers(variable.value))
                yield from _job_problems(f"{place}: workers", variable.value)
        if config.image_pull_policy not in ("", "Always", "IfNotPresent", "Never"):
            yield f"{place}: no image pull policy {config.image_pull_policy!r}"


def _mount_problems(place: str, config: KubernetesExecutorConfig) -> Iterator[str]:
    """Two volumes at one path, or of one name, make an invalid pod."""
    mounts = [
        (
            _name(one.pvc_name_parameter, one.constant or one.component_input_parameter),
            one.mount_path,
        )
        for one in config.pvc_mount
    ]
    mounts += [
        (_name(one.secret_name_parameter, one.secret_name), one.mount_path)
        for one in config.secret_as_volume
    ]
    mounts += [(one.volume_name, one.mount_path) for one in config.empty_dir_mounts]
    for name, path in mounts:
        if not name or not path.startswith("/"):
            yield f"{place}: volume {name!r} is mounted at {path!r}: give a name and a path from /"
    for kind, values in (("volume", [n for n, _ in mounts]), ("path", [p for _, p in mounts])):
        for value, times in sorted(Counter(values).items()):
            if times > 1:
                yield f"{place}: {kind} {value!r} is mounted {times} times; once is allowed"


def _name(parameter: TaskInputsSpec.InputParameterSpec, older: str) -> str:
    """A claim's or secret's name, of which the backend reads the older field last."""
    return (
        parameter.runtime_value.constant.string_value
        or parameter.component_input_parameter
        or older
    )


def _variable_problems(
    place: str, config: KubernetesExecutorConfig, own: list[str]
) -> Iterator[str]:
    names = [*set(own), *(one.name for one in config.field_path_as_env)]
    names += [pair.env_var for secret in config.secret_as_env for pair in secret.key_to_env]
    for name, times in sorted(Counter(names).items()):
        if times > 1:
            yield f"{place}: environment variable {name} is set {times} times; once is allowed"


def _of_workers(text: str) -> list[Toleration]:
    """Tolerations of the machines that train together, which the task is given as JSON."""
    values = json.loads(text).get("tolerations", [])
    return [json_format.ParseDict(one, Toleration()) for one in values]


def _job_problems(place: str, text: str) -> Iterator[str]:
    try:
        settings = TrainingJobSettings.of_environment({TRAINING_JOB: text})
    except ValueError as error:
        yield f"{place}: {error}"
        return
    if settings is not None:
        for problem in KINDS[settings.kind].problems(settings):
            yield f"{place}: {problem}"


def _toleration_problems(place: str, tolerations: Iterable[Toleration]) -> Iterator[str]:
    for toleration in tolerations:
        text = f"{place}: toleration of {toleration.key!r}"
        if not toleration.key and toleration.operator != "Exists":
            yield f"{text}: without a key the operator must be Exists"
        if toleration.operator == "Exists" and toleration.value:
            yield f"{text}: with the operator Exists there is no value"
        if toleration.HasField("toleration_seconds") and toleration.effect != "NoExecute":
            yield f"{text}: toleration_seconds needs the effect NoExecute"
