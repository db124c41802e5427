"""The two documents of a package, parsed as strictly as the backend does, and more."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from google.protobuf import json_format
from google.protobuf.message import Message
from kfp.kubernetes.kubernetes_executor_config_pb2 import KubernetesExecutorConfig
from kfp.pipeline_spec import pipeline_spec_pb2

from mtlx.kubeflow.package.package_refused import PackageRefused
from mtlx.transform.config.safe_yaml import SAFE_LOADER

#: The root is a component, too.
ROOT = "root"


@dataclasses.dataclass(frozen=True)
class Documents:
    """A package as messages.

    Attributes:
        spec: the pipeline specification.
        deployment: what its executors run.
        platform: the Kubernetes settings by executor; {} without a platform specification.
    """

    spec: pipeline_spec_pb2.PipelineSpec
    deployment: pipeline_spec_pb2.PipelineDeploymentConfig
    platform: Mapping[str, KubernetesExecutorConfig]

    def components(self) -> Iterator[tuple[str, pipeline_spec_pb2.ComponentSpec]]:
        """Every component with its name, the root first."""
        yield ROOT, self.spec.root
        yield from sorted(self.spec.components.items())

    def tasks(self) -> Iterator[tuple[str, str, pipeline_spec_pb2.PipelineTaskSpec]]:
        """Every task with its DAG component's name and its own."""
        for component, specification in self.components():
            for name, task in sorted(specification.dag.tasks.items()):
                yield component, name, task


def read_documents(text: str) -> Documents:
    """Parses a package.

    Raises:
        PackageRefused: a document is missing, or has a field that is unknown or of a wrong type.
    """
    documents = _load(text)
    specification, *further = documents
    spec = _message("pipeline specification", specification, pipeline_spec_pb2.PipelineSpec())
    deployment = _message(
        "deploymentSpec",
        specification.get("deploymentSpec", {}),
        pipeline_spec_pb2.PipelineDeploymentConfig(),
    )
    executors: dict[str, KubernetesExecutorConfig] = {}
    for document in further:
        _message("platform specification", document, pipeline_spec_pb2.PlatformSpec())
        unknown = set(document["platforms"]) - {"kubernetes"}
        if unknown:
            raise PackageRefused([f"platform specification: no platform {sorted(unknown)}"])
        found = document["platforms"]["kubernetes"].get("deploymentSpec", {}).get("executors", {})
        for name, values in found.items():
            executors[name] = _message(
                f"platform specification: {name}", values, KubernetesExecutorConfig()
            )
    return Documents(spec, deployment, executors)


def _load(text: str) -> list[dict[str, Any]]:
    """One or two mappings with finite numbers only."""
    try:
        documents = [one for one in yaml.load_all(text, Loader=SAFE_LOADER) if one is not None]
        json.dumps(documents, allow_nan=False)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise PackageRefused([f"no YAML that JSON can express: {error}"]) from error
    if not 1 <= len(documents) <= 2 or not all(isinstance(one, Mapping) for one in documents):
        raise PackageRefused(
            ["expected a pipeline specification and at most one platform specification. "
             f"Received: {len(documents)} documents"]
        )  # fmt: skip
    if "pipelineInfo" not in documents[0]:
        raise PackageRefused(["the first document has no pipelineInfo"])
    if any("platforms" not in document for document in documents[1:]):
        raise PackageRefused(["the second document has no platforms"])
    return documents


def _message(place: str, values: Any, message: Message) -> Any:
    try:
        return json_format.ParseDict(values, message)
    except json_format.ParseError as error:
        raise PackageRefused([f"{place}: {error}"]) from error
