"""Where and with what a task's pod runs: the `kubeflow` section's settings on a KFP task."""

import json

from kfp import dsl, kubernetes

from mtlx.kubeflow.training_job.settings import TRAINING_JOB
from mtlx.pipeline.experiment.kubeflow_settings import KubeflowSettings, NodeSettings
from mtlx.pipeline.process import stack

#: Group of the image's user, and of the volumes that `kubeflow/manifests` prepare.
GROUP = 10001


def task_settings(section: KubeflowSettings, node_id: str) -> NodeSettings:
    """Settings of the task's own pod.

    Where several machines train, the pod only starts and awaits them: it needs none of their
    GPUs, and should not hold one of their machines.
    """
    node = section.node(node_id)
    if node.workers == 1:
        return node
    plain = NodeSettings().model_dump(
        include={"cpu", "cpu_limit", "memory", "memory_limit", "gpu", "shared_memory"}
    )
    shared = {
        "node_selector": section.defaults.node_selector,
        "tolerations": section.defaults.tolerations,
    }
    return node.model_copy(update={**plain, **shared})


def place_task(task: dsl.PipelineTask, section: KubeflowSettings, node_id: str) -> None:
    """Applies the settings of a node to its task.

    Args:
        task: of the node.
        section: the `kubeflow` section.
        node_id: the node.

    Raises:
        ValueError: KFP refuses a value.
    """
    node = task_settings(section, node_id)
    _resources(task, node)
    _environment(task, section, node_id)
    _volumes_and_secrets(task, node)
    for label, value in sorted(node.node_selector.items()):
        kubernetes.add_node_selector(task, label, value)
    for toleration in node.tolerations:
        kubernetes.add_toleration(task, **toleration.model_dump(exclude_none=True))
    kubernetes.set_image_pull_policy(task, section.image_pull_policy)
    if section.image_pull_secrets:
        kubernetes.set_image_pull_secrets(task, list(section.image_pull_secrets))
    if node.timeout_seconds is not None:
        kubernetes.set_timeout(task, node.timeout_seconds)
    if node.retries:
        # The window of the retries is set in the compiled package: kfp takes an hour if nothing
        # is said, and before 2.14 also if more is.
        task.set_retry(node.retries, f"{node.retry_seconds}s", 2.0)
    stack.run_without_root(task, GROUP)


def _resources(task: dsl.PipelineTask, node: NodeSettings) -> None:
    task.set_cpu_request(node.cpu)
    if node.cpu_limit is not None:
        task.set_cpu_limit(node.cpu_limit)
    task.set_memory_request(node.memory)
    task.set_memory_limit(node.memory_limit or node.memory)
    if node.gpu:
        task.set_accelerator_type(node.gpu_type)
        task.set_accelerator_limit(node.gpu)
        # A container's own is 64 MiB, too little for NCCL between GPUs.
        kubernetes.empty_dir_mount(
            task, "shared-memory", "/dev/shm", medium="Memory", size_limit=node.shared_memory
        )


def _environment(task: dsl.PipelineTask, section: KubeflowSettings, node_id: str) -> None:
    node = section.node(node_id)
    variables = {}
    names = [*node.env, *(name for secret in node.secrets for name in secret.env.values())]
    if not any(name.startswith("TFX_MLMD_") for name in names):
        variables["TFX_MLMD_HOST"] = section.metadata.host
        variables["TFX_MLMD_PORT"] = str(section.metadata.port)
    variables |= node.env
    if node.workers > 1:
        variables[TRAINING_JOB] = _training_job_text(section, node_id)
    for name, value in sorted(variables.items()):
        task.set_env_variable(name, value)


def _volumes_and_secrets(task: dsl.PipelineTask, node: NodeSettings) -> None:
    for volume in node.volumes:
        kubernetes.mount_pvc(task, volume.claim, volume.mount)
    for secret in node.secrets:
        if secret.mount is not None:
            kubernetes.use_secret_as_volume(task, secret.name, secret.mount)
        if secret.env:
            kubernetes.use_secret_as_env(task, secret.name, dict(sorted(secret.env.items())))


def _training_job_text(section: KubeflowSettings, node_id: str) -> str:
    """JSON of what the machines that train together are given."""
    node = section.node(node_id).model_dump(
        mode="json", exclude={"retries", "retry_seconds"}, exclude_none=True
    )
    node |= {
        "namespace": section.namespace,
        "service_account": section.service_account,
        "image_pull_policy": section.image_pull_policy,
        "image_pull_secrets": list(section.image_pull_secrets),
    }
    if section.training_job != KubeflowSettings().training_job:
        # Packages of TFJobs stay what they were before there was another kind.
        node["kind"] = section.training_job
    return json.dumps(node, sort_keys=True)
