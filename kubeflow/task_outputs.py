"""What a task hands back to Kubeflow Pipelines: artifacts, their metadata, and parameters."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

#: Output parameter of the gate's task, and of the serving check's: whether the candidate passed.
BLESSED = "blessed"
#: Key of an artifact's metadata that lists the keys whose numbers were not finite.
UNDEFINED = "undefined"
#: Schema title of artifacts whose metadata are numbers and nothing else.
METRICS = "system.Metrics"

# Where the launcher looks for the local copy of an object, by the scheme of its URI.
_FOLDERS = {"gs://": "/gcs/", "minio://": "/minio/", "s3://": "/s3/"}


class ExecutorInputError(ValueError):
    """The executor input is not what the launcher gives for ``{{$}}``."""


class TaskOutputs:
    """The outputs of one task, in the forms that the launcher of Kubeflow Pipelines v2 reads.

    Payloads are written by the caller to `path`; metadata and parameters are collected here and
    written by `write`. Numbers that JSON has not (NaN, Infinity) are left out, since the
    launcher's reader refuses the whole file for one of them.

    Args:
        executor_input: the parsed JSON.

    Raises:
        ExecutorInputError: it has no ``outputs.outputFile``, or an artifact has no local path.
    """

    def __init__(self, executor_input: Mapping[str, Any]) -> None:
        outputs = executor_input.get("outputs")
        if not isinstance(outputs, Mapping) or not outputs.get("outputFile"):
            raise ExecutorInputError(
                "executor input: expected outputs.outputFile, the file to write. "
                f"Received the keys: {', '.join(sorted(outputs or executor_input)) or 'none'}"
            )
        self._file = Path(outputs["outputFile"])
        self._artifacts: dict[str, dict[str, Any]] = {
            name: dict(listed["artifacts"][0])
            for name, listed in (outputs.get("artifacts") or {}).items()
            if listed.get("artifacts")
        }
        self._paths = {name: local_path(name, item) for name, item in self._artifacts.items()}
        self._parameter_files: dict[str, Path] = {
            name: Path(item["outputFile"])
            for name, item in (outputs.get("parameters") or {}).items()
        }
        self._parameters: dict[str, Any] = {}

    @classmethod
    def read(cls, executor_input: str) -> "TaskOutputs":
        """Reads the JSON that the launcher puts in the place of ``{{$}}``.

        Raises:
            ExecutorInputError: it is no JSON object, or has no outputs.
        """
        try:
            parsed = json.loads(executor_input)
        except json.JSONDecodeError as error:
            raise ExecutorInputError(
                f"executor input: expected the JSON that stands for {{{{$}}}}, {error}. "
                f"Received: {executor_input[:80]!r}"
            ) from error
        if not isinstance(parsed, dict):
            raise ExecutorInputError(
                f"executor input: expected a JSON object. Received: {executor_input[:80]!r}"
            )
        return cls(parsed)

    @property
    def names(self) -> list[str]:
        """Names of the output artifacts that the task declares."""
        return list(self._artifacts)

    def has(self, name: str) -> bool:
        """Whether the task declares this output, as an artifact or as a parameter."""
        return name in self._artifacts or name in self._parameter_files

    def path(self, name: str) -> Path:
        """Local file of an artifact's payload; its folder is made.

        Raises:
            KeyError: the task declares no such artifact.
        """
        self._check_artifact(name)
        path = self._paths[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def kind(self, name: str) -> str:
        """Schema title of an artifact, such as `METRICS`."""
        self._check_artifact(name)
        return str((self._artifacts[name].get("type") or {}).get("schemaTitle", ""))

    def set_metadata(self, name: str, values: Mapping[str, Any]) -> None:
        """Adds to the metadata of an artifact.

        Args:
            name: the artifact.
            values: numbers, strings, booleans, and lists and mappings of them. None is left
                out, which the launcher refuses. A number that is not finite is left out, of a
                list too; its key, such as ``auc/click`` or ``rows[3].auc``, is listed under
                ``undefined``. Of `METRICS`, which the launchers after ML-Metadata take numbers
                in only, it is left out without that.

        Raises:
            KeyError: the task declares no such artifact.
            TypeError: a value has no form in JSON, or is no number where numbers belong.
        """
        if self.kind(name) == METRICS:
            self._artifacts[name]["metadata"] = {
                **_numbers(self._artifacts[name].get("metadata") or {}, refuse=False),
                **_numbers(values, refuse=True),
            }
            return
        undefined: list[str] = []
        finite = _finite(values, "", undefined)
        metadata = self._artifacts[name].get("metadata") or {}
        listed = [*metadata.get(UNDEFINED, []), *finite.pop(UNDEFINED, []), *undefined]
        metadata = {**metadata, **finite}
        if listed:
            metadata[UNDEFINED] = list(dict.fromkeys(listed))
        self._artifacts[name]["metadata"] = metadata

    def set_parameter(self, name: str, value: Any) -> None:
        """Sets an output parameter.

        Args:
            name: the parameter.
            value: string, number, boolean, list or mapping.

        Raises:
            KeyError: the task declares no such parameter.
            ValueError: the value, or one in it, is not finite: a parameter has no second best.
            TypeError: a value has no form in JSON.
        """
        if name not in self._parameter_files:
            raise KeyError(
                f"no output parameter {name!r} in this task. "
                f"Known: {', '.join(self._parameter_files) or 'none'}"
            )
        undefined: list[str] = []
        finite = _finite({name: value}, "", undefined)
        if undefined or name not in finite:
            missing = undefined[0] if undefined else name
            raise ValueError(f"output parameter {missing} is no finite value. Received: {value!r}")
        self._parameters[name] = finite[name]

    def write(self) -> None:
        """Writes the parameters' files and, last and whole, the executor output file.

        Raises:
            ValueError: a declared parameter was not set; the launcher would fail the task.
        """
        missing = [name for name in self._parameter_files if name not in self._parameters]
        if missing:
            raise ValueError(f"output parameters without a value: {', '.join(missing)}")
        for name, value in self._parameters.items():
            text = value if isinstance(value, str) else json.dumps(value, allow_nan=False)
            _replace(self._parameter_files[name], text)
        artifacts = {
            name: {"artifacts": [_runtime_artifact(name, item)]}
            for name, item in self._artifacts.items()
        }
        content = {"parameterValues": self._parameters, "artifacts": artifacts}
        _replace(self._file, json.dumps(content, allow_nan=False))

    def _check_artifact(self, name: str) -> None:
        if name not in self._artifacts:
            raise KeyError(
                f"no output artifact {name!r} in this task. "
                f"Known: {', '.join(self._artifacts) or 'none'}"
            )


def local_path(name: str, artifact: Mapping[str, Any]) -> Path:
    """Local file of an artifact, as the launcher has it: its custom path, else by its URI's scheme.

    Args:
        name: of the artifact, for the error.
        artifact: JSON form of a ``RuntimeArtifact``.

    Raises:
        ExecutorInputError: the launcher would know no local path.
    """
    if artifact.get("customPath"):
        return Path(artifact["customPath"])
    uri = artifact.get("uri", "")
    for scheme, folder in _FOLDERS.items():
        if uri.startswith(scheme):
            return Path(folder + uri.removeprefix(scheme))
    raise ExecutorInputError(
        f"executor input: output artifact {name!r} has no local path: expected a customPath or a "
        f"URI of {', '.join(_FOLDERS)}. Received: {uri!r}"
    )


def _runtime_artifact(name: str, artifact: Mapping[str, Any]) -> dict[str, Any]:
    """What the launcher merges into its own record of the artifact."""
    return {
        "name": artifact.get("name") or name,
        "uri": artifact.get("uri", ""),
        "metadata": artifact.get("metadata") or {},
    }


def _numbers(values: Mapping[str, Any], refuse: bool) -> dict[str, float | int]:
    """The finite numbers among values; others are left out or, but for None, refused."""
    kept = {}
    for key, value in values.items():
        plain = _finite(value, key, [])
        if isinstance(plain, int | float) and not isinstance(plain, bool):
            kept[key] = plain
        elif refuse and plain is not None:
            raise TypeError(f"{key}: {METRICS} holds numbers only. Received: {value!r}")
    return kept


def _finite(value: Any, key: str, undefined: list[str]) -> Any:
    """The value in JSON's types, without numbers that are not finite, whose keys are added."""
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays.
        value = value.tolist()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        undefined.append(key)
        return None
    if isinstance(value, Mapping):
        dot = f"{key}." if key else ""
        pairs = [(str(name), item, f"{dot}{name}") for name, item in value.items()]
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        pairs = [(str(i), item, f"{key}[{i}]") for i, item in enumerate(value)]
    else:
        raise TypeError(f"{key}: {type(value).__name__} has no form in JSON. Received: {value!r}")
    kept = {}
    for name, item, item_key in pairs:
        converted = _finite(item, item_key, undefined)
        if converted is not None:
            kept[name] = converted
    return kept if isinstance(value, Mapping) else list(kept.values())


def _replace(path: Path, text: str) -> None:
    """Writes a file whole or not at all, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
