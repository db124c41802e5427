"""Rules on the pipeline as a whole: version, names, parameters."""

import re
from collections.abc import Iterator

from kfp.pipeline_spec.pipeline_spec_pb2 import ParameterType

from mtlx.kubeflow.package.strict_checks.documents import Documents

#: The only one that open-source backends take.
SCHEMA_VERSION = "2.1.0"

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LONGEST_NAME = 63
#: A name's column in the database of the releases without ML-Metadata.
_LONGEST_OUTPUT = 128
_PARAMETER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

#: Kind of a google.protobuf.Value by parameter type.
_KINDS = {
    ParameterType.NUMBER_DOUBLE: "number_value",
    ParameterType.NUMBER_INTEGER: "number_value",
    ParameterType.STRING: "string_value",
    ParameterType.BOOLEAN: "bool_value",
    ParameterType.LIST: "list_value",
    ParameterType.STRUCT: "struct_value",
}


def pipeline_problems(documents: Documents) -> Iterator[str]:
    """What is wrong with version, names and parameters."""
    spec = documents.spec
    if spec.schema_version != SCHEMA_VERSION:
        yield (
            f"schemaVersion is {spec.schema_version!r}: the backend takes {SCHEMA_VERSION!r} only"
        )
    yield from _name_problems("pipelineInfo.name", spec.pipeline_info.name)
    if not spec.root.dag.tasks:
        yield "root: has no tasks"
    for dag, name, _ in documents.tasks():
        yield from _name_problems(f"{dag}: task", name)
    for name in [*spec.components, *documents.deployment.executors]:
        yield from _name_problems("component or executor", name)
    yield from _output_problems(documents)
    yield from _parameter_problems(documents)


def _name_problems(place: str, name: str) -> Iterator[str]:
    if not _DNS_LABEL.fullmatch(name) or len(name) > _LONGEST_NAME:
        yield (
            f"{place}: {name!r} is no DNS label: at most {_LONGEST_NAME} lower-case letters, "
            "digits and '-', a letter or digit at both ends"
        )


def _output_problems(documents: Documents) -> Iterator[str]:
    for component, specification in documents.components():
        outputs = specification.output_definitions
        for name in sorted([*outputs.artifacts, *outputs.parameters]):
            if len(name) > _LONGEST_OUTPUT:
                yield (
                    f"{component}: output {name[:40]!r}... has {len(name)} characters, more than "
                    f"{_LONGEST_OUTPUT}"
                )


def _parameter_problems(documents: Documents) -> Iterator[str]:
    for component, specification in documents.components():
        for name, parameter in sorted(specification.input_definitions.parameters.items()):
            place = f"{component}: input {name}"
            if component == "root" and not _PARAMETER_NAME.fullmatch(name):
                yield f"{place}: is no parameter name"
            kind = _KINDS.get(parameter.parameter_type)
            if kind is None:
                yield f"{place}: has no type"
                continue
            given = parameter.default_value.WhichOneof("kind")
            if given is not None and given != kind:
                wanted = ParameterType.ParameterTypeEnum.Name(parameter.parameter_type)
                yield f"{place}: is a {wanted}, but its default is a {given}"
            if component == "root" and given is None and not parameter.is_optional:
                yield f"{place}: has no default, so that a recurring run could not start"
