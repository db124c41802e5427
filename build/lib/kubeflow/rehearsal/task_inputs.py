"""What a task is given: parameters, executor input, and a command without placeholders."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

_JOB_PLACEHOLDERS = ("{{$.pipeline_job_uuid}}", "{{$.pipeline_job_name}}")


def resolve_inputs(
    task: pipeline_spec_pb2.PipelineTaskSpec,
    component: pipeline_spec_pb2.ComponentSpec,
    parent: Mapping[str, Any],
    outputs: Mapping[str, Mapping[str, Any]],
    run_id: str,
) -> dict[str, Any]:
    """Values of a task's input parameters, with the component's defaults.

    Args:
        task: the task.
        component: what it runs.
        parent: input parameters of the group that the task is in.
        outputs: output parameters of the tasks of this group that are done, by task.
        run_id: stands for the job's id, where that is the whole of an input.

    Raises:
        KeyError: an input comes from nowhere.
    """
    values = {}
    for name, declared in component.input_definitions.parameters.items():
        if declared.HasField("default_value"):
            values[name] = json_format.MessageToDict(declared.default_value)
    for name, source in task.inputs.parameters.items():
        kind = source.WhichOneof("kind")
        if kind == "component_input_parameter":
            values[name] = parent[source.component_input_parameter]
        elif kind == "task_output_parameter":
            output = source.task_output_parameter
            values[name] = outputs[output.producer_task][output.output_parameter_key]
        else:
            value = json_format.MessageToDict(source.runtime_value.constant)
            values[name] = run_id if value in _JOB_PLACEHOLDERS else value
    return values


def executor_input(
    component: pipeline_spec_pb2.ComponentSpec, parameters: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """The executor input as the driver provisions it, with local files below a folder.

    An artifact has a custom path in place of a mounted bucket: nothing here may write to
    ``/minio``.
    """
    definitions = component.output_definitions
    artifacts = {
        name: {
            "artifacts": [
                {
                    "name": name,
                    "uri": f"minio://rehearsal/{folder.parent.name}/{folder.name}/{name}",
                    "type": json_format.MessageToDict(declared.artifact_type),
                    "customPath": str(folder / "artifacts" / name),
                }
            ]
        }
        for name, declared in definitions.artifacts.items()
    }
    files = {
        name: {"outputFile": str(folder / "parameters" / name)} for name in definitions.parameters
    }
    return {
        "inputs": {"parameterValues": dict(parameters)},
        "outputs": {
            "artifacts": artifacts,
            "parameters": files,
            "outputFile": str(folder / "output_metadata.json"),
        },
    }


def fill_placeholders(arguments: Sequence[str], given: Mapping[str, Any]) -> list[str]:
    """Arguments with the launcher's placeholders replaced by the executor input's values."""
    replacements = {"{{$}}": json.dumps(given, separators=(",", ":"))}
    for name, value in given["inputs"]["parameterValues"].items():
        replacements[f"{{{{$.inputs.parameters['{name}']}}}}"] = _text(value)
    for name, listed in given["outputs"]["artifacts"].items():
        (artifact,) = listed["artifacts"]
        replacements[f"{{{{$.outputs.artifacts['{name}'].uri}}}}"] = artifact["uri"]
        replacements[f"{{{{$.outputs.artifacts['{name}'].path}}}}"] = artifact["customPath"]
    for name, parameter in given["outputs"]["parameters"].items():
        key = f"{{{{$.outputs.parameters['{name}'].output_file}}}}"
        replacements[key] = parameter["outputFile"]
    filled = []
    for argument in arguments:
        for placeholder, text in replacements.items():
            argument = argument.replace(placeholder, text)
        filled.append(argument)
    return filled


def _text(value: Any) -> str:
    """A parameter as the launcher writes it into an argument."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value)
