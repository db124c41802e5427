"""One KFP container component per TFX node: what its task takes, gives and runs."""

import re
from collections.abc import Mapping, Sequence

from kfp import dsl
from kfp.dsl import base_component, container_component_class, structures

from mtlx.kubeflow.task_outputs import BLESSED
from mtlx.pipeline.experiment.kubeflow_settings import NodeSettings

#: Parameters of the pipeline that every task is given, and the run's id.
RUN_PARAMETERS = ("run_id", "run_name", "data_path", "span")

_COMMAND = ["python", "-m", "mtlx.kubeflow.task.node_entry"]


def task_name(node_id: str) -> str:
    """Name of a node's task: ``LogExampleGen`` is ``log-example-gen``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", node_id)
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def retry_arguments(node: NodeSettings) -> list[str]:
    """What bounds the retries inside a node's task: the same as its pod's."""
    return [f"--retries={node.retries}", f"--retry_seconds={node.retry_seconds}"]


def node_component(
    node_id: str,
    image: str,
    ir_path: str,
    ir_digest: str,
    artifacts: Mapping[str, str],
    learning_tasks: Sequence[str],
    gives_blessing: bool,
    retries: Sequence[str] = (),
) -> base_component.BaseComponent:
    """Builds the component of a node.

    Args:
        node_id: the TFX node.
        image: container image.
        ir_path: where the compiled TFX pipeline lies on the cluster.
        ir_digest: SHA-256 of its bytes.
        artifacts: KFP schema title of each output artifact.
        learning_tasks: names of the experiment's, in the data contract's order.
        gives_blessing: whether the task has the output parameter `BLESSED`.
        retries: see `retry_arguments`.
    """
    outputs = {
        name: structures.OutputSpec(f"{title}@0.0.1") for name, title in sorted(artifacts.items())
    }
    if gives_blessing:
        outputs[BLESSED] = structures.OutputSpec("Boolean")
    arguments = ["--node", node_id, "--ir_path", ir_path, "--ir_digest", ir_digest]
    arguments += [f"--learning_task={name}" for name in learning_tasks]
    arguments += retries
    # One argument each: of two, a value that begins with a dash would be taken for an option.
    arguments += [f"--{name}={{{{$.inputs.parameters['{name}']}}}}" for name in RUN_PARAMETERS]
    arguments.append("--executor_input={{$}}")
    specification = structures.ComponentSpec(
        name=task_name(node_id),
        inputs={name: structures.InputSpec("String") for name in RUN_PARAMETERS},
        outputs=outputs,
        implementation=structures.Implementation(
            container=structures.ContainerSpecImplementation(
                image=image, command=list(_COMMAND), args=arguments
            )
        ),
    )
    return container_component_class.ContainerComponent(specification, None)


def make_task(
    component: base_component.BaseComponent, parameters: Mapping[str, object]
) -> dsl.PipelineTask:
    """Adds a node's task to the pipeline under construction.

    Args:
        component: of the node.
        parameters: the pipeline's own, by name.
    """
    # The job's id resolves only where it is the whole of a task's input. No display name: before
    # kubeflow/pipelines#11938 the backend looked for the gate's output under it.
    task = component(run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER, **parameters)
    # KFP's key knows neither the metadata store nor the files; TFX caches by both.
    task.set_caching_options(False)
    return task
