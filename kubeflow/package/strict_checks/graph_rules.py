"""Rules on how tasks hang together: references, inputs, order, caching, conditions."""

import graphlib
import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from kfp.pipeline_spec import pipeline_spec_pb2

from mtlx.kubeflow.package.strict_checks.documents import Documents

#: Placeholders that a driver resolves where they are the whole of a task's input.
_OF_THE_JOB = frozenset(
    f"{{{{$.{name}}}}}"
    for name in (
        "pipeline_job_name",
        "pipeline_job_resource_name",
        "pipeline_job_uuid",
        "pipeline_task_name",
        "pipeline_task_uuid",
    )
)
_CONDITION_INPUT = re.compile(r"inputs\.parameter_values\['([^']+)'\]")

_Task: TypeAlias = pipeline_spec_pb2.PipelineTaskSpec
_Component: TypeAlias = pipeline_spec_pb2.ComponentSpec


def graph_problems(documents: Documents) -> Iterator[str]:
    """What is wrong with tasks and their references."""
    components = dict(documents.components())
    for name, component in components.items():
        tasks = component.dag.tasks
        yield from _cycles(name, {key: _upstream(task) for key, task in tasks.items()})
    used = {task.component_ref.name for _, _, task in documents.tasks()}
    for name in sorted(set(documents.spec.components) - used):
        yield f"{name}: no task uses this component"
    for dag, name, task in documents.tasks():
        place, siblings = f"{dag}: task {name}", components[dag].dag.tasks
        for missing in sorted(_upstream(task) - set(siblings)):
            yield f"{place}: depends on {missing!r}, which is no task of {dag}"
        component = documents.spec.components.get(task.component_ref.name)
        if task.component_ref.name not in documents.spec.components:
            yield f"{place}: no component {task.component_ref.name!r}"
            continue
        yield from _input_problems(place, task, component, components[dag], components)
        if task.caching_options.enable_cache:
            yield (
                f"{place}: KFP's cache is on; it knows neither the data's files nor the metadata "
                "store"
            )
        yield from _condition_problems(place, task)


def _upstream(task: _Task) -> set[str]:
    """Tasks that one waits for, declared or by its inputs."""
    inputs = task.inputs
    producers = {value.task_output_parameter.producer_task for value in inputs.parameters.values()}
    producers |= {value.task_output_artifact.producer_task for value in inputs.artifacts.values()}
    return (set(task.dependent_tasks) | producers) - {""}


def _cycles(dag: str, upstream: Mapping[str, set[str]]) -> Iterator[str]:
    try:
        graphlib.TopologicalSorter(upstream).prepare()
    except graphlib.CycleError as error:
        yield f"{dag}: tasks wait for each other: {' -> '.join(error.args[1])}"


def _input_problems(
    place: str, task: _Task, component: _Component, dag: _Component, known: Mapping[str, _Component]
) -> Iterator[str]:
    declared = component.input_definitions.parameters
    for name in sorted(set(declared) - set(task.inputs.parameters)):
        if not declared[name].is_optional:
            yield f"{place}: gives no {name!r}"
    for name, value in sorted(task.inputs.parameters.items()):
        if name not in declared:
            yield f"{place}: {task.component_ref.name} takes no {name!r}"
        source = value.component_input_parameter
        if source and source not in dag.input_definitions.parameters:
            yield f"{place}: {name}: the pipeline has no parameter {source!r}"
        yield from _output_problems(place, name, value.task_output_parameter, dag, known)
        constant = value.runtime_value.constant.string_value
        if "{{$" in constant and constant not in _OF_THE_JOB:
            yield f"{place}: {name}: {constant!r} is not resolved; only {sorted(_OF_THE_JOB)} are"


def _output_problems(
    place: str,
    name: str,
    source: pipeline_spec_pb2.TaskInputsSpec.InputParameterSpec.TaskOutputParameterSpec,
    dag: _Component,
    known: Mapping[str, _Component],
) -> Iterator[str]:
    if source.producer_task not in dag.dag.tasks:
        return  # None, or said elsewhere.
    producer = known.get(dag.dag.tasks[source.producer_task].component_ref.name)
    outputs = producer.output_definitions.parameters if producer else {}
    if source.output_parameter_key not in outputs:
        yield f"{place}: {name}: {source.producer_task} gives no {source.output_parameter_key!r}"


def _condition_problems(place: str, task: _Task) -> Iterator[str]:
    condition = task.trigger_policy.condition
    for name in _CONDITION_INPUT.findall(condition):
        if name not in task.inputs.parameters:
            yield f"{place}: its condition reads {name!r}, which is none of its inputs"
    if condition and not _CONDITION_INPUT.search(condition):
        yield f"{place}: its condition reads no input: {condition!r}"
