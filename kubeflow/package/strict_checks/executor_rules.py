"""Rules on what the tasks run: kinds, commands, placeholders, sizes."""

import re
from collections.abc import Iterator

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from mtlx.kubeflow.package.strict_checks.documents import Documents

#: Largest argument, in bytes: that of a KFP parameter, which the launcher puts into its place.
LARGEST_ARGUMENT = 10_000
#: Largest component or container, in bytes: the driver is given each as one argument, and Linux
#: takes 128 KiB.
LARGEST_PIECE = 128 * 1024 - 1024

_PLACEHOLDER = re.compile(r"\{\{\$.*?\}\}")
_KNOWN = re.compile(
    r"\{\{\$\.(?:"
    r"inputs\.parameters\['(?P<input_parameter>[^']+)'\]"
    r"|outputs\.parameters\['(?P<output_parameter>[^']+)'\]\.output_file"
    r"|inputs\.artifacts\['(?P<input_artifact>[^']+)'\]\.(?:uri|path)"
    r"|outputs\.artifacts\['(?P<output_artifact>[^']+)'\]\.(?:uri|path)"
    r")\}\}"
)


def executor_problems(documents: Documents) -> Iterator[str]:
    """What is wrong with the executors, and with how components use them."""
    for label, executor in sorted(documents.deployment.executors.items()):
        kind = executor.WhichOneof("spec")
        if kind == "container":
            yield from _container_problems(label, executor.container)
        elif kind != "importer":
            yield f"{label}: the backend runs container and importer executors only, not {kind}"
    for name, component in documents.components():
        kind = component.WhichOneof("implementation")
        if kind is None:
            yield f"{name}: has neither an executor nor tasks"
        if kind != "executor_label":
            continue
        label = component.executor_label
        if label not in documents.deployment.executors:
            yield f"{name}: no executor {label!r}"
            continue
        container = documents.deployment.executors[label].container
        yield from _placeholder_problems(label, container, component)
        yield from _piece_problems(name, component)


def _container_problems(
    label: str, container: pipeline_spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec
) -> Iterator[str]:
    if not container.image or any(mark in container.image for mark in " {}"):
        yield f"{label}: {container.image!r} is no image"
    if not any(container.command):
        yield f"{label}: has no command; the launcher ignores the image's ENTRYPOINT"
    for argument in [*container.command, *container.args]:
        if len(argument.encode()) > LARGEST_ARGUMENT:
            yield (
                f"{label}: an argument has {len(argument.encode())} bytes, more than "
                f"{LARGEST_ARGUMENT}: {argument[:40]!r}..."
            )
    names = [variable.name for variable in container.env]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{label}: environment variable {name} is there twice"
    for variable in container.env:
        if _PLACEHOLDER.search(variable.value):
            yield (
                f"{label}: environment variable {variable.name} has a placeholder, which is not "
                "resolved there"
            )
    yield from _piece_problems(label, container)


def _placeholder_problems(
    label: str,
    container: pipeline_spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec,
    component: pipeline_spec_pb2.ComponentSpec,
) -> Iterator[str]:
    declared = {
        "input_parameter": component.input_definitions.parameters,
        "output_parameter": component.output_definitions.parameters,
        "input_artifact": component.input_definitions.artifacts,
        "output_artifact": component.output_definitions.artifacts,
    }
    for argument in [*container.command, *container.args]:
        for placeholder in _PLACEHOLDER.findall(argument):
            if placeholder == "{{$}}":
                continue
            known = _KNOWN.fullmatch(placeholder)
            if known is None:
                yield f"{label}: the launcher does not resolve {placeholder}"
                continue
            for kind, name in known.groupdict().items():
                if name is not None and name not in declared[kind]:
                    yield f"{label}: {placeholder}: the component declares no such {kind}"


def _piece_problems(place: str, message: object) -> Iterator[str]:
    size = len(json_format.MessageToJson(message, indent=None).encode())
    if size > LARGEST_PIECE:
        yield f"{place}: has {size} bytes of JSON, more than the {LARGEST_PIECE} of one argument"
