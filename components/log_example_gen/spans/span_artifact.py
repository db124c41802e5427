"""What is written on the examples of a span, and read from them."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tfx import types
from tfx.components.example_gen import utils

#: Custom property of examples: digest of the settings that they were read with.
SETTINGS_PROPERTY = "settings"
#: Execution properties of LogExampleGen that make the examples, whichever span is read.
_SETTINGS = ("data", "data_contract", "input_base")


def settings_digest(exec_properties: Mapping[str, Any]) -> str:
    """Digest of what LogExampleGen was asked to do, but for the span and its files."""
    asked = [exec_properties.get(name) for name in _SETTINGS]
    return hashlib.blake2b(json.dumps(asked).encode(), digest_size=16).hexdigest()


def span_of(artifact: types.Artifact) -> int | None:
    """Number of the span that examples, or statistics of them, are of; None where it is unknown."""
    name = utils.SPAN_PROPERTY_NAME
    if artifact.has_custom_property(name):  # The stock driver of ExampleGens knows no other.
        return artifact.get_int_custom_property(name)
    properties = artifact.mlmd_artifact.properties
    return properties[name].int_value if name in properties else None


def by_span(artifacts: list[types.Artifact]) -> list[types.Artifact]:
    """Artifacts in the order of their spans; those without one first."""

    def key(artifact: types.Artifact) -> tuple[int, int]:
        span = span_of(artifact)
        return (-1 if span is None else span, artifact.id)

    return sorted(artifacts, key=key)
