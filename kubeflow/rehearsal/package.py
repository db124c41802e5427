"""A compiled package as the backend reads it."""

import dataclasses
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2
from kfp.pipeline_spec import pipeline_spec_pb2

from mtlx.transform.config.safe_yaml import SAFE_LOADER

_Deployment = pipeline_spec_pb2.PipelineDeploymentConfig
Container: TypeAlias = pipeline_spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec


class PackageNotRunnable(ValueError):
    """The package has what a rehearsal does not know, or is none."""


def runs_after_failures(task: pipeline_spec_pb2.PipelineTaskSpec) -> bool:
    """Whether a task is an exit task: it runs once those before it are over, however they ended."""
    policy = pipeline_spec_pb2.PipelineTaskSpec.TriggerPolicy
    return bool(task.trigger_policy.strategy == policy.ALL_UPSTREAM_TASKS_COMPLETED)


@dataclasses.dataclass(frozen=True)
class Package:
    """A parsed package.

    Attributes:
        spec: the pipeline specification.
        containers: by executor label.
        timeouts: longest time of a pod in seconds, by executor label, where there is one.
    """

    spec: pipeline_spec_pb2.PipelineSpec
    containers: dict[str, Container]
    timeouts: dict[str, int]

    @classmethod
    def read(cls, path: Path) -> "Package":
        """Reads a package's file, strictly.

        Raises:
            PackageNotRunnable: it is no package, or has a part that no rehearsal can run.
        """
        documents = list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=SAFE_LOADER))
        spec, deployment = pipeline_spec_pb2.PipelineSpec(), _Deployment()
        try:
            json_format.ParseDict(documents[0], spec)
            json_format.ParseDict(documents[0].get("deploymentSpec", {}), deployment)
        except (json_format.ParseError, AttributeError, IndexError) as error:
            raise PackageNotRunnable(f"{path}: no compiled pipeline: {error}") from error
        timeouts = _timeouts(documents[1]) if len(documents) > 1 else {}
        containers = {}
        for label, executor in deployment.executors.items():
            if executor.WhichOneof("spec") != "container":
                raise PackageNotRunnable(
                    f"{path}: executor {label} is of the kind {executor.WhichOneof('spec')}; "
                    "only containers can be rehearsed"
                )
            containers[label] = executor.container
        package = cls(spec, containers, timeouts)
        _check_dag(str(path), spec.root.dag, spec)
        return package

    def node_id(self, name: str, task: pipeline_spec_pb2.PipelineTaskSpec) -> str:
        """The node that a task's command names; the task's own name where it names none."""
        component = self.spec.components[task.component_ref.name]
        arguments = list(self.containers[component.executor_label].args)
        if "--node" in arguments[:-1]:
            return arguments[arguments.index("--node") + 1]
        return task.task_info.name or name

    def tasks_below(
        self, name: str, task: pipeline_spec_pb2.PipelineTaskSpec
    ) -> list[tuple[str, str]]:
        """Names and nodes of the tasks in a group and its groups; of a task, its own."""
        component = self.spec.components[task.component_ref.name]
        if component.WhichOneof("implementation") != "dag":
            return [(name, self.node_id(name, task))]
        below = component.dag.tasks.items()
        return [found for inner in below for found in self.tasks_below(*inner)]


def _timeouts(document: dict[str, Any]) -> dict[str, int]:
    """The pods' deadlines in the platform specification."""
    spec = pipeline_spec_pb2.PlatformSpec()
    json_format.ParseDict(document, spec)
    executors = spec.platforms["kubernetes"].deployment_spec.executors
    timeouts = {}
    for label, values in executors.items():
        config = kubernetes_executor_config_pb2.KubernetesExecutorConfig()
        json_format.ParseDict(json_format.MessageToDict(values), config)
        if config.active_deadline_seconds:
            timeouts[label] = config.active_deadline_seconds
    return timeouts


def _check_dag(
    path: str, dag: pipeline_spec_pb2.DagSpec, spec: pipeline_spec_pb2.PipelineSpec
) -> None:
    """Refuses loops and what else would be run otherwise than on a cluster, all of it by name."""
    for name, task in dag.tasks.items():
        if task.WhichOneof("iterator"):
            raise PackageNotRunnable(f"{path}: task {name} is a loop, which is not rehearsed")
        if runs_after_failures(task) and task.trigger_policy.condition:
            raise PackageNotRunnable(
                f"{path}: task {name} runs after failures, by a condition, which is not rehearsed"
            )
        component = spec.components[task.component_ref.name]
        if component.WhichOneof("implementation") == "dag":
            if component.dag.outputs.parameters or component.dag.outputs.artifacts:
                raise PackageNotRunnable(
                    f"{path}: group {name} hands outputs on, which is not rehearsed"
                )
            _check_dag(path, component.dag, spec)
