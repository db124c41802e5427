"""The task that runs once all others are over: it tells of the run's end.

It is the exit task of the package (`kfp.dsl.ExitHandler`) and runs whatever failed. What a backend
hands such a task of the run, a ``PipelineTaskFinalStatus``, is not asked for: 2.5 refuses packages
that do, and later ones fill in the state of the group of all tasks, but neither the task that
failed nor why. The task reads that from ML-Metadata, by the run's id.
"""

import json
import os
from collections.abc import Iterator

from kfp import dsl
from kfp.dsl import base_component, container_component_class, structures

from mtlx.kubeflow.package.node_component import retry_arguments, task_name
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.kubeflow_settings import KubeflowSettings
from mtlx.pipeline.run.record.secrets import KeptSecrets

#: What the task is called among the nodes, in ``kubeflow.nodes`` and in what a rehearsal prints.
TELL_END = "TellEnd"

_COMMAND = ["python", "-m", "mtlx.kubeflow.task.exit_entry"]


def exit_component(
    experiment: Experiment, section: KubeflowSettings, ir_path: str, ir_digest: str
) -> base_component.BaseComponent:
    """Builds the component of the exit task.

    Args:
        experiment: as it is run.
        section: the `kubeflow` section.
        ir_path: where the compiled TFX pipeline lies; it has the rest of the experiment.
        ir_digest: SHA-256 of its bytes.
    """
    arguments = ["--node", TELL_END, "--ir_path", ir_path, "--ir_digest", ir_digest]
    arguments.append(f"--telling={_telling(experiment, section)}")
    arguments += retry_arguments(section.node(TELL_END))
    arguments.append("--run_id={{$.inputs.parameters['run_id']}}")
    specification = structures.ComponentSpec(
        name=task_name(TELL_END),
        inputs={"run_id": structures.InputSpec("String")},
        outputs={},
        implementation=structures.Implementation(
            container=structures.ContainerSpecImplementation(
                image=str(section.node(TELL_END).image), command=list(_COMMAND), args=arguments
            )
        ),
    )
    return container_component_class.ContainerComponent(specification, None)


def make_exit_task(component: base_component.BaseComponent) -> dsl.PipelineTask:
    """Adds the exit task to the pipeline under construction."""
    task = component(run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER)
    task.set_caching_options(False)
    return task


def exit_problems(experiment: Experiment, section: KubeflowSettings) -> Iterator[str]:
    """What would keep the task from telling anybody on the cluster."""
    node = section.node(TELL_END)
    given = {*node.env, *(name for secret in node.secrets for name in secret.env.values())}
    notify = KeptSecrets(experiment).kept_notify
    if not notify.events:
        return
    if notify.variable is not None and notify.variable not in given:
        written = notify != experiment.notify
        yield (
            "notify.webhook"
            + (" is written out, which the package never holds" if written else "")
            + f": the task {TELL_END} finds no variable {notify.variable}: keep the address in a "
            f"Kubernetes secret, and give it with kubeflow.nodes: {{{TELL_END}: {{secrets: "
            f"[{{name: SECRET, env: {{KEY: {notify.variable}}}}}]}}}}; or tell nobody on the "
            "cluster with kubeflow.settings: {notify.events: []}"
        )
    program = notify.command[0] if notify.command else ""
    if os.path.dirname(program) and not os.path.isabs(program):
        yield (
            f"notify.command: {program!r} is relative. Pods have no folder to start from: name a "
            "program of the image, by kubeflow.settings: {notify.command: [...]}"
        )


def _telling(experiment: Experiment, section: KubeflowSettings) -> str:
    """JSON of whom to tell, without the address of a webhook."""
    notify = KeptSecrets(experiment).kept_notify
    values = {
        "notify": notify.model_dump(mode="json", exclude_unset=True),
        "tracking": experiment.tracking.model_dump(mode="json", exclude_unset=True),
        "folder": experiment.folder,
        "host": section.host,
    }
    return json.dumps(values, sort_keys=True)
